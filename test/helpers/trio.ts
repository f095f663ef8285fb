import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import type { LogConfig } from '../../src/broker/log/log-config.ts'
import type { Log } from '../../src/broker/log/log.ts'
import { Partition } from '../../src/broker/partition/partition.ts'
import type { Peers } from '../../src/broker/partition/peers.ts'
import type { AlterWish, PartitionRole } from '../../src/broker/partition/replica/replica.ts'
import type {
  AppendResult,
  FetchedResult,
  PartitionReadResult,
} from '../../src/broker/partition/requests.ts'
import { batchOf, logConfig, logId, openDirectory, readAll, simWorld } from './logs.ts'
import { threeReplicas } from './replica-bench.ts'

/** One broker's replica, on a disk of its own. */
interface Member {
  readonly id: number
  readonly disk: SimDisk
  readonly log: Log
  readonly partition: Partition
}

/** What a fetch gave, and what its follower did with it. */
interface Fetched {
  readonly read: PartitionReadResult
  /** Null where there was nothing to append. */
  readonly appended: FetchedResult | null
}

/** Three replicas of one partition with real logs on simulated disks; whoever fetches is told to by the test. */
export class Trio {
  readonly clock = new SimClock()
  readonly members = new Map<number, Member>()
  readonly config: LogConfig
  /** When each broker was heard last; the controller under 0. */
  readonly heardMs = new Map<number, number>()
  readonly asked: AlterWish[] = []
  readonly inSyncChanges: number[] = []
  readonly committedCuts: unknown[] = []
  /** Whom a replica followed whenever that was told as news. */
  readonly followed: (number | null)[] = []
  role: PartitionRole = threeReplicas
  /** What disks do in the background and have not ended: syncs, and reads by threads. Null: they end at once. */
  #underWay: (() => void)[] | null = null

  constructor(over: Partial<LogConfig> = {}) {
    this.config = logConfig(over)
  }

  /** All three open, with broker 1 in the lead. */
  static async start(over: Partial<LogConfig> = {}): Promise<Trio> {
    const trio = new Trio(over)
    for (const id of [1, 2, 3]) await trio.#open(id)
    return trio
  }

  get peers(): Peers<Partition> {
    const { heardMs, asked, inSyncChanges, committedCuts, followed } = this
    return {
      lagTimeMaxMs: 10_000,
      heard: {
        get controllerMs() {
          return heardMs.get(0) ?? Infinity
        },
        followerMs: id => heardMs.get(id) ?? Infinity,
      },
      alter: (_, wish) => void asked.push(wish),
      followingChanged: ({ following }) => void followed.push(following?.leader ?? null),
      inSyncChanged: by => void inSyncChanges.push(by),
      committedCut: ({ id }, cut) => void committedCuts.push([id.partition, cut]),
    }
  }

  /** Flushes that begin from here on do not end before `endFlushes`. */
  holdFlushes(): void {
    this.#underWay ??= []
  }

  async endFlushes(): Promise<void> {
    const acts = this.#underWay ?? []
    this.#underWay = null
    for (const act of acts) act()
    await this.clock.settle()
  }

  of(id: number): Member {
    return this.members.get(id)!
  }

  /** What the metadata log tells, and those of `ids` hear. */
  tell(changes: Partial<PartitionRole>, ids: readonly number[] = [1, 2, 3]): void {
    this.role = { ...this.role, partitionEpoch: this.role.partitionEpoch + 1, ...changes }
    for (const id of ids) this.of(id).partition.take(this.role)
  }

  elect(leader: number, ids?: readonly number[]): void {
    this.tell({ leader, leaderEpoch: this.role.leaderEpoch + 1 }, ids)
  }

  /** Appends `count` records at `id`; the answer as far as there is one. */
  async append(id: number, count: number, acks = 1): Promise<{ result?: AppendResult }> {
    const answer: { result?: AppendResult } = {}
    const options = { acks, timeoutMs: 1000, origin: 'client' } as const
    this.of(id).partition.append(batchOf(count), options, result => {
      answer.result = result
    })
    await this.clock.settle()
    return answer
  }

  /** `id` fetches once from `from`, as broker `id` does: appends, or cuts, what comes of it. */
  async fetch(id: number, from = this.role.leader): Promise<Fetched> {
    const follower = this.of(id).partition
    const following = follower.following
    const leaderEpoch = following?.leaderEpoch ?? this.role.leaderEpoch
    const { offset, lastFetchedEpoch } = follower.fetchPosition
    const read = await this.of(from).partition.read({
      reader: {
        kind: 'follower',
        brokerId: id,
        brokerEpoch: id * 10,
        logStartOffset: this.of(id).log.startOffset,
        isRepeated: false,
      },
      fetchOffset: offset,
      maxBytes: 4096,
      minOneBatch: true,
      currentLeaderEpoch: leaderEpoch,
      lastFetchedEpoch,
    })
    if (read.diverging !== null) await follower.truncate(read.diverging, leaderEpoch)
    if (read.error !== 'NONE' || read.diverging !== null) return { read, appended: null }
    const records = new Uint8Array(read.range?.length ?? 0)
    read.range?.file.read(read.range.position, records)
    return { read, appended: await this.give(id, records, read, leaderEpoch) }
  }

  /** `id` gets `records` of the leader of `leaderEpoch`. */
  async give(
    id: number,
    records: Uint8Array,
    told: Pick<PartitionReadResult, 'highWatermark' | 'logStartOffset'>,
    leaderEpoch: number,
  ): Promise<FetchedResult> {
    const { highWatermark, logStartOffset } = told
    const { promise, resolve } = Promise.withResolvers<FetchedResult>()
    const answer = { leaderEpoch, highWatermark, logStartOffset }
    this.of(id).partition.appendFetched(records, answer, resolve)
    await this.clock.settle()
    return promise
  }

  /** All who follow fetch until nothing changes any more. */
  async catchUp(ids: readonly number[] = [1, 2, 3]): Promise<void> {
    for (let round = 0; round < 12; round++) {
      for (const id of ids) if (id !== this.role.leader) await this.fetch(id)
    }
  }

  /** The bytes of a replica's log. */
  bytes(id: number): Promise<Uint8Array> {
    return readAll(this.of(id).log)
  }

  async #open(id: number): Promise<void> {
    const later = (act: () => void): void => {
      if (this.#underWay === null) queueMicrotask(act)
      else this.#underWay.push(act)
    }
    const { disk, env } = simWorld(new SimDisk({ later }), id)
    const world = { env: { ...env, clock: this.clock }, clock: this.clock, disk }
    const directory = await openDirectory(world, { brokerId: id })
    const { clock, peers } = this
    const partition = new Partition(logId(), id, {
      clock,
      countsWhenDurable: this.config.flushPolicy === 'ack',
      peers,
    })
    partition.take(this.role)
    const log = await directory.openLog(logId(), this.config)
    partition.open(log)
    this.members.set(id, { id, disk, log, partition })
  }
}
