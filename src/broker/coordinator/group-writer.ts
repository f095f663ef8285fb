import type { Clock } from '../../env/env.ts'
import type { Crc32c } from '../../lib/crc32c.ts'
import type { WriteOutcome } from './groups/events.ts'
import type { GroupRecord } from './groups/records.ts'
import { encodeBatch } from '../log/batch/batch.ts'
import type { Partition } from '../partition/partition.ts'
import { outcomeOf } from './append-errors.ts'
import { encodeGroupRecord, type KeyAndValue } from './record-format.ts'

/** Records of one write, and whoever waits for it. */
interface Write {
  readonly records: readonly KeyAndValue[]
  readonly sizeBytes: number
  readonly isOffsets: boolean
  readonly done: (outcome: WriteOutcome) => void
}

export interface GroupWriterOptions {
  readonly clock: Clock
  readonly crc32c: Crc32c
  /** How long an append waits for the in-sync replicas. */
  readonly timeoutMs: number
  /** The partition that keeps a group; undefined where it is not here. */
  readonly partition: (index: number) => Partition | undefined
}

/** A batch is closed above this, so that a reader of the topic needs no more memory than for any other. */
const batchBytesMax = 512 * 1024
/** One write is one batch, and this is more than any group needs: 10,000 members with 3 KiB each. */
const writeBytesMax = 32 * 1024 * 1024

/**
 * Appends what groups want to store. What one turn of the event loop brings for a partition leaves as one batch:
 * hundreds of consumers that commit at the same time cost one append. `done` is called in the order of the writes.
 */
export class GroupWriter {
  readonly #options: GroupWriterOptions
  readonly #queued = new Map<number, Write[]>()

  constructor(options: GroupWriterOptions) {
    this.#options = options
  }

  write(
    partition: number,
    records: readonly GroupRecord[],
    done: (outcome: WriteOutcome) => void,
  ): void {
    const encoded = records.map(encodeGroupRecord)
    const sizeBytes = encoded.reduce(
      (sum, { key, value }) => sum + key.length + (value?.length ?? 0),
      0,
    )
    const isOffsets = records[0]?.type === 'offset'
    if (this.#queued.size === 0) this.#options.clock.soon(() => this.flush())
    const queue = this.#queued.get(partition) ?? []
    this.#queued.set(partition, queue)
    queue.push({ records: encoded, sizeBytes, isOffsets, done })
  }

  /** Appends what is queued, now. */
  flush(): void {
    const queued = [...this.#queued]
    this.#queued.clear()
    for (const [partition, writes] of queued) {
      for (const batch of batchesOf(writes)) this.#append(partition, batch)
    }
  }

  #append(index: number, writes: readonly Write[]): void {
    const { clock, crc32c, timeoutMs } = this.#options
    const partition = this.#options.partition(index)
    const finish = (result: Parameters<typeof outcomeOf>[0]): void => {
      for (const { isOffsets, done } of writes) done(outcomeOf(result, isOffsets))
    }
    if (partition === undefined) return finish(refusal('NOT_LEADER_OR_FOLLOWER'))
    if (writes[0]!.sizeBytes > writeBytesMax) return finish(refusal('MESSAGE_TOO_LARGE'))
    const records = writes.flatMap(write => write.records)
    const batch = encodeBatch({ records, baseTimestamp: clock.now(), crc32c })
    partition.append(batch, { acks: -1, timeoutMs, origin: 'coordinator' }, finish)
  }
}

/** In their order; a write is never split, and one that is too large is alone. */
function* batchesOf(writes: readonly Write[]): IterableIterator<readonly Write[]> {
  let batch: Write[] = []
  let sizeBytes = 0
  for (const write of writes) {
    if (batch.length > 0 && sizeBytes + write.sizeBytes > batchBytesMax) {
      yield batch
      batch = []
      sizeBytes = 0
    }
    batch.push(write)
    sizeBytes += write.sizeBytes
  }
  if (batch.length > 0) yield batch
}

function refusal(error: 'NOT_LEADER_OR_FOLLOWER' | 'MESSAGE_TOO_LARGE') {
  return { ok: false, error, message: '', recordErrors: [], logStartOffset: -1 } as const
}
