import type { Partition } from '../partition/partition.ts'
import type { PartitionWatcher } from '../partition/requests.ts'
import { delayOf, isWritten, type Appended } from './append-errors.ts'
import type { GroupError } from './groups/events.ts'

interface Waiter {
  /** Called once; what was written in the order of the log, what was not at once. */
  readonly finish: (result: Appended) => void
  /** The append is written, and whether it stays is not known yet. */
  readonly delayed: (error: GroupError) => void
}

interface Append extends Waiter {
  readonly leaderEpoch: number
  /** As the partition told it; null while it did not. */
  result: Appended | null
  /** Written, whatever its result says, and committed once the high watermark is here; null where the result is all. */
  certainAt: number | null
}

/**
 * Appends to one partition that were written and not known to be committed when the time was up. Such a record is in the
 * leader's log, and may be cut from it by the next leader: until the high watermark has passed it, or the epoch is over,
 * nothing may be told of it (durability.md R11). What was written behind it waits for it, since its order is the log's, and no longer
 * than for its own time: it is written and uncertain too then, or committed, and so is what lies before it. What was refused
 * has no place in the log, and waits for nobody: a leader that is alone refuses everything, for as long as it is.
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
  /** In the order of the log. */
  readonly #queue = new Set<Append>()
  #isWatching = false

  constructor(partition: Partition, emptied: () => void) {
    this.#partition = partition
    this.#emptied = emptied
  }

  expect(leaderEpoch: number, waiter: Waiter): (result: Appended) => void {
    const append: Append = { ...waiter, leaderEpoch, result: null, certainAt: null }
    this.#queue.add(append)
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
    if (result.ok) this.#settleBefore(append)
    const delay = this.#mayBeCut ? delayOf(result) : null
    if (delay !== null) {
      // Not its own end, which nobody tells, but what is surely behind it.
      append.certainAt = this.#partition.extent?.endOffset ?? Infinity
      if (!this.#isWatching) this.#partition.watchers.add(this)
      this.#isWatching = true
      append.delayed(delay)
    } else if (!isWritten(result)) {
      this.#queue.delete(append)
      append.finish(result)
    }
    this.#settle()
  }

  /** It is committed, and so is what lies before it in the log: maybe more lies behind that by now, which is not. */
  #settleBefore(append: Append): void {
    if (!this.#isWatching) return
    for (const before of this.#queue) {
      if (before === append) return
      if (before.certainAt === null || before.leaderEpoch !== append.leaderEpoch) continue
      before.certainAt = null
      before.result = stored
    }
  }

  /** Nobody else has the log, so nobody cuts it. */
  get #mayBeCut(): boolean {
    return (this.#partition.role?.replicas.length ?? 1) > 1
  }

  #settle(): void {
    for (const first of this.#queue) {
      const result = this.#resultOf(first)
      if (result === null) return
      this.#queue.delete(first)
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
