import { FetchNumbers } from './fetch-numbers.ts'
import { Fetcher, type FetcherOptions } from './fetcher.ts'
import type { FollowedPartition } from './followed-partition.ts'

export interface FetchersOptions extends Omit<FetcherOptions, 'leader' | 'numbers'> {
  /** Connections to one leader, among which its partitions are divided, as of now (`num.replica.fetchers`). */
  fetchersPerLeader(): number
  /** Of a broker's registration as of now; undefined where it has none. */
  epochOf(brokerId: number): number | undefined
  /** Nothing fails any more. */
  onStop?(): void
}

/** How far the partitions of one leader are behind it, the worst of each. */
export interface FollowerLag {
  readonly leader: number
  readonly partitions: number
  /** Records between the end of a log and its leader's watermark, as that was told last. */
  readonly records: number
  /** Since when a log is behind, or the leader silent. */
  readonly seconds: number
}

interface Running {
  readonly leader: number
  readonly fetcher: Fetcher
  readonly partitions: Set<FollowedPartition>
  /** Of the leader's registration when it was last connected to. */
  epoch: number | undefined
}

/** A leader that said nothing for longer than it may wait is behind by its silence. */
const silenceSlackMs = 1000

/**
 * Who fetches what: each partition that follows another broker belongs to one fetcher, that of its leader and of a number
 * that its id gives, from the moment in which it follows to that in which it does not. A fetcher lives as long as it has
 * partitions.
 */
export class Fetchers {
  readonly #options: FetchersOptions
  readonly #running = new Map<string, Running>()
  readonly #assigned = new Map<FollowedPartition, Running>()
  /** By the leader, for the life of the process. */
  readonly #numbers = new Map<number, FetchNumbers>()

  #perLeader: number
  #isStopped = false

  constructor(options: FetchersOptions) {
    this.#options = options
    this.#perLeader = options.fetchersPerLeader()
  }

  /** What the partition follows may be another leader or epoch than before, or none. */
  changed(partition: FollowedPartition): void {
    if (this.#isStopped) return
    const { following } = partition
    const before = this.#assigned.get(partition)
    const now = following === null ? undefined : this.#fetcherOf(following.leader, partition)
    if (before !== undefined && before !== now) this.#leave(before, partition)
    if (now === undefined) return
    this.#assigned.set(partition, now)
    now.partitions.add(partition)
    now.fetcher.follow(partition)
  }

  /** Brokers may have registered anew: whoever did is another process, and connections to the old one are dropped. */
  brokersChanged(): void {
    for (const running of this.#running.values()) {
      const epoch = this.#options.epochOf(running.leader)
      if (epoch === running.epoch) continue
      running.epoch = epoch
      running.fetcher.reconnect()
    }
  }

  /** Settings may be others. */
  reconfigure(): void {
    const perLeader = this.#options.fetchersPerLeader()
    if (perLeader === this.#perLeader) return
    this.#perLeader = perLeader
    for (const partition of Array.from(this.#assigned.keys())) this.changed(partition)
  }

  /** Nothing is fetched any more, whatever changes. */
  stop(): void {
    this.#isStopped = true
    for (const { fetcher } of this.#running.values()) fetcher.stop()
    this.#running.clear()
    this.#assigned.clear()
    this.#options.onStop?.()
  }

  numbers(): Iterable<FetchNumbers> {
    return this.#numbers.values()
  }

  *lags(): Iterable<FollowerLag> {
    const nowMs = this.#options.clock.monotonic()
    const { waitMsMax } = this.#options.sizes()
    const byLeader = Map.groupBy(this.#running.values(), ({ leader }) => leader)
    for (const [leader, ofLeader] of byLeader) {
      let [partitions, records, behindMs] = [0, 0, 0]
      for (const { fetcher } of ofLeader) {
        const silentMs = nowMs - fetcher.heardMs
        if (silentMs > waitMsMax + silenceSlackMs) behindMs = Math.max(behindMs, silentMs)
        for (const { partition, highWatermark, behindSinceMs } of fetcher.partitions()) {
          partitions++
          records = Math.max(records, highWatermark - partition.fetchPosition.offset)
          if (behindSinceMs !== null) behindMs = Math.max(behindMs, nowMs - behindSinceMs)
        }
      }
      yield { leader, partitions, records, seconds: behindMs / 1000 }
    }
  }

  #leave(running: Running, partition: FollowedPartition): void {
    this.#assigned.delete(partition)
    running.partitions.delete(partition)
    running.fetcher.unfollow(partition)
    if (running.partitions.size > 0) return
    running.fetcher.stop()
    for (const [key, each] of this.#running) if (each === running) this.#running.delete(key)
  }

  #fetcherOf(leader: number, { id }: FollowedPartition): Running {
    const number = spread(id.topicId, id.partition) % this.#perLeader
    const key = `${leader}/${number}`
    let running = this.#running.get(key)
    if (running === undefined) {
      const fetcher = new Fetcher({ ...this.#options, leader, numbers: this.#numbersOf(leader) })
      const epoch = this.#options.epochOf(leader)
      running = { leader, fetcher, partitions: new Set(), epoch }
      this.#running.set(key, running)
    }
    return running
  }

  #numbersOf(leader: number): FetchNumbers {
    let numbers = this.#numbers.get(leader)
    if (numbers === undefined) this.#numbers.set(leader, (numbers = new FetchNumbers(leader)))
    return numbers
  }
}

/** A number of a partition, the same each time; neighbours of one topic are spread. */
function spread(topicId: string, partition: number): number {
  let sum = partition
  for (let at = 0; at < topicId.length; at++) sum += topicId.charCodeAt(at)
  return sum
}
