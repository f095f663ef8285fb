import { DiskError, type ByteSpan } from '../../env/env.ts'
import type { Reader, Readers } from '../insight/readers.ts'
import { stepBytes, Trail, type NextRange, type Portion } from './trail.ts'

/**
 * A reader that is so near behind a portion is waited for: it finds in memory what the one before it read.
 * @internal
 */
export const soonBytes = 64 * 1024 * 1024
/** Of a portion that the device delivered less of, the most was in memory already: somebody else's, and left alone. */
const deliveredShareMin = 0.5
/** Portions that wait for another reader; of more, the oldest is left to the kernel. */
const keptMax = 64

/** What a fetch gives a reader. */
export interface SentRange extends NextRange {
  readonly cold: boolean
}

export interface DropBehindOptions {
  readonly readers: Pick<Readers, 'of'>
  readonly isEnabled: boolean
}

type Verdict = 'drop' | 'keep' | 'leave'

interface Kept {
  readonly topic: string
  readonly partition: number
  readonly portion: Portion
}

/**
 * Gives back to the kernel what lagging readers have read and nobody needs, so that a scan of old data does not push
 * out what others read from memory (durability.md Q4). Where the kernel cannot be asked what it has, nothing is dropped.
 */
export class DropBehind {
  readonly #options: DropBehindOptions
  readonly #trails = new WeakMap<Reader, Trail>()
  readonly #kept: Kept[] = []
  #bytesSinceLook = 0
  #droppedBytes = 0

  constructor(options: DropBehindOptions) {
    this.#options = options
  }

  /** Bytes that the kernel was asked to drop since the start of the process. */
  get droppedBytes(): number {
    return this.#droppedBytes
  }

  /**
   * `reader` gets `range` next. Gives what of its file the thread that sends it may drop with it: most of all that is
   * dropped goes so, for which no other thread has to be woken.
   */
  sent(reader: Reader, range: SentRange): ByteSpan | null {
    if (!this.#options.isEnabled) return null
    const gone = range.cold ? this.#follow(reader, range) : []
    this.#bytesSinceLook += range.length
    if (this.#kept.length > 0 && this.#bytesSinceLook >= stepBytes) gone.push(...this.#lookAgain())
    const along = gone.findIndex(({ file }) => range.cold && file === range.file)
    const [first] = along < 0 ? [] : gone.splice(along, 1)
    for (const portion of gone) void this.#drop(portion)
    return first === undefined ? null : { position: first.from, length: first.to - first.from }
  }

  /** What goes behind the reader now. */
  #follow(reader: Reader, range: SentRange): Portion[] {
    const { topic, partition, stream } = reader
    let trail = this.#trails.get(reader)
    if (trail === undefined) this.#trails.set(reader, (trail = new Trail()))
    const hit = stream.hitBytes()
    const portions = trail.follow(range, hit === null ? null : stream.sentBytes() - hit)
    return this.#judge(portions.map(portion => ({ topic, partition, portion })))
  }

  #lookAgain(): Portion[] {
    this.#bytesSinceLook = 0
    return this.#judge(this.#kept.splice(0))
  }

  /** Those that go; others are kept, or left alone. */
  #judge(all: readonly Kept[]): Portion[] {
    const gone: Portion[] = []
    for (const each of all) {
      const { topic, partition, portion } = each
      const verdict = verdictOf(portion, this.#offsetsOf(topic, partition))
      if (verdict === 'keep') this.#kept.push(each)
      const bytes = verdict === 'drop' ? cleanBytes(portion) : null
      if (bytes === null) continue
      this.#droppedBytes += bytes
      gone.push(portion)
    }
    if (this.#kept.length > keptMax) this.#kept.splice(0, this.#kept.length - keptMax)
    return gone
  }

  *#offsetsOf(topic: string, partition: number): IterableIterator<number> {
    for (const { fetchOffset } of this.#options.readers.of(topic, partition)) yield fetchOffset
  }

  async #drop({ file, from, to }: Portion): Promise<void> {
    try {
      await file.dropCacheAsync(from, to - from)
    } catch (error) {
      forgive(error)
    }
  }
}

/** How much of it is cached; null where that cannot be told, or some is dirty: that would not go, and be written out of turn. */
function cleanBytes({ file, from, to }: Portion): number | null {
  try {
    const found = file.residency(from, to - from)
    return found === null || found.dirtyBytes + found.writebackBytes > 0 ? null : found.cachedBytes
  } catch (error) {
    forgive(error)
    return null
  }
}

/** The segment was closed meanwhile, or retention took it. Anything else is thrown on. */
function forgive(error: unknown): void {
  if (!(error instanceof DiskError)) throw error
}

/** What becomes of a portion when readers of its partition are at `offsets`. @internal */
export function verdictOf(portion: Portion, offsets: Iterable<number>): Verdict {
  if (portion.isHot || portion.deliveredShare < deliveredShareMin) return 'leave'
  for (const offset of offsets) if (comesSoon(portion, offset)) return 'keep'
  return 'drop'
}

/** Whether somebody at `offset` is in it, or so near behind it; as many bytes to an offset there as in it. */
function comesSoon({ from, to, fromOffset, toOffset }: Portion, offset: number): boolean {
  if (offset < 0 || offset >= toOffset) return false
  const bytesPerOffset = (to - from) / (toOffset - fromOffset)
  return (fromOffset - offset) * bytesPerOffset < soonBytes
}
