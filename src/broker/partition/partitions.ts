import { DiskError, type Clock, type Timer } from '../../env/env.ts'
import type { Uuid } from '../../lib/uuid.ts'
import type { LogConfig } from '../log/log-config.ts'
import { MissingLogError, type LogDirectory } from '../log/directory/log-directory.ts'
import type { Log } from '../log/log.ts'
import type { LogId } from '../log/log-id.ts'
import { isPassing } from '../log/shortage.ts'
import type { MetadataImage, TopicImage } from '../metadata/image.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import type { ErrorName } from '../wire/errors.ts'
import { AppendCounts, type TopicAppended } from './append-counts.ts'
import {
  Neighbours,
  type FollowingListener,
  type InSyncCounts,
  type NeighboursOptions,
} from './neighbours.ts'
import { Partition } from './partition.ts'
import type { PartitionRole } from './replica/role.ts'
import { replicaBrokersOf, roleOf } from './role-of.ts'
import { isUncounted } from './uncounted.ts'

export interface PartitionsOptions {
  readonly brokerId: number
  readonly directory: LogDirectory
  readonly clock: Clock
  /** Logs opened at the same time; recovery reads from the device. */
  readonly openingMax: number
  logConfig(topic: TopicImage): LogConfig
  /** How the other brokers are reached; left out where there are none. */
  readonly neighbours?: Omit<NeighboursOptions, 'clock'>
  /** Of the start that this is: no role of an earlier one is taken (durability.md R2). Left out: any will do. */
  readonly ownEpoch?: () => number
  /**
   * A log could not be opened: told once, the partition answers KAFKA_STORAGE_ERROR. Where something was full (the
   * table of descriptors, the disk) it is tried again and again: that is not the log's fault.
   */
  onFailure(id: LogId, error: unknown): void
  /** Told of a log that could not be opened, and is now. */
  onRecovery(id: LogId): void
  /** A log that was damaged or missing begins anew: others have what is counted on. */
  onAnew?(id: LogId): void
  /** Logs were taken out of service and kept: other brokers hold those replicas now, or the metadata does not know the topics. */
  onStrays(ids: readonly LogId[], why: 'moved-away' | 'unclaimed'): void
}

/** Pauses between two attempts to open a log: each twice as long as the one before. */
const reopenDelayMsMin = 500
const reopenDelayMsMax = 30_000

/** Every partition that this broker holds, as the metadata image says. The image is the only place where a topic is known. */
export class Partitions {
  readonly #options: PartitionsOptions
  readonly #byTopic = new Map<Uuid, Map<number, Partition>>()
  /** Topics as they were last applied: an image shares what did not change. */
  readonly #applied = new Map<Uuid, TopicImage>()
  readonly #neighbours: Neighbours | null
  readonly #appendCounts = new AppendCounts()
  #image: MetadataImage | null = null
  /** What was told of brokers, and of settings for all of them, with the roles that were last taken. */
  #surroundings: Surroundings | null = null
  /** Settles when everything that the images so far ask for is done. */
  #settled: Promise<void> = Promise.resolve()
  /** Of partitions whose logs are to be opened once more. */
  readonly #reopening = new Map<Partition, Timer>()

  constructor(options: PartitionsOptions) {
    this.#options = options
    const { clock, neighbours } = options
    this.#neighbours =
      neighbours === undefined ? null : new Neighbours({ ...neighbours, clock }, () => this.all())
  }

  /** Whose they are. */
  get brokerId(): number {
    return this.#options.brokerId
  }

  /** What became of in-sync sets since the start of the process. */
  get inSyncCounts(): InSyncCounts {
    return this.#neighbours?.counts ?? noCounts
  }

  /** A follower fetches: it is there. */
  heardFrom(brokerId: number, connectionId: number): void {
    this.#neighbours?.heardFrom(brokerId, connectionId)
  }

  /**
   * Calls `listener` with a partition whenever whom it follows, and whether (`Partition.following`), may be another one.
   * Returns how to stop that.
   */
  onFollowing(listener: FollowingListener): () => void {
    return this.#neighbours?.onFollowing(listener) ?? (() => {})
  }

  /** By name, as clients know it. */
  find(topic: string, index: number): Partition | undefined {
    const id = this.#image?.topicByName(topic)?.id
    return id === undefined ? undefined : this.#byTopic.get(id)?.get(index)
  }

