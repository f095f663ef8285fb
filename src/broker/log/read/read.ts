import { DiskError, type DiskFile } from '../../../env/env.ts'
import { unreachable } from '../../../lib/assert.ts'
import { errors, type ErrorName } from '../../wire/errors.ts'
import {
  findRange,
  headerReadBytes,
  type Lookup,
  type Range,
  type RangeWish,
  type ReadWish,
} from '../segment/lookup.ts'
import type { SegmentIndex } from '../segment/segment-index.ts'
import type { Segment } from '../segment/segment.ts'
import { SegmentDamage } from '../segment/walk.ts'
import { isPassing } from '../shortage.ts'
import type { LogState } from '../state/log-state.ts'
import { loadIndex, rebuildIndex } from './index-loading.ts'

export interface ReadOptions {
  readonly maxBytes: number
  /** Nothing at or above: the high watermark, or the LSO. */
  readonly upToOffset: number
  readonly minOneBatch: boolean
  /**
   * The reader is behind what the page cache holds. What cachestat tells of its next ranges cannot be trusted: pages
   * that read-ahead has only asked for count as resident (durability.md Q3).
   */
  readonly isLagging?: boolean
}

export type ReadResult =
  | {
      readonly kind: 'range'
      readonly file: DiskFile
      readonly position: number
      readonly length: number
      /** The device may have to deliver it: a thread of its own sends it. */
      readonly cold: boolean
      /** Reaches all that was readable when it was asked for. */
      readonly isCaughtUp: boolean
      /** From here on the file was appended lately by this process. */
      readonly hotFrom: number
    }
  | { readonly kind: 'empty' }
  | { readonly kind: 'out-of-range' }
  | { readonly kind: 'failed'; readonly error: ErrorName; readonly message: string }

/**
 * The front door of the room: a byte range of whole batches from the one that contains `fromOffset` on (G28, G29,
 * G34), to be sent from the file.
 *
 * Answers at once where the page cache has both the range and what finds it; else by a promise, and without blocking
 * the event loop. An index is believed only as far as the batch headers that it leads to agree; where they do not
 * it is made anew, and only then the segment is blamed. Damage, and EIO on read, take this log out of service, alone.
 * Nothing is changed but caches in memory and index files in doubt.
 */
export function readLog(
  state: LogState,
  fromOffset: number,
  options: ReadOptions,
): ReadResult | Promise<ReadResult> {
  const refused = state.availability.refusal
  if (refused !== null) return { kind: 'failed', ...refused }
  if (fromOffset < state.startOffset || fromOffset > state.endOffset)
    return { kind: 'out-of-range' }
  const upToOffset = Math.min(options.upToOffset, state.endOffset)
  if (fromOffset >= upToOffset) return { kind: 'empty' }

  const wish: RangeWish = { ...options, fromOffset, upToOffset }
  const segment = segmentOf(state, fromOffset)
  segment.used(state.host.env.clock.monotonic())
  try {
    const { index } = segment
    if (index === null) return readCold(state, segment, wish)
    const isTrusted = options.isLagging !== true && isLookupHot(segment, index, wish)
    const run = isTrusted ? runHot : runWary
    const range = run(segment.file, findRange(segment, index, wish))
    if (range instanceof Promise) return readCold(state, segment, wish, range)
    if (range.kind === 'mismatch') return readCold(state, segment, wish)
    if (range.kind === 'empty') return range
    const cold = !isTrusted || !isHot(segment, range.position, range.length)
    const isCaughtUp = range.endOffset >= upToOffset
    return { ...range, file: segment.file, cold, isCaughtUp, hotFrom: segment.hotFrom }
  } catch (error) {
    return readFailed(state, error)
  }
}

/** The one with the first batch that ends behind `offset`. There may be no offset of a segment left, or of its end. */
function segmentOf({ segments }: LogState, offset: number): Segment {
  let segment = segments.floor(offset)
  while (segment.isEmpty || offset >= segment.endOffset) {
    const next = segments.after(segment)
    if (next === null) break
    segment = next
  }
  return segment
}

/** The look-up, or what is left of it, leaves the event loop; what it finds is sent by the cold lane. */
async function readCold(
  state: LogState,
  segment: Segment,
  wish: RangeWish,
  underWay: Promise<Range> = findCold(state, segment, wish),
): Promise<ReadResult> {
  try {
    let range = await underWay
    if (range.kind === 'mismatch') range = await secondOpinion(state, segment, wish, range)
    switch (range.kind) {
      case 'range':
        return {
          ...range,
          file: segment.file,
          cold: true,
          isCaughtUp: range.endOffset >= wish.upToOffset,
          hotFrom: segment.hotFrom,
        }
      case 'empty':
        return range
      case 'mismatch':
        return { kind: 'failed', ...state.availability.takeOffline(damage(segment, range)) }
      default:
        return unreachable(range)
    }
  } catch (error) {
    // Retention may have taken the segment while its bytes were waited for.
    if (wish.fromOffset < state.startOffset) return { kind: 'out-of-range' }
    // So may the cleaner, which puts another one in its place.
    if (segment.isRemoved && isOfClosedFile(error)) return readLog(state, wish.fromOffset, wish)
    return readFailed(state, error)
  }
}

