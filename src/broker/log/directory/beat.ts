import { DiskError, type Disk, type DiskFile, type Env, type Timer } from '../../../env/env.ts'
import { readWhole } from '../../../env/disk.ts'
import { fromUtf8, utf8 } from '../../../lib/bytes.ts'
import type { Crc32c } from '../../../lib/crc32c.ts'

const periodMs = 5000
const digits = 20

/**
 * A count that a running broker writes to its directory every five seconds and tells the cluster: a directory that comes
 * back with less than was told last is an older copy of the disk, made within this very registration (durability.md 3.1).
 * Never synced: after a crash of the machine nobody relies on it. It is a hint; where it cannot be written it stands still.
 */
export class Beat {
  readonly #env: Pick<Env, 'clock' | 'disk' | 'crc32c'>
  readonly #path: string
  readonly #found: number
  #value: number
  #file: DiskFile | null = null
  #timer: Timer | null = null

  constructor(env: Pick<Env, 'clock' | 'disk' | 'crc32c'>, directoryPath: string) {
    this.#env = env
    this.#path = `${directoryPath}/beat`
    this.#found = readBeat(env.disk, this.#path, env.crc32c)
    this.#value = this.#found
  }

  /** What the directory had when it was opened; 0 where it had none. */
  get found(): number {
    return this.#found
  }

  /** What is written: what may be told. */
  get value(): number {
    return this.#value
  }

  /** From now on it rises. */
  start(): void {
    if (this.#timer !== null) return
    this.#timer = this.#env.clock.every(periodMs, () => this.#write())
    this.#write()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#file?.close()
    this.#file = null
  }

  #write(): void {
    const { disk, crc32c } = this.#env
    try {
      this.#file ??= disk.open(this.#path, disk.stat(this.#path) === null ? 'create' : 'write')
      // Of one length always: it is written in place.
      this.#file.write(0, [utf8(sealed(this.#value + 1, crc32c))])
      this.#value++
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
  }
}

function readBeat(disk: Disk, path: string, crc32c: Crc32c): number {
  const bytes = readWhole(disk, path)
  if (bytes === null || bytes.some(byte => byte > 127)) return 0
  const text = fromUtf8(bytes)
  const value = Number(/^beat 1 (\d{20}) [0-9a-f]{8}\n$/.exec(text)?.[1] ?? '0')
  return Number.isSafeInteger(value) && sealed(value, crc32c) === text ? value : 0
}

function sealed(value: number, crc32c: Crc32c): string {
  const text = `beat 1 ${value.toString().padStart(digits, '0')}`
  return `${text} ${crc32c(utf8(text)).toString(16).padStart(8, '0')}\n`
}
