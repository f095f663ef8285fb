import { DiskError, type Disk, type DiskFile } from '../../../env/disk.ts'
import { assert } from '../../../lib/assert.ts'
import { lastOffset, type BatchHeader } from '../batch/batch.ts'
import { SegmentIndex, type NewestTime } from './segment-index.ts'

export type SegmentSuffix = 'log' | 'offsets' | 'times' | 'producers' | 'growth'

/**
 * Every file that belongs to a segment. Only segments have the name that Kafka gives them: what is in the others has
 * a form of its own, and Kafka's tools take files by their names.
 */
export const segmentSuffixes: readonly SegmentSuffix[] = [
  'log',
  'offsets',
  'times',
  'producers',
  'growth',
]

/** The path of one of a segment's files; `offset` as 20 digits, so that names sort as offsets do. */
export function segmentPath(logPath: string, offset: number, suffix: SegmentSuffix): string {
  return `${logPath}/${segmentName(offset, suffix)}`
}

/** The name of one of a segment's files. */
export function segmentName(offset: number, suffix: SegmentSuffix): string {
  return `${offset.toString().padStart(20, '0')}.${suffix}`
}

/** The base offset in a file's name, or null where it is not a file of that kind. */
export function parseSegmentName(name: string, suffix: SegmentSuffix): number | null {
  if (name.length !== 21 + suffix.length || !name.endsWith(`.${suffix}`)) return null
  const digits = name.slice(0, 20)
  const offset = Number(digits)
  return /^\d{20}$/.test(digits) && Number.isSafeInteger(offset) ? offset : null
}

/** What caches were called once, with the names of Kafka's own; they are made anew under theirs. */
const formerCache = /^\d{20}\.(?:index|timeindex|snapshot)$/

export function isFormerCache(name: string): boolean {
  return formerCache.test(name)
}

/** A segment that is read in the time that it takes to read the files beside it. */
const briefBytesMax = 16 * 1024

/** What is known of a segment's batches without reading them. */
export interface SegmentState {
  readonly sizeBytes: number
  readonly endOffset: number
  readonly newest: NewestTime
}

/** What tells how old a segment is that grows, for `segment.ms`. */
export interface SegmentAge {
  /** The greatest timestamp of its first batch, -1 where that has none; null where it is empty, or nobody looked. */
  readonly firstTimestampMs: number | null
  /** Since when this process has it, by the wall clock. */
  readonly createdMs: number
}

/** Where a segment is. */
export interface SegmentPlace {
  readonly disk: Disk
  /** The log's directory. */
  readonly logPath: string
  readonly baseOffset: number
}

/** Up to where index files and growth file speak of a segment (FORMAT.md); the next growth record begins there. */
export interface GrowthMark {
  readonly offset: number
  readonly position: number
  readonly offsetCount: number
  readonly timeCount: number
  /** Bytes of the growth file that say it. */
  readonly fileBytes: number
}

/**
 * The front door of the room: one file of batches, `[baseOffset, endOffset)`, the last of its log being the one that
 * grows. The file is the truth; what lies beside it (indexes, growth file) are caches that say what they speak of and
 * are known by their CRC, so that they can be missing, torn or of another state. The room knows the formats and how to
 * find things in them; when something is written, cut or removed, others decide.
 */
export class Segment {
  readonly baseOffset: number
  readonly #place: SegmentPlace
  #file: DiskFile | null
  #sizeBytes: number
  #endOffset: number
  #newest: NewestTime
  #index: SegmentIndex | null
  #grown: GrowthMark
  #age: SegmentAge = { firstTimestampMs: null, createdMs: 0 }
  #syncedBytes = 0
  #hotFrom: number
  #usedMs = 0
  #isReserved = false
  #isRemoved = false
  #isClosed = false

  /** Without a file it is opened when it is needed; without a state it is empty. */
  constructor(place: SegmentPlace, file: DiskFile | null, state: SegmentState | null) {
    const { baseOffset } = place
    this.#place = place
    this.baseOffset = baseOffset
    this.#file = file
    this.#sizeBytes = state?.sizeBytes ?? 0
    this.#endOffset = state?.endOffset ?? baseOffset
    this.#hotFrom = this.#sizeBytes
    this.#newest = state?.newest ?? { timestampMs: -1, batchOffset: -1 }
    this.#index = state === null ? new SegmentIndex(baseOffset) : null
    this.#grown = { offset: baseOffset, position: 0, offsetCount: 0, timeCount: 0, fileBytes: 0 }
  }

