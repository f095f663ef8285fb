/** A line of a watch that is larger than anything that the API server stores is none of its. */
const lineLengthMax = 32 * 1024 * 1024

/** Cuts the body of a watch into its lines; a last line without an end is cut off and dropped. */
export class WatchLines {
  readonly #decoder = new TextDecoder()
  #rest = ''

  /**
   * The lines that `chunk` completes.
   * @throws Error where a line grows beyond all bounds
   */
  push(chunk: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop()!
    if (this.#rest.length > lineLengthMax) throw new Error('a line of the watch has no end')
    return lines.filter(line => line !== '')
  }
}
