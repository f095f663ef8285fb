import { present } from '../../../lib/assert.ts'
import { crc32c, type Crc32c } from '../../../lib/crc32c.ts'
import {
  batchOverheadBytes,
  codecOf,
  hasDeleteHorizon,
  lastOffset,
  readBatchHeader,
  type BatchHeader,
} from '../batch/batch.ts'
import { RecordCursor, RecordError } from '../batch/records.ts'
import type { CodecId } from '../compression/codec-id.ts'
import { doCodecWork } from '../compression/codec-work.ts'
import { DecompressError, outputBytesMaxFor } from '../compression/codecs.ts'
import { encodeIndex } from '../segment/index-file.ts'
import { SegmentIndex, type NewestTime } from '../segment/segment-index.ts'
import { batchAt, type Chunk } from './chunk.ts'
import {
  dropsTombstones,
  isUntouched,
  staysEmpty,
  staysRecord,
  type KeepRules,
} from './keep-rules.ts'
import { KeyMap, type KeyMapOptions } from './key-map.ts'
import { emptied, repack, type KeptRecords, type OpenBatch } from './repack.ts'

/** Why a segment cannot be cleaned. */
export interface Damage {
  readonly position: number
  readonly reason: string
}

/** How much of a chunk was used. Whole batches are; what is left over is given again. */
interface Used {
  readonly usedBytes: number
  /** Bytes that the next chunk must have at least, since a batch has as many. */
  readonly wantedBytes: number
  readonly damage: Damage | null
}

export interface Mapped extends Used {
  /** Behind the last batch whose keys are all in the map. */
  readonly mappedTo: number
  /** No further key fits. */
  readonly isFull: boolean
  readonly utilization: number
}

export interface Filtered extends Used {
  /** What stays, to be written one part after the other. Some are views of the chunk. */
  readonly parts: readonly Uint8Array[]
  readonly keptRecords: number
  readonly readRecords: number
  /** Bytes of batches that were made anew. */
  readonly copiedBytes: number
}

/** What lies beside the new segment. */
export interface NewCaches {
  readonly endOffset: number
  readonly newest: NewestTime
  readonly offsets: Uint8Array
  readonly times: Uint8Array
}

/** A segment that is made of others. */
export interface NewSegment {
  readonly baseOffset: number
  readonly indexIntervalBytes: number
}

/**
 * What of a cleaning costs processor time, a chunk of a segment at a time: keys are noted, then records are kept or not.
 * It reads and writes no file, and runs wherever it is put: in a thread, or in the loop of a simulation. Damage is an
 * answer, not an exception: whatever the bytes are, what is thrown is a bug.
 */
export class Compaction {
  readonly #crc32c: Crc32c = crc32c
  #keys: KeyMap | null = null
  #mappedTo = 0
  #rules: KeepRules | null = null
  #segment: NewSegment | null = null
  #index: SegmentIndex | null = null
  #sizeBytes = 0
  #endOffset = 0

  /** A cleaning begins: a new map. */
  begin({ keys, fromOffset }: { readonly keys: KeyMapOptions; readonly fromOffset: number }): void {
    this.#keys = null
    this.#keys = new KeyMap(keys)
    this.#mappedTo = fromOffset
  }

  /** The keys of what lies at or behind where the map ends. */
  map(chunk: Chunk): Mapped {
    let isFull = false
    const used = this.#walk(chunk, batch => {
      if (lastOffset(batch.header) < this.#mappedTo) return true
      isFull = !this.#mapBatch(batch)
      if (!isFull) this.#mappedTo = lastOffset(batch.header) + 1
      return !isFull
    })
    const { utilization } = present(this.#keys, 'a cleaning began')
    return { ...used, mappedTo: this.#mappedTo, isFull, utilization }
  }

  /** The map is whole; from now on records are kept by it. */
  keep(rules: KeepRules): void {
    this.#rules = rules
  }

  beginSegment(segment: NewSegment): void {
    this.#segment = segment
    this.#index = new SegmentIndex(segment.baseOffset)
    this.#sizeBytes = 0
    this.#endOffset = segment.baseOffset
  }

  filter(chunk: Chunk): Filtered {
    const output = new Output()
    let keptRecords = 0
    let readRecords = 0
    let copiedBytes = 0
    const used = this.#walk(chunk, batch => {
      readRecords += batch.header.count
      const kept = this.#filterBatch(batch)
      if (kept === null) return true
      const { header } = kept
      keptRecords += header.count
      present(this.#index, 'a segment began').note(
        header,
        this.#sizeBytes,
        present(this.#segment, 'a segment began').indexIntervalBytes,
      )
      this.#sizeBytes += header.sizeBytes
      this.#endOffset = lastOffset(header) + 1
      if (kept.bytes !== chunk.bytes) copiedBytes += header.sizeBytes
      output.add(kept.bytes, kept.at, header.sizeBytes)
      return true
    })
    return { ...used, parts: output.parts, keptRecords, readRecords, copiedBytes }
  }

