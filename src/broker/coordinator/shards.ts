import type { Clock } from '../../env/env.ts'
import type { Partition } from '../partition/partition.ts'
import type { Partitions } from '../partition/partitions.ts'
import type { PartitionWatcher } from '../partition/requests.ts'
import type { GroupError } from './groups/events.ts'
import type { LoadedGroups } from './groups/restore.ts'
import type { Place } from './group-writer.ts'
import { offsetsTopicName } from '../../lib/topic-name.ts'
import { partitionOf } from './offsets-topic.ts'

/**
 * A partition of the offsets topic that this broker leads, in one leader epoch.
 * `waiting`: until its watermark has reached the start of the epoch. What lies below that is committed, and this broker
 * may not know it yet: groups that were loaded from less would have offsets that go back (durability.md R10, I12).
 */
interface Shard {
  readonly leaderEpoch: number
  readonly partition: Partition
  /** Since when this broker follows that it leads. */
  readonly sinceMs: number
  state: 'waiting' | 'loading' | 'ready' | { readonly failedMs: number }
  /** Names of topics that were deleted before it was ready; there may be others of these names by now. */
  readonly deletedTopics: Set<string>
}

export interface ShardsOptions {
  readonly brokerId: number
  readonly clock: Pick<Clock, 'monotonic'>
  /**
   * A leader that was not known to be the only one for longer says nothing of groups, nor that he will: the next one may have
   * stored more by now (I12). Shorter than the session of a broker.
   */
  readonly silenceMsMax: number
  readonly partitions: Pick<Partitions, 'find' | 'settled'>
  /** Reads all that a partition says of groups, up to its high watermark. */
  readonly load: (partition: Partition) => Promise<LoadedGroups>
  /** What was loaded of a partition; it is ready. `deletedTopics`: names that were deleted meanwhile. */
  readonly adopt: (groups: LoadedGroups, deletedTopics: ReadonlySet<string>) => void
  /** Some groups are not this broker's any more, or have to be loaded anew. */
  readonly drop: (isDropped: (groupId: string) => boolean) => void
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** How long a partition that could not be loaded is left alone. */
const reloadDelayMs = 30_000

/** For so long whoever lists all groups is asked to come again because of one partition that waits. */
const listWaitMsMax = 10_000

/** Partitions that are loaded at the same time. */
const loadingMax = 4

/**
 * Which partitions of the offsets topic this broker leads, and what it knows of each: groups are coordinated where their
 * partition is led, and in that leader epoch only. In the next one, ours or another's, they are loaded anew.
 */
export class Shards {
  readonly #options: ShardsOptions
  /** Partitions of the topic; 0 while there is none. Another number places every group anew. */
  #count = 0
  readonly #byIndex = new Map<number, Shard>()
  /** To be loaded, in this order. */
  readonly #queue = new Set<Shard>()
  #laneCount = 0
  readonly #watchers = new Map<Partition, PartitionWatcher>()
  #idle: (() => void)[] = []
  #isStopped = false

  constructor(options: ShardsOptions) {
    this.#options = options
  }

  /** Some groups are not known yet. */
  get isLoading(): boolean {
    return this.#areUnknown(-Infinity)
  }

  /**
   * Whoever lists all groups is to come again soon. A partition whose leader is alone waits for as long as that lasts: after
   * a while its groups are left out, as those of a partition that nobody leads.
   */
  get isTooEarlyToList(): boolean {
    return this.#areUnknown(this.#options.clock.monotonic() - listWaitMsMax)
  }

