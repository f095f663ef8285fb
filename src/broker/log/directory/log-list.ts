import { AppendedFile } from '../../../env/appended-file.ts'
import { readWhole, replaceFile } from '../../../env/disk.ts'
import type { Env } from '../../../env/env.ts'
import { fromUtf8, utf8 } from '../../../lib/bytes.ts'
import type { Crc32c } from '../../../lib/crc32c.ts'

type Place = Pick<Env, 'disk' | 'crc32c'> & { readonly path: string }

/** What the file said at the start. */
interface FoundList {
  readonly names: ReadonlySet<string>
  /** False: lines are missing or damaged, and what it does not have may have been there all the same. */
  readonly isWhole: boolean
}

const header = 'logs 1'

/**
 * The names of all logs that a data directory holds, in a file of their own (FORMAT.md): a log that is in it and not on
 * disk was lost, and must not begin anew. A name gets in before its log is served, and leaves it when its topic was deleted.
 */
export class LogList {
  readonly #crc32c: Crc32c
  readonly #names: Set<string>
  readonly #file: AppendedFile
  #waiting: string[] = []
  #next: Promise<void> | null = null
  #last: Promise<void> = Promise.resolve()

  private constructor(crc32c: Crc32c, names: Set<string>, file: AppendedFile) {
    this.#crc32c = crc32c
    this.#names = names
    this.#file = file
  }

  /** Writes the list anew, durably, and goes on with it. @throws DiskError */
  static async begin(place: Place, names: Iterable<string>): Promise<LogList> {
    const { disk, crc32c } = place
    const unique = new Set(names)
    const lines = [header, ...Array.from(unique, name => `+${name}`)]
    const content = utf8(lines.map(line => sealed(line, crc32c)).join(''))
    await replaceFile(disk, listPath(place), content)
    const file = new AppendedFile(disk, listPath(place), content.length)
    return new LogList(crc32c, unique, file)
  }

  get names(): Iterable<string> {
    return this.#names
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** Resolves when the name is durably in the list. Calls that come together share a sync. @throws DiskError */
  async add(name: string): Promise<void> {
    await this.#write(`+${name}`)
    this.#names.add(name)
  }

  /** The log of that name does not have to be there any more. Not durable: no other log will have the name. */
  forget(name: string): void {
    if (this.#names.delete(name)) this.#waiting.push(`-${name}`)
  }

  close(): void {
    this.#file.close()
  }

  #write(change: string): Promise<void> {
    this.#waiting.push(change)
    if (this.#next === null) {
      const write = () => this.#writeWaiting()
      this.#next = this.#last.then(write, write)
      this.#last = this.#next
    }
    return this.#next
  }

  async #writeWaiting(): Promise<void> {
    this.#next = null
    // One line, and one sum: a crash leaves all of it or nothing that counts.
    const line = sealed(this.#waiting.splice(0).join(' '), this.#crc32c)
    await this.#file.append(utf8(line))
  }
}

/** null where there is no list. @throws DiskError where it cannot be read */
export function readLogList(place: Place): FoundList | null {
  const bytes = readWhole(place.disk, listPath(place))
  return bytes === null ? null : parse(bytes, place.crc32c)
}

/**
 * A crash leaves what was being written in pieces at the end, of which nothing had been acted upon. Damage that whole lines
 * come after is of another kind.
 */
function parse(bytes: Uint8Array, crc32c: Crc32c): FoundList {
  const names = new Set<string>()
  const [first, ...lines] = linesOf(bytes).map(line => unsealed(line, crc32c))
  const isWhole = first === header && !lines.some((line, at) => line === null && lines[at + 1])
  for (const change of lines.flatMap(line => line?.split(' ') ?? [])) {
    const name = change.slice(1)
    if (change.startsWith('+')) names.add(name)
    else names.delete(name)
  }
  return { names, isWhole }
}

function linesOf(bytes: Uint8Array): string[] {
  try {
    return fromUtf8(bytes)
      .split('\n')
      .filter(line => line !== '')
  } catch {
    // Names are ASCII: something else was written over them.
    return []
  }
}

function sealed(line: string, crc32c: Crc32c): string {
  return `${line} ${crc32c(utf8(line)).toString(16).padStart(8, '0')}\n`
}

function unsealed(line: string, crc32c: Crc32c): string | null {
  const at = line.lastIndexOf(' ')
  const text = line.slice(0, Math.max(at, 0))
  return sealed(text, crc32c) === `${line}\n` ? text : null
}

function listPath({ path }: Place): string {
  return `${path}/logs`
}
