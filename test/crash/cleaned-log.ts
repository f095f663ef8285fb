import {
  batchOverheadBytes,
  codecOf,
  readBatchHeader,
  type BatchInput,
} from '../../src/broker/log/batch/batch.ts'
import { readRecords, type RecordInput } from '../../src/broker/log/batch/records.ts'
import type { Log } from '../../src/broker/log/log.ts'
import { lastSequenceOf } from '../../src/broker/log/producers/state.ts'
import { sequenceAfter } from '../../src/broker/log/batch/batch.ts'
import { fromUtf8 } from '../../src/lib/bytes.ts'
import { gunzipSync } from 'node:zlib'
import { readAll } from '../helpers/logs.ts'

/** A record as it was appended. */
interface Written {
  readonly key: string
  readonly value: string | null
  /** Count of disk operations before it. */
  readonly offeredAt: number
}

interface WrittenBatch {
  readonly producerId: number
  readonly lastSequence: number
  readonly lastOffset: number
}

/** Everything that was ever appended to a compacted log, by offset: what a log that is never compacted would hold. */
export class KeyedHistory {
  readonly #records: Written[] = []
  readonly #batches: WrittenBatch[] = []

  get endOffset(): number {
    return this.#records.length
  }

  /** Notes a batch that begins where the last one ended. */
  note(records: readonly RecordInput[], input: Omit<BatchInput, 'records'>, offeredAt: number) {
    for (const { key, value } of records) {
      this.#records.push({ key: key as string, value: value as string | null, offeredAt })
    }
    const { producerId = -1, baseSequence = -1 } = input
    if (producerId < 0) return
    const lastSequence = sequenceAfter(baseSequence, records.length - 1)
    this.#batches.push({ producerId, lastSequence, lastOffset: this.#records.length - 1 })
  }

  /** What of a log, recovered after a crash before disk operation `at`, is not what compaction promises. */
  async problemsOf(log: Log, at: number): Promise<string[]> {
    const problems: string[] = []
    const present = new Map<string, number[]>()
    let last = -1
    for (const { offset, key, value } of await recordsIn(log)) {
      const written = this.#records[offset]
      const isIt = written?.key === key && written.value === value && written.offeredAt <= at
      if (!isIt)
        problems.push(`offset ${offset} has ${key}=${value}, which was never written there`)
      if (offset <= last) problems.push(`offset ${offset} follows ${last}`)
      last = offset
      present.set(key, [...(present.get(key) ?? []), offset])
    }
    for (const [key, offset] of this.#latestIn(log)) {
      const found = present.get(key) ?? []
      const isTombstone = this.#records[offset]!.value === null
      const isRight = found.includes(offset) || (isTombstone && found.length === 0)
      if (!isRight)
        problems.push(`the last of ${key} is at ${offset}, there are ${found.join(', ')}`)
    }
    return [...problems, ...this.#producerProblems(log)]
  }

  #latestIn({ startOffset, endOffset }: Log): Map<string, number> {
    const latest = new Map<string, number>()
    for (let offset = startOffset; offset < endOffset; offset++) {
      latest.set(this.#records[offset]!.key, offset)
    }
    return latest
  }

  /** Each is known by its last sequence: what it sends next is taken, what it sends again is not. */
  #producerProblems({ producers, startOffset, endOffset }: Log): string[] {
    const latest = new Map<number, WrittenBatch>()
    for (const batch of this.#batches) {
      const isThere = batch.lastOffset < endOffset && batch.lastOffset >= startOffset
      if (isThere) latest.set(batch.producerId, batch)
    }
    return Array.from(latest).flatMap(([producerId, { lastSequence }]) => {
      const known = producers.stateOf(producerId)?.batches.at(-1)
      const found = known === undefined ? null : lastSequenceOf(known)
      return found === lastSequence
        ? []
        : [`producer ${producerId} is known with ${found}, its last sequence is ${lastSequence}`]
    })
  }
}

interface FoundRecord {
  readonly offset: number
  readonly key: string
  readonly value: string | null
}

/** All that a reader gets from a log's start on. */
async function recordsIn(log: Log): Promise<FoundRecord[]> {
  const bytes = await readAll(log)
  const found: FoundRecord[] = []
  for (let at = 0; at < bytes.length;) {
    const header = readBatchHeader(bytes, at)
    const packed = bytes.subarray(at + batchOverheadBytes, at + header.sizeBytes)
    const payload = codecOf(header) === 0 ? packed : new Uint8Array(gunzipSync(packed))
    for (const { offsetDelta, key, value } of readRecords(payload, header)) {
      const offset = header.baseOffset + offsetDelta
      if (offset < log.startOffset) continue
      found.push({ offset, key: fromUtf8(key!), value: value === null ? null : fromUtf8(value) })
    }
    at += header.sizeBytes
  }
  return found
}