  /** Resolves when everything that can be loaded now is. */
  loaded(): Promise<void> {
    if (this.#laneCount === 0) return Promise.resolve()
    return new Promise(resolve => this.#idle.push(resolve))
  }

  /** Where a group is kept, and the epoch in which it is known here; -1 where it is not. */
  placeOf(groupId: string): Place {
    const index = this.#indexOf(groupId)
    const shard = this.#byIndex.get(index)
    return { index, leaderEpoch: shard?.state === 'ready' ? shard.leaderEpoch : -1 }
  }

  /** Why nothing can be said of a group; NONE where it can. */
  refusal(groupId: string): GroupError {
    const shard = this.#byIndex.get(this.#indexOf(groupId))
    if (this.#isStopped || shard === undefined || !isCurrent(shard)) return 'NOT_COORDINATOR'
    const { state, partition } = shard
    // It may have become what it is waited for without a word: a leader that was out of touch is not any more.
    if (state === 'waiting' && hasReachedEpoch(shard)) this.#begin(shard)
    if (state === 'loading' || state === 'waiting') {
      // Whoever is cut off may wait for ever, and the coordinator be another one.
      const isSure = partition.isSureToLead(this.#options.silenceMsMax)
      return isSure ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'NOT_COORDINATOR'
    }
    if (state === 'ready') return this.#serves(partition) ? 'NONE' : 'NOT_COORDINATOR'
    // What it failed for may be over: descriptors were short, or the log could not be opened and is now.
    const isDue = this.#options.clock.monotonic() >= state.failedMs + reloadDelayMs
    if (!isDue || !partition.isOpen) return 'COORDINATOR_NOT_AVAILABLE'
    this.#begin(shard)
    return 'COORDINATOR_LOAD_IN_PROGRESS'
  }

  /** Brings the shards in line with who leads the `count` partitions now. */
  follow(count: number): void {
    if (this.#isStopped) return
    const before = this.#count
    const dropped = new Set<number>()
    if (count !== before) for (const index of this.#byIndex.keys()) this.#forget(index, dropped)
    this.#count = count
    const found: Shard[] = []
    for (let index = 0; index < count; index++) {
      const partition = this.#options.partitions.find(offsetsTopicName, index)
      const role = partition?.role
      const leaderEpoch = role?.leader === this.#options.brokerId ? role.leaderEpoch : -1
      const shard = this.#byIndex.get(index)
      if (shard?.partition === partition && shard?.leaderEpoch === leaderEpoch) continue
      this.#forget(index, dropped)
      if (partition === undefined || leaderEpoch < 0) continue
      const deletedTopics = new Set<string>()
      const sinceMs = this.#options.clock.monotonic()
      const added: Shard = { leaderEpoch, partition, sinceMs, state: 'waiting', deletedTopics }
      this.#byIndex.set(index, added)
      found.push(added)
    }
    if (dropped.size > 0) this.#options.drop(groupId => dropped.has(partitionOf(groupId, before)))
    for (const shard of found) this.#begin(shard)
  }

  /** Topics of these names are gone: what is being loaded may have offsets of them. */
  topicsDeleted(names: readonly string[]): void {
    for (const { state, deletedTopics } of this.#byIndex.values()) {
      if (state !== 'ready') for (const name of names) deletedTopics.add(name)
    }
  }

  stop(): void {
    this.#isStopped = true
    for (const [partition, watcher] of this.#watchers) partition.watchers.delete(watcher)
    this.#watchers.clear()
    this.#queue.clear()
  }

  /** A partition that waits counts where this broker began to lead it later than `waitingSinceMs`. */
  #areUnknown(waitingSinceMs: number): boolean {
    for (const { state, sinceMs } of this.#byIndex.values()) {
      if (state === 'loading' || (state === 'waiting' && sinceMs > waitingSinceMs)) return true
    }
    return false
  }

  #serves(partition: Partition): boolean {
    return partition.availability() === 'NONE' && partition.isSureToLead(this.#options.silenceMsMax)
  }

  #indexOf(groupId: string): number {
    return this.#count === 0 ? -1 : partitionOf(groupId, this.#count)
  }

  #forget(index: number, dropped: Set<number>): void {
    const shard = this.#byIndex.get(index)
    if (shard === undefined) return
    this.#byIndex.delete(index)
    this.#queue.delete(shard)
    this.#unwatch(shard.partition)
    dropped.add(index)
  }

  #begin(shard: Shard): void {
    this.#unwatch(shard.partition)
    shard.state = 'loading'
    this.#queue.add(shard)
    if (this.#laneCount < loadingMax) void this.#work()
  }

  async #work(): Promise<void> {
    this.#laneCount++
    for (const shard of this.#queue) {
      this.#queue.delete(shard)
      await this.#load(shard)
    }
    this.#laneCount--
    if (this.#laneCount > 0) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  async #load(shard: Shard): Promise<void> {
    const { partition } = shard
    if (!partition.isOpen) await this.#options.partitions.settled()
    if (!this.#holds(shard)) return
    if (!partition.isOpen) return void (shard.state = { failedMs: -Infinity })
    if (!hasReachedEpoch(shard)) return this.#wait(shard)
    try {
      const groups = await this.#options.load(partition)
      if (!this.#holds(shard)) return
      shard.state = 'ready'
      this.#options.adopt(groups, shard.deletedTopics)
      shard.deletedTopics.clear()
    } catch (error) {
      if (!this.#holds(shard)) return
      shard.state = { failedMs: this.#options.clock.monotonic() }
      this.#options.warn('A partition of the offsets topic could not be loaded', {
        partition: partition.id.partition,
        reason: error instanceof Error ? error.message : String(error),
      })
    }
  }

  /** Until the watermark is where the epoch begins, or the partition is another one's. */
  #wait(shard: Shard): void {
    const { partition } = shard
    shard.state = 'waiting'
    const look = (): void => {
      if (shard.state === 'waiting' && hasReachedEpoch(shard)) this.#begin(shard)
    }
    const watcher = { grew: look, changed: look, startMoved: () => {} }
    this.#watchers.set(partition, watcher)
    partition.watchers.add(watcher)
  }

  #unwatch(partition: Partition): void {
    const watcher = this.#watchers.get(partition)
    if (watcher === undefined) return
    partition.watchers.delete(watcher)
    this.#watchers.delete(partition)
  }

  #holds(shard: Shard): boolean {
    return (
      !this.#isStopped &&
      this.#byIndex.get(shard.partition.id.partition) === shard &&
      isCurrent(shard)
    )
  }
}

/** Between a change of the role and the next `follow`, what was loaded is of an epoch that is over. */
function isCurrent({ partition, leaderEpoch }: Shard): boolean {
  return partition.role?.leaderEpoch === leaderEpoch
}

function hasReachedEpoch({ partition, leaderEpoch }: Shard): boolean {
  return partition.availability(leaderEpoch) === 'NONE' && partition.hasReachedEpoch
}
