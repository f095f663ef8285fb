/** Shares a number of bytes among whoever asks, in the order of asking. One alone may take more than there is. */
export class ByteBudget {
  readonly #bytesMax: number
  readonly #waiting: { readonly bytes: number; readonly start: () => void }[] = []
  #takenBytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get takenBytes(): number {
    return this.#takenBytes
  }

  /** Resolves when the bytes are there, with the function that gives them back, to be called once. */
  take(bytes: number): Promise<() => void> {
    return new Promise(resolve => {
      const start = () => {
        this.#takenBytes += bytes
        resolve(() => {
          this.#takenBytes -= bytes
          this.#startNext()
        })
      }
      this.#waiting.push({ bytes, start })
      this.#startNext()
    })
  }

  #startNext(): void {
    for (;;) {
      const next = this.#waiting[0]
      if (next === undefined) return
      if (this.#takenBytes > 0 && this.#takenBytes + next.bytes > this.#bytesMax) return
      this.#waiting.shift()
      next.start()
    }
  }
}
