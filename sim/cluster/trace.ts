import { crc32c } from '../../src/lib/crc32c.ts'
import { utf8 } from '../../src/lib/bytes.ts'

/** What is shown of a run that failed. */
const shownMax = 200

/**
 * All that happened in a simulated world, as one number: two runs of a seed are the same run where it is the same. The
 * last lines are kept, for whoever has to read why a run failed.
 */
export class Trace {
  readonly #nowMs: () => number
  readonly #lines: string[] = []
  readonly #when = new Float64Array(2)
  readonly #whenBytes = new Uint8Array(this.#when.buffer)
  #hash = 0
  #count = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Of all notes and bytes so far, in their order. */
  get hash(): string {
    return `${this.#count}-${this.#hash.toString(16).padStart(8, '0')}`
  }

  /** The last lines, oldest first. */
  get lines(): readonly string[] {
    return this.#lines
  }

  /** One line, with the virtual time before it. */
  note(what: string): void {
    const line = `${(this.#nowMs() / 1000).toFixed(4).padStart(9)} ${what}`
    this.#lines.push(line)
    if (this.#lines.length > 2 * shownMax) this.#lines.splice(0, shownMax)
    this.#add(utf8(line))
  }

  /** Bytes that somebody got at a port, without a line of their own. */
  bytes(port: number, bytes: Uint8Array): void {
    this.#when[0] = this.#nowMs()
    this.#when[1] = port
    this.#add(this.#whenBytes)
    this.#add(bytes)
  }

  #add(bytes: Uint8Array): void {
    this.#hash = crc32c(bytes, 0, bytes.length, this.#hash)
    this.#count++
  }
}
