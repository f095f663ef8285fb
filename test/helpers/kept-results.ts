import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../../docs/qualification')

/**
 * What came of a long run that is made of several, in `docs/qualification/NAME.json`: one line for each part, in place of
 * what came of that part before. A run that is broken off has lost nothing but the part that it was at.
 */
export class KeptResults<Part> {
  readonly #file: string
  readonly #idOf: (part: Part) => string

  constructor(name: string, idOf: (part: Part) => string) {
    this.#file = join(folder, `${name}.json`)
    this.#idOf = idOf
  }

  all(): Part[] {
    return existsSync(this.#file) ? (JSON.parse(readFileSync(this.#file, 'utf8')) as Part[]) : []
  }

  /** Whether there is one of this id. */
  has(id: string): boolean {
    return this.all().some(part => this.#idOf(part) === id)
  }

  put(part: Part): void {
    const id = this.#idOf(part)
    const others = this.all().filter(other => this.#idOf(other) !== id)
    const sorted = [...others, part].toSorted((a, b) => (this.#idOf(a) < this.#idOf(b) ? -1 : 1))
    const lines = sorted.map(each => JSON.stringify(each))
    writeFileSync(this.#file, `[\n${lines.join(',\n')}\n]\n`)
  }
}

/** For a run that others wait for: whether there is time to begin something more. */
export class TimeLimit {
  readonly #endMs: number

  /** `minutes` as it was typed; null for as long as it takes. */
  constructor(minutes: string | null) {
    const count = minutes === null ? Infinity : Number(minutes)
    if (!(count > 0)) throw new Error('--minutes is a number above 0')
    this.#endMs = performance.now() + count * 60_000
  }

  get isOver(): boolean {
    return performance.now() > this.#endMs
  }
}
