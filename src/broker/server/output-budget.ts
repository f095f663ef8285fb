/**
 * Answers of all connections that their peers have not taken, in bytes. Each connection has a bound of its own, but
 * a hundred that read nothing would still fill the memory.
 */
export class OutputBudget {
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Above it nobody gets more who has not taken what there is; who has taken all is always served. */
  get isOver(): boolean {
    return this.#bytes >= this.#bytesMax
  }

  /** One connection's part changed by so much. */
  change(bytes: number): void {
    this.#bytes += bytes
  }
}