  /** Why there is no such partition here: others have its replicas, or it is not there at all. */
  absence(topic: string, index: number): ErrorName {
    const isElsewhere = this.leading(topic, index) !== null
    return isElsewhere ? 'NOT_LEADER_OR_FOLLOWER' : 'UNKNOWN_TOPIC_OR_PARTITION'
  }

  /** Who leads a partition, here or elsewhere, as the metadata says; null where there is none. */
  leading(topic: string, index: number): Pick<PartitionRole, 'leader' | 'leaderEpoch'> | null {
    return this.#image?.topicByName(topic)?.partitions[index] ?? null
  }

  /** Who leads each partition of the topic, by its index; -1 for nobody. Empty where there is no such topic. */
  leaders(topic: string): readonly number[] {
    return this.#image?.topicByName(topic)?.partitions.map(({ leader }) => leader) ?? []
  }

  /** By what name clients know the topic; undefined where there is none (KIP-516). */
  topicName(id: Uuid): string | undefined {
    return this.#image?.topicById(id)?.name
  }

  /** By the topic's id. */
  findById({ topicId, partition }: Pick<LogId, 'topicId' | 'partition'>): Partition | undefined {
    return this.#byTopic.get(topicId)?.get(partition)
  }

  *all(): Iterable<Partition> {
    for (const partitions of this.#byTopic.values()) yield* partitions.values()
  }

  /** What clients appended in this process, by topic. */
  *appended(): Iterable<TopicAppended> {
    for (const partitions of this.#byTopic.values()) {
      const counts = this.#appendCounts.of(partitions.values())
      if (counts !== null) yield counts
    }
  }

  /** Resolves when logs that the last image added are open and those that it dropped are gone. */
  settled(): Promise<void> {
    return this.#settled
  }

  /**
   * Brings what is open in line with `image`, which `records` made of the one before. The log of a topic goes only where
   * it was read that the topic was deleted; where it is absent and nothing else, the log is kept as a stray
   * (durability.md 1.7).
   */
  apply(image: MetadataImage, records: readonly MetadataRecord[] = []): void {
    this.#image = image
    this.#lookAround(image)
    const work = [...this.#drop(image, records), ...this.#add(image)]
    if (work.length === 0) return
    const before = this.#settled
    this.#settled = before.then(() => runBounded(work, this.#options.openingMax))
  }

  /** No log is opened any more. */
  stop(): void {
    this.#neighbours?.stop()
    for (const timer of this.#reopening.values()) timer.cancel()
    this.#reopening.clear()
  }

  /** The broker's own settings changed: every topic may have other ones now. */
  reconfigure(): void {
    this.#applied.clear()
    if (this.#image !== null) this.apply(this.#image)
  }

  /** Directories that no topic claims: those of deleted topics go, others are set aside (durability.md 1.7). */
  async sortUnclaimed(): Promise<void> {
    const image = this.#image
    if (image === null) return
    const strays: LogId[] = []
    this.#options.directory.forgetDeleted(topicId => image.wasDeleted(topicId))
    for (const id of this.#options.directory.found()) {
      if (this.#holds(image, id)) continue
      const isDeleted = image.wasDeleted(id.topicId)
      await this.#takeAway(id, isDeleted)
      if (!isDeleted) strays.push(id)
    }
    this.#tellStrays(image, strays)
  }

  /** Partitions that this broker holds and cannot serve, each with the reason. */
  *offline(): Iterable<{ readonly id: LogId; readonly reason: string }> {
    for (const { id, failure } of this.all()) if (failure !== null) yield { id, reason: failure }
  }

  #drop(image: MetadataImage, records: readonly MetadataRecord[]): (() => Promise<void>)[] {
    const deleted = new Set(
      records.flatMap(record => (record.type === 'topicDeleted' ? record.topicId : [])),
    )
    const work: (() => Promise<void>)[] = []
    const strays: LogId[] = []
    if (deleted.size > 0) this.#options.directory.forgetDeleted(topicId => deleted.has(topicId))
    for (const topicId of deleted) this.#applied.delete(topicId)
    for (const [topicId, partitions] of this.#byTopic) {
      const topic = image.topicById(topicId)
      if (topic !== undefined && topic === this.#applied.get(topicId)) continue
      const isDeleted = deleted.has(topicId) || image.wasDeleted(topicId)
      for (const [index, partition] of partitions) {
        if (this.#holds(image, partition.id)) continue
        this.#close(partition, isDeleted)
        this.#appendCounts.left(partition)
        partitions.delete(index)
        if (!isDeleted) strays.push(partition.id)
        work.push(() => this.#takeAway(partition.id, isDeleted))
      }
      if (partitions.size > 0) continue
      this.#byTopic.delete(topicId)
      this.#applied.delete(topicId)
      this.#appendCounts.forget(topicId)
    }
    this.#tellStrays(image, strays)
    return work
  }

  #tellStrays(image: MetadataImage, ids: readonly LogId[]): void {
    const isKnown = ({ topicId, partition }: LogId) =>
      image.topicById(topicId)?.partitions[partition] !== undefined
    const moved = ids.filter(isKnown)
    const unclaimed = ids.filter(id => !isKnown(id))
    if (moved.length > 0) this.#options.onStrays(moved, 'moved-away')
    if (unclaimed.length > 0) this.#options.onStrays(unclaimed, 'unclaimed')
  }

  #close(partition: Partition, isDeleted: boolean): void {
    this.#reopening.get(partition)?.cancel()
    this.#reopening.delete(partition)
    partition.close(isDeleted ? 'deleted' : 'moved')
  }

  #takeAway(id: LogId, isDeleted: boolean): Promise<void> {
    const { directory } = this.#options
    return isDeleted ? directory.remove(id) : directory.setAside(id)
  }

  #add(image: MetadataImage): (() => Promise<void>)[] {
    const work: (() => Promise<void>)[] = []
    const brokers = this.#isOwn(image) ? this.#surroundings?.brokers : undefined
    for (const topic of image.topics()) {
      if (this.#applied.get(topic.id) === topic) continue
      this.#applied.set(topic.id, topic)
      for (const wanted of topic.partitions) {
        if (!wanted.replicas.includes(this.#options.brokerId)) continue
        const config = this.#options.logConfig(topic)
        this.#forgetLost({ topicId: topic.id, topic: topic.name, partition: wanted.index })
        const { partition, isNew } = this.#ensure(topic, wanted.index, config)
        if (brokers !== undefined) partition.take(roleOf(image, topic, wanted, brokers))
        if (isNew) work.push(() => this.#open(partition, config))
        else partition.configure(config)
      }
    }
    return work
  }

  /** Where brokers, or settings for all of them, are other ones, so are the roles of topics that did not change. */
  #lookAround(image: MetadataImage): void {
    if (!this.#isOwn(image)) return
    const before = this.#surroundings
    const { brokers: seen } = image
    const configs = image.brokerConfigs(null)
    if (before?.seen === seen && before.configs === configs) return
    this.#surroundings = { seen, configs, brokers: replicaBrokersOf(image) }
    this.#takeRoles(image, this.#surroundings.brokers)
  }

  /** Whether it knows the start that this is: else its roles are meant for another one. */
  #isOwn(image: MetadataImage): boolean {
    const { brokerId, ownEpoch } = this.#options
    return ownEpoch === undefined || image.brokers.get(brokerId)?.epoch === ownEpoch()
  }

  #takeRoles(image: MetadataImage, brokers: PartitionRole['brokers']): void {
    for (const partition of this.all()) {
      const topic = image.topicById(partition.id.topicId)
      const wanted = topic?.partitions[partition.id.partition]
      if (topic !== undefined && wanted !== undefined && this.#holds(image, partition.id))
        partition.take(roleOf(image, topic, wanted, brokers))
    }
  }

  #holds(image: MetadataImage, { topicId, partition }: LogId): boolean {
    const wanted = image.topicById(topicId)?.partitions[partition]
    return wanted?.replicas.includes(this.#options.brokerId) ?? false
  }

  #ensure(
    topic: TopicImage,
    index: number,
    { flushPolicy }: LogConfig,
  ): { partition: Partition; isNew: boolean } {
    let partitions = this.#byTopic.get(topic.id)
    if (partitions === undefined) this.#byTopic.set(topic.id, (partitions = new Map()))
    const known = partitions.get(index)
    if (known !== undefined) return { partition: known, isNew: false }
    const id = { topicId: topic.id, topic: topic.name, partition: index }
    const partition = new Partition(id, this.#options.brokerId, {
      clock: this.#options.clock,
      countsWhenDurable: flushPolicy === 'ack',
      ...(this.#neighbours === null ? {} : { peers: this.#neighbours }),
    })
    partitions.set(index, partition)
    return { partition, isNew: true }
  }

  async #open(partition: Partition, config: LogConfig, failedCount = 0): Promise<void> {
    if (this.#byTopic.get(partition.id.topicId)?.get(partition.id.partition) !== partition) return
    try {
      const log = await this.#openLog(partition.id, config)
      // What an earlier run left in the page cache counts from here on, as what this one writes.
      if (config.flushPolicy === 'ack' && log.offline === null) await log.whenDurable(log.endOffset)
      const topic = this.#applied.get(partition.id.topicId)
      partition.open(log)
      // It may have changed meanwhile.
      if (topic !== undefined) partition.configure(this.#options.logConfig(topic))
      if (failedCount > 0) this.#options.onRecovery(partition.id)
    } catch (error) {
      partition.fail(error instanceof Error ? error.message : String(error))
      if (failedCount === 0) this.#options.onFailure(partition.id, error)
      if (error instanceof DiskError && isPassing(error))
        this.#openLater(partition, failedCount + 1)
    }
  }

  /** One that is lost here, and that the cluster does not count on, begins anew. */
  async #openLog(id: LogId, config: LogConfig): Promise<Log> {
    const { directory } = this.#options
    if (!this.#mayBeginAnew(id) || !this.#isLost(id)) {
      const opened = await directory.openLog(id, config).catch(missing)
      const isThere = !(opened instanceof MissingLogError)
      if (isThere && (opened.offline === null || !this.#mayBeginAnew(id))) return opened
      if (!isThere && !this.#mayBeginAnew(id)) throw opened
    }
    await directory.beginAnew(id)
    this.#options.onAnew?.(id)
    return directory.openLog(id, config)
  }

  /** A partition that was out of service, and is not counted on any more, is opened as a new one. */
  #forgetLost(id: LogId): void {
    const partition = this.findById(id)
    if (partition === undefined || partition.failure === null) return
    if (!this.#mayBeginAnew(id) || !this.#isLost(id)) return
    this.#close(partition, false)
    this.#byTopic.get(id.topicId)?.delete(id.partition)
  }

  #isLost({ topicId, partition }: LogId): boolean {
    const { damaged } = this.#options.directory
    return damaged.some(each => each.topicId === topicId && each.partition === partition)
  }

  #mayBeginAnew({ topicId, partition }: LogId): boolean {
    const { brokerId, directory } = this.#options
    const wanted = this.#image?.topicById(topicId)?.partitions[partition]
    if (wanted === undefined || this.#image === null || wanted.leader === brokerId) return false
    const { directoryId } = directory.identity
    return isUncounted(this.#image, wanted, { brokerId, directoryId })
  }

  #openLater(partition: Partition, failedCount: number): void {
    const delayMs = Math.min(reopenDelayMsMin * 2 ** (failedCount - 1), reopenDelayMsMax)
    const timer = this.#options.clock.after(delayMs, () => {
      this.#reopening.delete(partition)
      const topic = this.#applied.get(partition.id.topicId)
      if (topic === undefined) return
      void this.#open(partition, this.#options.logConfig(topic), failedCount)
    })
    this.#reopening.set(partition, timer)
  }
}

const noCounts: InSyncCounts = { expands: 0, shrinks: 0, recordsCut: 0 }

function missing(error: unknown): MissingLogError {
  if (error instanceof MissingLogError) return error
  throw error
}

/** What roles say beside what the partition's own entry in the image does. */
interface Surroundings {
  readonly seen: MetadataImage['brokers']
  readonly configs: ReadonlyMap<string, string>
  readonly brokers: PartitionRole['brokers']
}

/** Runs `work` with at most `concurrent` pieces under way. Pieces answer for their own errors. */
async function runBounded(work: (() => Promise<void>)[], concurrent: number): Promise<void> {
  const queue = work.values()
  const lane = async (): Promise<void> => {
    for (const piece of queue) await piece()
  }
  await Promise.all(Array.from({ length: concurrent }, lane))
}