async function findCold(state: LogState, segment: Segment, wish: RangeWish): Promise<Range> {
  const index = await loadIndex(state, segment)
  return runWary(segment.file, findRange(segment, index, wish))
}

/** A header was not what the index promised: the index is made anew, and only then is the segment blamed. */
async function secondOpinion(
  state: LogState,
  segment: Segment,
  wish: RangeWish,
  { position, reason }: Extract<Range, { kind: 'mismatch' }>,
): Promise<Range> {
  state.host.warn('Rebuilt an index that did not fit its segment', {
    log: state.name,
    segment: segment.baseOffset,
    position,
    reason,
  })
  const index = await rebuildIndex(state, segment)
  return runCold(segment.file, findRange(segment, index, wish))
}

/**
 * EIO on read takes this partition only (durability.md 3.4), and for good; so does damage. Where a descriptor was
 * missing, or the file was just closed, the next read may succeed.
 */
export function readFailed(
  state: LogState,
  error: unknown,
): { readonly kind: 'failed'; readonly error: ErrorName; readonly message: string } {
  if (!(error instanceof DiskError)) throw error
  if (state.availability.isClosed || isPassing(error) || error.code === 'EBADF') {
    return { kind: 'failed', error: errors.KAFKA_STORAGE_ERROR.name, message: error.message }
  }
  const what = error instanceof SegmentDamage ? '' : 'A read failed: '
  return { kind: 'failed', ...state.availability.takeOffline(`${what}${error.message}.`) }
}

/** Its last holder let it go: where a segment was replaced or removed, another look finds what is there now. */
export function isOfClosedFile(error: unknown): boolean {
  return error instanceof DiskError && error.code === 'EBADF'
}

export function damage(
  segment: Segment,
  { position, reason }: Extract<Range, { kind: 'mismatch' }>,
): string {
  return `${segment.pathOf('log')} is damaged at byte ${position}: ${reason}.`
}

/** Where both ends of the wished range are looked up: from the index entry before the first batch to the one behind the last. */
function isLookupHot(
  segment: Segment,
  index: SegmentIndex,
  { fromOffset, maxBytes }: RangeWish,
): boolean {
  const { position } = index.floor(fromOffset)
  const last = index.floorPosition(position + maxBytes).position
  const end = Math.min(
    index.positionAfter(last, segment.sizeBytes) + headerReadBytes,
    segment.sizeBytes,
  )
  return isHot(segment, position, end - position)
}

/** What sends less than this from the hot window does without mincore(2). */
const mincoreBytesMin = 256 * 1024

/** In the page cache, as far as anybody knows (durability.md Q3, Q4). */
function isHot(segment: Segment, position: number, length: number): boolean {
  const { file, hotFrom } = segment
  // To ask mincore takes as long as all else that a small fetch does, and what was appended lately is likely there.
  const isDear = file.pageCacheSource === 'mincore' && length < mincoreBytesMin
  if (isDear && position >= hotFrom) return true
  return file.isResident(position, length) ?? position >= hotFrom
}

const scratch = new Uint8Array(headerReadBytes)

/** Feeds a look-up with synchronous reads. A look-up is done with its last bytes when it asks for more. */
function runHot<T>(file: DiskFile, lookup: Lookup<T>): T {
  let step = lookup.next()
  while (!step.done) {
    const { position, length } = step.value
    const target = scratch.subarray(0, length)
    step = lookup.next(target.subarray(0, file.read(position, target)))
  }
  return step.value
}

/** At once as far as the page cache goes, and from there on off the event loop. */
function runWary<T>(file: DiskFile, lookup: Lookup<T>): T | Promise<T> {
  let step = lookup.next()
  while (!step.done) {
    const { position, length } = step.value
    const target = scratch.subarray(0, length)
    const read = file.readNow(position, target)
    if (read === null) return runCold(file, lookup, step)
    step = lookup.next(target.subarray(0, read))
  }
  return step.value
}

/** Off the event loop, from `step` on. */
export async function runCold<T>(
  file: DiskFile,
  lookup: Lookup<T>,
  step: IteratorResult<ReadWish, T> = lookup.next(),
): Promise<T> {
  while (!step.done) {
    const { position, length } = step.value
    const target = new Uint8Array(length)
    const read = await file.readAsync(position, target)
    step = lookup.next(target.subarray(0, read))
  }
  return step.value
}
