import type { Clock } from '../../env/env.ts'
import type { Crc32c } from '../../lib/crc32c.ts'
import type { GroupError, WriteOutcome } from './groups/events.ts'
import type { GroupRecord } from './groups/records.ts'
import { encodeBatch } from '../log/batch/batch.ts'
import type { Partition } from '../partition/partition.ts'
import { type Appended, outcomeOf } from './append-errors.ts'
import { encodeGroupRecord, type KeyAndValue } from './record-format.ts'
import { UncertainAppends } from './uncertain-appends.ts'

/** Which partition keeps a group, and the leader epoch in which this broker coordinates it. */
export interface Place {
  readonly index: number
  readonly leaderEpoch: number
}

/** Who hears of a write: maybe that it takes long, then, once, what became of it. */
export interface Writer {
  readonly done: (outcome: WriteOutcome) => void
  readonly delayed: (error: GroupError) => void
}

/** Records of one write, and whoever waits for it. */
interface Write extends Writer {
  readonly leaderEpoch: number
  readonly records: readonly KeyAndValue[]
  readonly sizeBytes: number
  readonly isOffsets: boolean
}

export interface GroupWriterOptions {
  readonly clock: Clock
  readonly crc32c: Crc32c
  /** How long an append waits for the in-sync replicas before whoever waits is told that it takes long. */
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
 * hundreds of consumers that commit at the same time cost one append. `done` is called in the order of the log for what is in
 * it, at once for what was refused, and says "stored" only where no later leader can lack it.
 */
export class GroupWriter {
  readonly #options: GroupWriterOptions
  readonly #queued = new Map<number, Write[]>()
  readonly #uncertain = new UncertainAppends()

  constructor(options: GroupWriterOptions) {
    this.#options = options
  }

  write({ index, leaderEpoch }: Place, records: readonly GroupRecord[], writer: Writer): void {
    const encoded = records.map(encodeGroupRecord)
    const sizeBytes = encoded.reduce(
      (sum, { key, value }) => sum + key.length + (value?.length ?? 0),
      0,
    )
    const isOffsets = records[0]?.type === 'offset'
    if (this.#queued.size === 0) this.#options.clock.soon(() => this.flush())
    const queue = this.#queued.get(index) ?? []
    this.#queued.set(index, queue)
    queue.push({ leaderEpoch, records: encoded, sizeBytes, isOffsets, ...writer })
  }

  /** Appends what is queued, now. */
  flush(): void {
    const queued = [...this.#queued]
    this.#queued.clear()
    for (const [index, writes] of queued) {
      for (const batch of batchesOf(writes)) this.#append(index, batch)
    }
  }

  /** Nobody waits any more for what may or may not stay. */
  stop(): void {
    this.#uncertain.stop()
  }

  #append(index: number, writes: readonly Write[]): void {
    const { clock, crc32c, timeoutMs } = this.#options
    const { leaderEpoch, sizeBytes } = writes[0]!
    const partition = this.#options.partition(index)
    const finish = (result: Appended): void => {
      for (const { isOffsets, done } of writes) done(outcomeOf(result, isOffsets))
    }
    // Whoever loaded the groups loaded them for that epoch: the next one has loaded them anew.
    if (partition?.role?.leaderEpoch !== leaderEpoch)
      return finish(refusal('NOT_LEADER_OR_FOLLOWER'))
    if (sizeBytes > writeBytesMax) return finish(refusal('MESSAGE_TOO_LARGE'))
    const records = writes.flatMap(write => write.records)
    const batch = encodeBatch({ records, baseTimestamp: clock.now(), crc32c })
    const tell = (error: GroupError): void => {
      for (const { delayed } of writes) delayed(error)
    }
    const settle = this.#uncertain.expect(partition, leaderEpoch, { finish, delayed: tell })
    partition.append(batch, { acks: -1, timeoutMs, origin: 'coordinator' }, settle)
  }
}

/** In their order, one epoch each; a write is never split, and one that is too large is alone. */
function* batchesOf(writes: readonly Write[]): IterableIterator<readonly Write[]> {
  let batch: Write[] = []
  let sizeBytes = 0
  for (const write of writes) {
    const isOther = batch.length > 0 && batch[0]!.leaderEpoch !== write.leaderEpoch
    if (isOther || (batch.length > 0 && sizeBytes + write.sizeBytes > batchBytesMax)) {
      yield batch
      batch = []
      sizeBytes = 0
    }
    batch.push(write)
    sizeBytes += write.sizeBytes
  }
  if (batch.length > 0) yield batch
}

function refusal(error: 'NOT_LEADER_OR_FOLLOWER' | 'MESSAGE_TOO_LARGE'): Appended {
  return { ok: false, error }
}
