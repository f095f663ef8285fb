import { exitCodes } from '../lib/exit-codes.ts'

/** Where a command says what it has to say. */
export interface Terminal {
  /** A line for whoever asked, or for the program that reads on. */
  readonly out: (text: string) => void
  /** A line about what went wrong. */
  readonly err: (text: string) => void
}

/** A command: how it is asked for, and what it does. */
interface CommandParts<Wish> {
  readonly usage: string
  /** What is asked for, or what is wrong with how it is asked. */
  readonly read: (args: readonly string[]) => Wish | string
  /** Resolves to the exit code. What it throws is told as a sentence, behind the `place` that it is about. */
  readonly act: (wish: Wish) => Promise<number>
  /** The exit code of what is thrown; 1 by default. */
  readonly thrown?: number
  readonly place?: (wish: Wish) => string
}

/** Does what `args` ask for; resolves to the exit code. */
export async function runCommand<Wish extends object>(
  args: readonly string[],
  terminal: Terminal,
  { usage, read, act, thrown = exitCodes.failed, place }: CommandParts<Wish>,
): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    terminal.out(usage)
    return exitCodes.done
  }
  const wish = read(args)
  if (typeof wish === 'string') {
    terminal.err(wish)
    return exitCodes.usage
  }
  try {
    return await act(wish)
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error)
    terminal.err(place === undefined ? sentence : `${place(wish)}: ${sentence}`)
    return thrown
  }
}
