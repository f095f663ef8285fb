import type { Crc32c } from '../../../lib/crc32c.ts'
import {
  batchMagic,
  batchOverheadBytes,
  checkCrc,
  readBatchHeader,
  type BatchHeader,
} from '../batch/batch.ts'

/** A piece of a segment that begins with a batch. */
export interface Chunk {
  readonly bytes: Uint8Array
  /** Where it lies in the segment, and how much there is from there on. */
  readonly position: number
  readonly leftBytes: number
  /** Its first batch begins here or later. */
  readonly fromOffset: number
}

type Found =
  | { readonly kind: 'batch'; readonly header: BatchHeader }
  /** No whole batch any more; the next one has so many bytes, as far as that is known. */
  | { readonly kind: 'end'; readonly wantedBytes: number }
  | { readonly kind: 'damage'; readonly reason: string }

/** The batch at `at` of a chunk, believed only where FORMAT.md's rules hold for it. */
export function batchAt(
  { bytes, leftBytes }: Chunk,
  at: number,
  fromOffset: number,
  crc32c: Crc32c,
): Found {
  if (at === leftBytes) return { kind: 'end', wantedBytes: 0 }
  if (leftBytes - at < batchOverheadBytes) return damage('the segment ends inside a header')
  if (bytes.length - at < batchOverheadBytes)
    return { kind: 'end', wantedBytes: batchOverheadBytes }
  const header = readBatchHeader(bytes, at)
  const { sizeBytes, magic, baseOffset, lastOffsetDelta } = header
  if (magic !== batchMagic) return damage(`magic is ${magic}, not ${batchMagic}`)
  if (sizeBytes < batchOverheadBytes) return damage(`a batch of ${sizeBytes} bytes is none`)
  if (sizeBytes > leftBytes - at) return damage('the segment ends inside a batch')
  if (lastOffsetDelta < 0) return damage(`the last offset delta is ${lastOffsetDelta}`)
  if (baseOffset < fromOffset)
    return damage(`the base offset is ${baseOffset} where ${fromOffset} goes on`)
  if (sizeBytes > bytes.length - at) return { kind: 'end', wantedBytes: sizeBytes }
  if (!checkCrc(bytes, at, header, crc32c)) return damage('the CRC is wrong')
  return { kind: 'batch', header }
}

function damage(reason: string): Found {
  return { kind: 'damage', reason }
}