  endSegment(): NewCaches {
    const index = present(this.#index, 'a segment began')
    const { baseOffset } = present(this.#segment, 'a segment began')
    const of = { baseOffset, endOffset: this.#endOffset, logBytes: this.#sizeBytes }
    this.#index = null
    return {
      endOffset: this.#endOffset,
      newest: index.newest,
      offsets: encodeIndex('offsets', index, of, this.#crc32c),
      times: encodeIndex('times', index, of, this.#crc32c),
    }
  }

  /** Gives `visit` the sound batches of a chunk, as long as it wants them. */
  #walk(chunk: Chunk, visit: (batch: FoundBatch) => boolean): Used {
    let usedBytes = 0
    let fromOffset = chunk.fromOffset
    for (;;) {
      const found = batchAt(chunk, usedBytes, fromOffset, this.#crc32c)
      if (found.kind === 'end') return { usedBytes, wantedBytes: found.wantedBytes, damage: null }
      const position = chunk.position + usedBytes
      if (found.kind === 'damage')
        return { usedBytes, wantedBytes: 0, damage: { position, reason: found.reason } }
      const { header } = found
      try {
        const goesOn = visit({ header, bytes: chunk.bytes, at: usedBytes })
        if (!goesOn) return { usedBytes, wantedBytes: 0, damage: null }
      } catch (error) {
        if (!(error instanceof DecompressError) && !(error instanceof RecordError)) throw error
        return { usedBytes, wantedBytes: 0, damage: { position, reason: error.message } }
      }
      usedBytes += header.sizeBytes
      fromOffset = lastOffset(header) + 1
    }
  }

  /** False where a key did not fit: what was noted of the batch says no more than that its records are there. */
  #mapBatch(batch: FoundBatch): boolean {
    const { header } = batch
    if (isUntouched(header, Infinity)) return true
    const keys = present(this.#keys, 'a cleaning began')
    const { payload } = open(batch)
    const cursor = new RecordCursor(payload, header.count)
    while (cursor.next()) {
      const offset = header.baseOffset + cursor.offsetDelta
      if (cursor.keyBytes < 0) continue
      const { keyAt, keyBytes } = cursor
      if (!keys.put(payload, keyAt, keyAt + keyBytes, offset)) return false
    }
    return true
  }

  /** As it stays, or null. */
  #filterBatch(batch: FoundBatch): FoundBatch | null {
    const rules = present(this.#rules, 'the map is whole')
    if (isUntouched(batch.header, rules.mappedTo)) return batch
    const opened = open(batch)
    const { kept, hasTombstone } = this.#keptOf(opened, rules)
    const isNewHorizon = rules.isTimeKnown && hasTombstone && !hasDeleteHorizon(batch.header)
    if (kept.count === 0) {
      if (!staysEmpty(batch.header, rules)) return null
      return batch.header.count === 0 ? batch : whole(emptied(opened, this.#crc32c))
    }
    if (kept.count === batch.header.count && !isNewHorizon) return batch
    const horizonMs = isNewHorizon ? rules.nowMs + rules.deleteRetentionMs : null
    return whole(repack(opened, kept, { horizonMs, crc32c: this.#crc32c }))
  }

  #keptOf(
    { header, payload }: OpenBatch,
    rules: KeepRules,
  ): { readonly kept: KeptRecords; readonly hasTombstone: boolean } {
    const keys = present(this.#keys, 'a cleaning began')
    const drops = dropsTombstones(header, rules)
    const ranges: [number, number][] = []
    const cursor = new RecordCursor(payload, header.count)
    let count = 0
    let hasTombstone = false
    let maxTimestampDelta = cursor.exactTimestampDelta
    while (cursor.next()) {
      const { startAt, endAt, keyAt, keyBytes } = cursor
      // Without a key it can never be the last one of its key: an ordinary topic became a compacted one.
      if (keyBytes < 0) continue
      const isTombstone = cursor.valueBytes < 0
      const latest = keys.get(payload, keyAt, keyAt + keyBytes)
      const offset = header.baseOffset + cursor.offsetDelta
      if (!staysRecord(offset, latest, { isTombstone, dropsTombstones: drops })) continue
      const delta = cursor.exactTimestampDelta
      if (count === 0 || delta > maxTimestampDelta) maxTimestampDelta = delta
      count++
      hasTombstone ||= isTombstone
      const last = ranges.at(-1)
      if (last?.[1] === startAt) last[1] = endAt
      else ranges.push([startAt, endAt])
    }
    return { kept: { count, ranges, maxTimestampDelta }, hasTombstone }
  }
}

type FoundBatch = Omit<OpenBatch, 'payload'>

function open(batch: FoundBatch): OpenBatch {
  const { header, bytes, at } = batch
  const packed = bytes.subarray(at + batchOverheadBytes, at + header.sizeBytes)
  const codec = codecOf(header) as CodecId
  if (codec === 0 || header.count === 0) return { ...batch, payload: packed }
  if (codec > 4) throw new DecompressError(`codec ${codec} is none`)
  const outputBytesMax = outputBytesMaxFor(Infinity)
  const payload = doCodecWork({ kind: 'open', codec, bytes: packed, outputBytesMax })
  return { ...batch, payload }
}

function whole(bytes: Uint8Array): FoundBatch {
  const header: BatchHeader = readBatchHeader(bytes, 0)
  return { header, bytes, at: 0 }
}

/** Parts in order; what lies side by side in one buffer is one. */
class Output {
  readonly parts: Uint8Array[] = []

  add(bytes: Uint8Array, at: number, length: number): void {
    const last = this.parts.at(-1)
    const start = bytes.byteOffset + at
    const isNext = last?.buffer === bytes.buffer && last.byteOffset + last.length === start
    if (!isNext) this.parts.push(bytes.subarray(at, at + length))
    else
      this.parts[this.parts.length - 1] = new Uint8Array(
        last.buffer,
        last.byteOffset,
        last.length + length,
      )
  }
}
