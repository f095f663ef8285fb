import type { Partition } from '../partition/partition.ts'
import type { PartitionWatcher } from '../partition/requests.ts'
import { delayOf, type Appended } from './append-errors.ts'
import type { GroupError } from './groups/events.ts'

interface Waiter {
  /** Called once, in the order of the appends. */
  readonly finish: (result: Appended) => void
  /** The append is written, and whether it stays is not known yet. */
  readonly delayed: (error: GroupError) => void
}

interface Append extends Waiter {
  readonly leaderEpoch: number
  /** As the partition told it; null while it did not. */
  result: Appended | null
  /** It is committed once the high watermark is here; null where its result is all that there is to know. */
  certainAt: number | null
}

/**
 * Appends to one partition that were written and not known to be committed when the time was up. Such a record is in the
 * leader's log, and may be cut from it by the next leader: until the high watermark has passed it, or the epoch is over,
 * nothing may be told of it (durability.md R11). What was appended behind it waits for it: its order is the log's.
 */
export class UncertainAppends {
  readonly #byPartition = new Map<Partition, AppendsOfPartition>()

  /** An append that begins now; the partition's answer goes to the function that is returned. */
  expect(partition: Partition, leaderEpoch: number, waiter: Waiter): (result: Appended) => void {
    const appends = this.#byPartition.get(partition) ?? this.#add(partition)
    return appends.expect(leaderEpoch, waiter)
  }

  stop(): void {
    for (const appends of this.#byPartition.values()) appends.stop()
    this.#byPartition.clear()
  }

  #add(partition: Partition): AppendsOfPartition {
    const appends = new AppendsOfPartition(partition, () => this.#byPartition.delete(partition))
    this.#byPartition.set(partition, appends)
    return appends
  }
}

class AppendsOfPartition implements PartitionWatcher {
  readonly #partition: Partition
  readonly #emptied: () => void
  readonly #queue: Append[] = []
  #isWatching = false

  constructor(partition: Partition, emptied: () => void) {
    this.#partition = partition
    this.#emptied = emptied
  }

  expect(leaderEpoch: number, waiter: Waiter): (result: Appended) => void {
    const append: Append = { ...waiter, leaderEpoch, result: null, certainAt: null }
    this.#queue.push(append)
    return result => this.#told(append, result)
  }

  stop(): void {
    if (this.#isWatching) this.#partition.watchers.delete(this)
  }

  grew(): void {
    this.#settle()
  }

  changed(): void {
    this.#settle()
  }

  startMoved(): void {}

  #told(append: Append, result: Appended): void {
    append.result = result
    const delay = this.#mayBeCut ? delayOf(result) : null
    if (delay !== null) {
      // Not its own end, which nobody tells, but what is surely behind it.
      append.certainAt = this.#partition.extent?.endOffset ?? Infinity
      if (!this.#isWatching) this.#partition.watchers.add(this)
      this.#isWatching = true
      append.delayed(delay)
    }
    this.#settle()
  }

  /** Nobody else has the log, so nobody cuts it. */
  get #mayBeCut(): boolean {
    return (this.#partition.role?.replicas.length ?? 1) > 1
  }

  #settle(): void {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      const result = this.#resultOf(first)
      if (result === null) return
      this.#queue.shift()
      first.finish(result)
    }
    if (this.#isWatching) this.#partition.watchers.delete(this)
    this.#isWatching = false
    this.#emptied()
  }

  #resultOf({ result, certainAt, leaderEpoch }: Append): Appended | null {
    if (result === null || certainAt === null) return result
    const { role, isOpen, failure, highWatermark } = this.#partition
    if (role?.leaderEpoch !== leaderEpoch || !isOpen || failure !== null) return lost
    return highWatermark >= certainAt ? stored : null
  }
}

const lost: Appended = { ok: false, error: 'NOT_LEADER_OR_FOLLOWER' }
const stored: Appended = { ok: true }
