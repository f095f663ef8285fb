import type { Clock, Timer } from '../../env/env.ts'
import type { AlterPort } from './alter-port.ts'
import type { Partition } from './partition.ts'
import { FollowerFetches } from './follower-fetches.ts'
import type { CommittedCut, Peers } from './peers.ts'
import type { AlterOutcome, AlterWish } from './replica/replica.ts'

export interface NeighboursOptions {
  readonly clock: Clock
  /** `replica.lag.time.max.ms`. */
  readonly lagTimeMaxMs: number
  readonly alterPort: AlterPort
  /** When this broker last heard of an active controller, monotonic; now, where it is the controller; -Infinity: never. */
  controllerHeardMs(): number
  /** Committed records were cut: told at once. */
  onCommittedCut(partition: Partition, cut: CommittedCut): void
}

/** What became of in-sync sets and of what they had committed, since the start of the process. */
export interface InSyncCounts {
  readonly expands: number
  readonly shrinks: number
  readonly recordsCut: number
}

/** Called when whom a partition follows, and whether, may be another one. */
export type FollowingListener = (partition: Partition) => void

/**
 * The other brokers, as all partitions of this one see them: who was heard when, and which in-sync sets are asked for. What
 * partitions want in one turn of the event loop leaves in one request.
 */
export class Neighbours implements Peers<Partition> {
  readonly #options: NeighboursOptions
  readonly #fetches = new FollowerFetches()
  readonly #wishes = new Map<Partition, AlterWish>()
  readonly #listeners = new Set<FollowingListener>()
  readonly #ticking: Timer
  readonly #counts = { expands: 0, shrinks: 0, recordsCut: 0 }
  readonly heard: Peers<Partition>['heard']

  /** `partitions`: those that time is told. */
  constructor(options: NeighboursOptions, partitions: () => Iterable<Partition>) {
    this.#options = options
    this.heard = {
      get controllerMs() {
        return options.controllerHeardMs()
      },
      followerMs: brokerId => this.#fetches.sentMs(brokerId),
    }
    // A lag is seen within one and a half times the limit, with room to spare (I-17).
    this.#ticking = options.clock.every(Math.min(1000, options.lagTimeMaxMs / 4), () => {
      for (const partition of partitions()) partition.tick()
    })
  }

  get lagTimeMaxMs(): number {
    return this.#options.lagTimeMaxMs
  }

  /** A follower fetches, whatever it is. */
  heardFrom(brokerId: number, connectionId: number): void {
    this.#fetches.take(brokerId, connectionId, this.#options.clock.monotonic())
  }

  onFollowing(listener: FollowingListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  followingChanged(partition: Partition): void {
    for (const listener of this.#listeners) listener(partition)
  }

  alter(partition: Partition, wish: AlterWish): void {
    if (this.#wishes.size === 0) this.#options.clock.soon(() => void this.#send())
    this.#wishes.set(partition, wish)
  }

  get counts(): InSyncCounts {
    return this.#counts
  }

  inSyncChanged(by: number): void {
    this.#counts[by > 0 ? 'expands' : 'shrinks']++
  }

  committedCut(partition: Partition, cut: CommittedCut): void {
    this.#counts.recordsCut += cut.highWatermark - cut.offset
    this.#options.onCommittedCut(partition, cut)
  }

  stop(): void {
    this.#ticking.cancel()
  }

  async #send(): Promise<void> {
    const asked = [...this.#wishes]
    this.#wishes.clear()
    const outcomes = await this.#ask(asked)
    for (const [at, [partition, { partitionEpoch }]] of asked.entries()) {
      partition.altered(partitionEpoch, outcomes[at] ?? { kind: 'unknown' })
    }
  }

  /** A lost answer is no answer: whatever was asked for may have happened (durability.md R7). */
  async #ask(asked: readonly [Partition, AlterWish][]): Promise<readonly AlterOutcome[]> {
    const wishes = asked.map(([{ id }, wish]) => {
      const { leaderEpoch, partitionEpoch, isr, isRecovering } = wish
      const { topicId, partition: index } = id
      return { topicId, index, leaderEpoch, partitionEpoch, isr, isRecovering }
    })
    try {
      return await this.#options.alterPort.alterPartitions(wishes)
    } catch {
      return []
    }
  }
}