  /** @throws DiskError */
  static create(disk: Disk, logPath: string, baseOffset: number, createdMs: number): Segment {
    const file = disk.open(segmentPath(logPath, baseOffset, 'log'), 'create')
    const segment = new Segment({ disk, logPath, baseOffset }, file, null)
    segment.dated({ firstTimestampMs: null, createdMs })
    return segment
  }

  /** The open file. @throws DiskError where it cannot be opened any more */
  get file(): DiskFile {
    if (this.#isClosed || (this.#file === null && this.#isRemoved)) {
      throw new DiskError('open', this.pathOf('log'), 'EBADF')
    }
    this.#file ??= this.#place.disk.open(this.pathOf('log'), 'write')
    return this.#file
  }

  /**
   * Bytes of whole batches whose write returned. The active segment's file is never longer, except during a thread's write and after
   * a failed one; one before it may have a dead end (FORMAT.md).
   */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get isEmpty(): boolean {
    return this.#sizeBytes === 0
  }

  /** The offset after its last record. */
  get endOffset(): number {
    return this.#endOffset
  }

  get age(): SegmentAge {
    return this.#age
  }

  /** Null while it is not in memory: then `newest` stands, and whoever needs it loads it. */
  get index(): SegmentIndex | null {
    return this.#index
  }

  /** The greatest batch timestamp and its batch. */
  get newest(): NewestTime {
    return this.#index?.newest ?? this.#newest
  }

  get grown(): GrowthMark {
    return this.#grown
  }

  /** Bytes at its end that are not known to be on the device. */
  get unsyncedBytes(): number {
    return this.#sizeBytes - this.#syncedBytes
  }

  /** `[hotFrom, sizeBytes)` was appended lately by this process. Used where residency cannot be asked. */
  get hotFrom(): number {
    return this.#hotFrom
  }

  /** When a read last needed the file or the index; by the monotonic clock. */
  get usedMs(): number {
    return this.#usedMs
  }

  /** No longer part of the log; its file goes later. */
  get isRemoved(): boolean {
    return this.#isRemoved
  }

  nameOf(suffix: SegmentSuffix): string {
    return segmentName(this.baseOffset, suffix)
  }

