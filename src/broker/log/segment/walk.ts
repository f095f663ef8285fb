import { lookUpBytesMax } from '../../../env/disk.ts'
import { DiskError, type DiskFile } from '../../../env/env.ts'
import type { Crc32c } from '../../../lib/crc32c.ts'
import {
  batchMagic,
  batchOverheadBytes,
  checkCrc,
  lastOffset,
  readBatchHeader,
  type BatchHeader,
} from '../batch/batch.ts'

export interface WalkOptions {
  /** Bytes of the file to walk. */
  readonly sizeBytes: number
  /** The first batch must begin here; where offsets may be missing, here or later. */
  readonly fromOffset: number
  /** No batch may have an earlier leader epoch. */
  readonly fromEpoch: number
  /** Below it offsets may be missing, since they were compacted away. */
  readonly sparseTo: number
  /** The walk ends at the first batch that begins here or behind: the next segment has these offsets. Left out: nowhere. */
  readonly upToOffset?: number
  /** Null: the CRC is not looked at, because these bytes are known to be good. */
  readonly crc32c: Crc32c | null
  /** Where in the file to begin; 0 where left out. */
  readonly fromPosition?: number
  /** Nobody is served yet: the little that a brief log holds is not worth a thread, where the page cache has it. */
  readonly isStarting?: boolean
}

export interface WalkEnd {
  /** Behind the last valid batch: byte, offset and its leader epoch. */
  readonly position: number
  readonly offset: number
  readonly epoch: number
  /** Which rule of FORMAT.md the next bytes break; null where the walk came to its end. */
  readonly violation: string | null
}

/** A segment holds something else than its batches: not the device's word, but as final for the partition. */
export class SegmentDamage extends DiskError {
  constructor(path: string, position: number, reason: string) {
    super('read', path, 'EBADMSG')
    this.message = `${path} is damaged at byte ${position}: ${reason}`
  }
}

const nothing = new Uint8Array(0)

/** Much for the device in one go, little for the event loop to check. */
const chunkBytes = 1024 * 1024

/**
 * Reads batches one after the other, off the event loop, and gives each valid one to `visit`, until the end of
 * the file or the first broken rule. `bytes` of a visit holds the whole batch at `at`, until `visit` returns.
 * @throws DiskError
 */
export async function walkBatches(
  file: DiskFile,
  options: WalkOptions,
  visit: (header: BatchHeader, position: number, bytes: Uint8Array, at: number) => void,
): Promise<WalkEnd> {
  const { sizeBytes, upToOffset = Infinity } = options
  let position = options.fromPosition ?? 0
  let offset = options.fromOffset
  let epoch = options.fromEpoch
  let chunk = nothing
  let chunkStart = position
  let wantedBytes = batchOverheadBytes
  while (position < sizeBytes) {
    const held = chunkStart + chunk.length - position
    if (held < wantedBytes) {
      const left = sizeBytes - position
      if (left < wantedBytes)
        return { position, offset, epoch, violation: 'the file ends inside a batch' }
      const target = new Uint8Array(Math.min(left, Math.max(chunkBytes, wantedBytes)))
      const isLittle = options.isStarting === true && target.length <= lookUpBytesMax
      const now = isLittle ? file.readNow(position, target) : null
      const count = now ?? (await file.readAsync(position, target))
      if (count < wantedBytes)
        return { position, offset, epoch, violation: 'the file ends inside a batch' }
      chunk = target.subarray(0, count)
      chunkStart = position
      continue
    }
    const at = position - chunkStart
    const header = readBatchHeader(chunk, at)
    const violation = brokenRule(
      header,
      { ...options, fromOffset: offset, fromEpoch: epoch },
      position,
    )
    if (violation !== null) return { position, offset, epoch, violation }
    if (header.baseOffset >= upToOffset) break
    if (held < header.sizeBytes) {
      wantedBytes = header.sizeBytes
      continue
    }
    wantedBytes = batchOverheadBytes
    if (options.crc32c !== null && !checkCrc(chunk, at, header, options.crc32c)) {
      return { position, offset, epoch, violation: 'the CRC is wrong' }
    }
    visit(header, position, chunk, at)
    position += header.sizeBytes
    offset = lastOffset(header) + 1
    epoch = Math.max(epoch, header.leaderEpoch)
  }
  return { position, offset, epoch, violation: null }
}

/** FORMAT.md "Segment": everything but the CRC. */
function brokenRule(header: BatchHeader, options: WalkOptions, position: number): string | null {
  const { sizeBytes, magic, baseOffset, lastOffsetDelta, leaderEpoch } = header
  if (magic !== batchMagic) return `magic is ${magic}, not ${batchMagic}`
  if (sizeBytes < batchOverheadBytes) return `a batch of ${sizeBytes} bytes is none`
  if (position + sizeBytes > options.sizeBytes) return 'the file ends inside a batch'
  if (lastOffsetDelta < 0) return `the last offset delta is ${lastOffsetDelta}`
  if (!Number.isSafeInteger(baseOffset + lastOffsetDelta)) return 'the offset is not a safe integer'
  const isNext = baseOffset === options.fromOffset
  if (!isNext && !(baseOffset > options.fromOffset && baseOffset <= options.sparseTo)) {
    return `the base offset is ${baseOffset} where ${options.fromOffset} goes on`
  }
  if (leaderEpoch < options.fromEpoch) {
    return `leader epoch ${leaderEpoch} follows ${options.fromEpoch}`
  }
  return null
}
