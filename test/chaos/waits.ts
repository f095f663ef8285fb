/** How long the oldest unanswered record of each producer waits, and the longest of such waits. */
export class Waits {
  readonly #sinceMs = new Map<string, number>()
  #longestMs = 0

  /** The producer waits since then; what it waited for before goes on. */
  began(name: string, sinceMs: number): void {
    this.#sinceMs.set(name, sinceMs)
  }

  /** Its oldest was acknowledged; the next waits since then, null where there is none. */
  ended(name: string, nextSinceMs: number | null): void {
    this.#note(this.#sinceMs.get(name))
    if (nextSinceMs === null) this.#sinceMs.delete(name)
    else this.#sinceMs.set(name, nextSinceMs)
  }

  /** Milliseconds since this was asked last, those that wait still included. */
  takeLongestMs(): number {
    for (const sinceMs of this.#sinceMs.values()) this.#note(sinceMs)
    const longestMs = this.#longestMs
    this.#longestMs = 0
    return Math.round(longestMs)
  }

  /** Whether nobody waits that began before `ms`. */
  isNobodyLeftFrom(ms: number): boolean {
    return [...this.#sinceMs.values()].every(sinceMs => sinceMs >= ms)
  }

  #note(sinceMs: number | undefined): void {
    if (sinceMs !== undefined)
      this.#longestMs = Math.max(this.#longestMs, performance.now() - sinceMs)
  }
}
