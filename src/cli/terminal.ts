/** Where a command says what it has to say. */
export interface Terminal {
  /** A line for whoever asked, or for the program that reads on. */
  readonly out: (text: string) => void
  /** A line about what went wrong. */
  readonly err: (text: string) => void
}

/** Ends a process that did what it was asked, that failed, and that did not understand (EX_USAGE of sysexits.h). */
export const exitCodes = { done: 0, failed: 1, usage: 64 } as const