  pathOf(suffix: SegmentSuffix): string {
    return segmentPath(this.#place.logPath, this.baseOffset, suffix)
  }

  /** A batch lies written at the end of the file. */
  noteAppended(header: BatchHeader, indexIntervalBytes: number): void {
    assert(header.baseOffset >= this.#endOffset, 'batches of a segment do not overlap')
    assert(this.#index !== null, 'a growing segment has its index in memory')
    this.#index.note(header, this.#sizeBytes, indexIntervalBytes)
    if (this.#sizeBytes === 0) this.#age = { ...this.#age, firstTimestampMs: header.maxTimestamp }
    this.#sizeBytes += header.sizeBytes
    this.#endOffset = lastOffset(header) + 1
  }

  /** Takes the place of a whole segment on the device, so that growing needs none. @throws DiskError */
  reserve(length: number): void {
    this.#isReserved = this.file.reserve(length)
  }

  /** Gives back the place that it did not need; it grows no more. @throws DiskError */
  giveBackRest(): void {
    if (!this.#isReserved || this.#isRemoved) return
    this.#isReserved = false
    this.file.truncate(this.#sizeBytes)
  }

  /** Recovery knows the segment up to `mark` by its caches, and that this much is on the device. */
  resume(index: SegmentIndex, mark: GrowthMark): void {
    this.#index = index
    this.#grown = mark
    this.#sizeBytes = mark.position
    this.#endOffset = mark.offset
    this.#syncedBytes = mark.position
  }

  /** Whoever makes or opens a segment says how old it is. */
  dated(age: SegmentAge): void {
    this.#age = age
  }

  /** Its index is in memory again. */
  loaded(index: SegmentIndex): void {
    this.#index = index
  }

  /** Index files and growth file speak of it up to `mark` now. */
  noteGrown(mark: GrowthMark): void {
    this.#grown = mark
  }

  /** An fsync, or what is as good, reached the first `sizeBytes` of the file. */
  synced(sizeBytes: number): void {
    this.#syncedBytes = Math.max(this.#syncedBytes, sizeBytes)
  }

  /** What lies before `position` counts as hot no longer. */
  coolTo(position: number): void {
    this.#hotFrom = position
  }

  /** A read needs it at `nowMs` (monotonic). */
  used(nowMs: number): void {
    this.#usedMs = nowMs
  }

  /** Gives back the memory and the descriptor of a segment that does not grow, until somebody reads it. */
  rest(): void {
    this.#newest = this.newest
    this.#index = null
    if (this.unsyncedBytes > 0) return
    this.#file?.close()
    this.#file = null
  }

  /** It leaves the log; whoever reads it goes on. */
  remove(): void {
    this.#isRemoved = true
  }

  /** For good. What is still in a send queue stays readable. */
  close(): void {
    this.#isClosed = true
    this.#file?.close()
    this.#file = null
  }

  /** Closes it, and takes the file and what lies beside it out of the directory. */
  unlink(): void {
    this.close()
    const { disk } = this.#place
    for (const suffix of segmentSuffixes) {
      const path = this.pathOf(suffix)
      if (disk.stat(path) !== null) disk.unlink(path)
    }
  }
}

/** A log's segments in the order of their offsets; never empty. The last one is the active one. */
export class SegmentList {
  #segments: Segment[]

  constructor(segments: readonly Segment[]) {
    assert(segments.length > 0, 'a log has a segment')
    this.#segments = [...segments]
  }

  get count(): number {
    return this.#segments.length
  }

  get first(): Segment {
    return this.#segments[0]!
  }

  get active(): Segment {
    return this.#segments[this.#segments.length - 1]!
  }

  /** The offset after the last record that was written: the end of the log. */
  get endOffset(): number {
    return this.active.endOffset
  }

  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
  }

  [Symbol.iterator](): IterableIterator<Segment> {
    return this.#segments.values()
  }

  /** So little that a start reads all of it: what would be left beside it would not make that quicker. */
  get isBrief(): boolean {
    const { sizeBytes, index } = this.active
    return this.count === 1 && sizeBytes <= briefBytesMax && index?.offsets.count === 0
  }

  push(segment: Segment): void {
    assert(segment.baseOffset >= this.active.endOffset, 'segments do not overlap')
    this.#segments.push(segment)
  }

  /** The segment that holds `offset`, or the one before it; the first for anything below. */
  floor(offset: number): Segment {
    let low = 1
    let high = this.#segments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#segments[middle]!.baseOffset <= offset) low = middle + 1
      else high = middle
    }
    return this.#segments[low - 1]!
  }

  /** The segment behind `segment`, or null. */
  after(segment: Segment): Segment | null {
    return this.#segments[this.#segments.indexOf(segment) + 1] ?? null
  }

  /** The segment before `segment`, or null. */
  before(segment: Segment): Segment | null {
    return this.#segments[this.#segments.indexOf(segment) - 1] ?? null
  }

  /** Puts `segment` in the place of neighbours, the first of which begins where it does; never the active one. */
  replace(neighbours: readonly Segment[], segment: Segment): void {
    const at = this.#segments.indexOf(neighbours[0]!)
    assert(at >= 0 && at + neighbours.length < this.#segments.length, 'the active segment stays')
    assert(
      neighbours.every((each, place) => this.#segments[at + place] === each),
      'neighbours are neighbours',
    )
    assert(segment.baseOffset === neighbours[0]!.baseOffset, 'a segment keeps its beginning')
    this.#segments.splice(at, neighbours.length, segment)
  }

  /** Puts `others`, of which there is one, in the place of `first` and all behind it; tells which those were. */
  replaceFrom(first: Segment, others: readonly Segment[]): Segment[] {
    const at = this.#segments.indexOf(first)
    assert(at >= 0 && others.length > 0, 'a segment that is replaced is there')
    return this.#segments.splice(at, Infinity, ...others)
  }

  /** Takes the first `count` segments out, never the active one. */
  shift(count: number): Segment[] {
    assert(count < this.#segments.length, 'the active segment stays')
    return this.#segments.splice(0, count)
  }
}
