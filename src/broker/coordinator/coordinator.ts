import type { Env, Timer } from '../../env/env.ts'
import { zeroUuid } from '../../lib/uuid.ts'
import type { OffsetValue } from './groups/records.ts'
import { randomUuid } from '../../env/random.ts'
import { assert } from '../../lib/assert.ts'
import { KnownTime } from '../../lib/known-time.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type {
  DeleteOffsetsAnswer,
  GroupAnswer,
  GroupEffect,
  GroupError,
  GroupEvent,
  JoinAnswer,
  JoinWish,
  LeaveAnswer,
  Leaver,
  MemberClaim,
  Moment,
  OffsetCommit,
  PlainAnswer,
  SyncAnswer,
  SyncWish,
  TopicPartition,
} from './groups/events.ts'
import { Groups, type GroupsConfig, stallMsMin } from './groups/groups.ts'
import type { Codecs } from '../log/compression/codecs.ts'
import type { MetadataImage, TopicImage } from '../metadata/image.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import type { Partitions } from '../partition/partitions.ts'
import { GroupViews } from './group-views.ts'
import { GroupWriter } from './group-writer.ts'
import { loadGroups } from './group-loading.ts'
import { offsetsTopicName } from '../../lib/topic-name.ts'
import { OffsetsTopic, partitionOf } from './offsets-topic.ts'
import { Shards } from './shards.ts'
import type { LoadedGroups } from './groups/restore.ts'

export interface CoordinatorOptions {
  readonly env: Pick<Env, 'clock' | 'random' | 'crc32c'>
  readonly cluster: Cluster
  readonly partitions: Partitions
  readonly codecs: Codecs
  readonly groups: GroupsConfig
  readonly commitTimeoutMs: number
  /** As `ShardsOptions.silenceMsMax`. */
  readonly silenceMsMax: number
  readonly expiryCheckIntervalMs: number
  /** A line in the log: constant message, fields. */
  readonly info: (message: string, fields: Readonly<Record<string, unknown>>) => void
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** Often enough that nobody stands still for `stallMsMin` without it being noticed, whatever his groups are due for. */
const beatMs = 500

/**
 * The front door of the room: the shell of the groups. It gives them time, stores what they want stored, loads what was stored, and hands their
 * answers to whoever asked. A group is kept by one partition of the offsets topic and coordinated where that is led.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions
  readonly #groups: Groups
  readonly #writer: GroupWriter
  readonly #topic: OffsetsTopic
  /** What tools and metrics may know of the groups. */
  readonly views: GroupViews
  readonly #waiting = new Map<number, (answer: GroupAnswer) => void>()
  #lastId = 0
  readonly #wakes = new Map<string, Timer>()
  readonly #shards: Shards
  /** As the shards last followed it. */
  #followed: TopicImage | undefined
  /** As of the last change that was told. */
  #image: MetadataImage
  #expiry: Timer | null = null
  /** While any group waits for its time. */
  #beat: Timer | null = null
  /** When it was last seen that the process runs, on the monotonic clock. */
  #lookedMs = 0
  readonly #time = new KnownTime()
  #stopWatching: (() => void) | null = null
  #isStopped = false
  #making: Promise<string | null> | null = null

  constructor(options: CoordinatorOptions) {
    const { env, partitions, cluster, commitTimeoutMs } = options
    this.#options = options
    this.#image = cluster.image
    this.#groups = new Groups(options.groups)
    this.views = new GroupViews(this.#groups)
    this.#topic = new OffsetsTopic({ cluster, settled: () => partitions.settled() })
    this.#writer = new GroupWriter({
      clock: env.clock,
      crc32c: env.crc32c,
      timeoutMs: commitTimeoutMs,
      partition: index => partitions.find(offsetsTopicName, index),
    })
    this.#shards = new Shards({
      brokerId: cluster.brokerId,
      clock: env.clock,
      silenceMsMax: options.silenceMsMax,
      partitions,
      load: partition => loadGroups(partition, { ...options, crc32c: env.crc32c }),
      adopt: (...loaded) => this.#adopt(...loaded),
      drop: isDropped => this.#perform(this.#groups.drop(isDropped, this.#now())),
      warn: options.warn,
    })
  }

  /** Begins to load what the offsets topic has, if it is there, and returns at once. */
  start(): void {
    const { cluster, env, expiryCheckIntervalMs } = this.#options
    this.#stopWatching = cluster.onImage((image, records) => this.#follow(image, records))
    this.#isTimeKnown()
    this.#expiry = env.clock.every(expiryCheckIntervalMs, () => this.#expire())
    this.#followTopic()
  }

  /** Whoever is parked is told to look for another coordinator; what is being stored is stored. */
  stop(): void {
    this.#isStopped = true
    this.#stopWatching?.()
    this.#expiry?.cancel()
    this.#beat?.cancel()
    this.#shards.stop()
    this.#perform(this.#groups.drop(() => true, this.#now()))
    this.#writer.flush()
    this.#writer.stop()
  }

  /** Makes the offsets topic where there is none. Resolves with what is wrong, null where groups may come. */
  ensureTopic(): Promise<string | null> {
    if (this.#topic.image !== undefined && this.#making === null) return Promise.resolve(null)
    this.#making ??= this.#makeTopic().finally(() => (this.#making = null))
    return this.#making
  }

  /** All who ask meanwhile wait for the same: a new topic has nothing to load, and kafkajs takes "loading" for a crash. */
  async #makeTopic(): Promise<string | null> {
    const problem = await this.#topic.ensure()
    await this.#shards.loaded()
    return problem
  }

  /** The broker that leads the partition that keeps a group; -1 where nobody does. */
  leaderOf(groupId: string): number {
    const partitions = this.#topic.image?.partitions ?? []
    return partitions[partitionOf(groupId, partitions.length)]?.leader ?? -1
  }

  /** Why nothing can be said of a group; NONE where it can. */
  refusal(groupId: string): GroupError {
    return this.#isStopped ? 'NOT_COORDINATOR' : this.#shards.refusal(groupId)
  }

  /** Some groups are not known yet. */
  get isLoading(): boolean {
    return this.#shards.isLoading
  }

  /** Some groups are not known yet, and will be soon. */
  get isTooEarlyToList(): boolean {
    return this.#shards.isTooEarlyToList
  }

  join(groupId: string, wish: Omit<JoinWish, 'freshMemberId'>): Promise<JoinAnswer> {
    const stem = wish.instanceId ?? wish.clientId
    const freshMemberId = `${stem}-${randomUuid(this.#options.env.random)}`
    const whole = { ...wish, freshMemberId }
    return this.#ask(id => ({ type: 'join', id, groupId, wish: whole })) as Promise<JoinAnswer>
  }

  sync(groupId: string, wish: SyncWish): Promise<SyncAnswer> {
    return this.#ask(id => ({ type: 'sync', id, groupId, wish })) as Promise<SyncAnswer>
  }

  async heartbeat(groupId: string, claim: MemberClaim): Promise<GroupError> {
    return (await this.#askPlain(id => ({ type: 'heartbeat', id, groupId, claim }))).error
  }

  /** One error a leaver, in their order. */
  async leave(groupId: string, leavers: readonly Leaver[]): Promise<readonly GroupError[]> {
    const answer = await this.#ask(id => ({ type: 'leave', id, groupId, leavers }))
    return (answer as LeaveAnswer).errors
  }

  async commit(
    groupId: string,
    claim: MemberClaim,
    offsets: readonly OffsetCommit[],
  ): Promise<GroupError> {
    return (await this.#askPlain(id => ({ type: 'commit', id, groupId, claim, offsets }))).error
  }

  async deleteGroup(groupId: string): Promise<GroupError> {
    return (await this.#askPlain(id => ({ type: 'deleteGroup', id, groupId }))).error
  }

  deleteOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<DeleteOffsetsAnswer> {
    return this.#ask(id => ({
      type: 'deleteOffsets',
      id,
      groupId,
      partitions,
    })) as Promise<DeleteOffsetsAnswer>
  }

  #askPlain(event: (id: number) => GroupEvent): Promise<PlainAnswer> {
    return this.#ask(event) as Promise<PlainAnswer>
  }

  /** The caller has asked `refusal` before, in the same turn. */
  #ask(event: (id: number) => GroupEvent): Promise<GroupAnswer> {
    return new Promise(resolve => {
      const id = ++this.#lastId
      this.#waiting.set(id, resolve)
      this.#step(event(id))
    })
  }

  #step(event: GroupEvent): void {
    if (this.#isStopped && event.type !== 'appended' && event.type !== 'delayed') return
    this.#look()
    this.#perform(this.#groups.step(event, this.#now()))
  }

  /** At every beat, and before anything else happens: for how long did nothing? */
  #look(): void {
    if (this.#beat === null) return
    const now = this.#now()
    const lostMs = now.monotonicMs - this.#lookedMs
    this.#lookedMs = now.monotonicMs
    if (lostMs > stallMsMin) this.#perform(this.#groups.step({ type: 'stoodStill', lostMs }, now))
  }

  #beats(): void {
    this.#look()
    if (this.#wakes.size > 0) return
    this.#beat?.cancel()
    this.#beat = null
  }

  /** By the wall clock: what goes by one that was set ahead does not come back when it is set right. */
  #expire(): void {
    if (this.#isTimeKnown()) return this.#step({ type: 'expire' })
    this.#options.warn(
      'The wall clock jumped: no committed offset expires until it is back, or has stood by its new time',
      {},
    )
  }

  #isTimeKnown(): boolean {
    const { wallMs, monotonicMs } = this.#now()
    return this.#time.look(wallMs, monotonicMs)
  }

  #now(): Moment {
    const { clock } = this.#options.env
    return { monotonicMs: clock.monotonic(), wallMs: clock.now() }
  }

  #perform(effects: readonly GroupEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'answer': {
          const resolve = this.#waiting.get(effect.id)
          assert(resolve !== undefined, 'a request is answered once')
          this.#waiting.delete(effect.id)
          resolve(effect.answer)
          break
        }
        case 'append':
          this.#append(effect)
          break
        case 'wake':
          this.#wakeAt(effect.groupId, effect.atMs)
          break
        case 'gone':
          this.#wakes.get(effect.groupId)?.cancel()
          this.#wakes.delete(effect.groupId)
          break
        case 'log':
          this.#options.info(effect.message, effect.fields)
          break
      }
    }
  }

  #append({ writeId, groupId, records }: GroupEffect & { readonly type: 'append' }): void {
    this.#writer.write(this.#shards.placeOf(groupId), records, {
      done: outcome => this.#step({ type: 'appended', writeId, outcome }),
      delayed: error => this.#step({ type: 'delayed', writeId, error }),
    })
  }

  #wakeAt(groupId: string, atMs: number): void {
    const { clock } = this.#options.env
    this.#wakes.get(groupId)?.cancel()
    const timer = clock.after(Math.max(0, atMs - clock.monotonic()), () => {
      this.#wakes.delete(groupId)
      this.#step({ type: 'wake', groupId })
    })
    this.#wakes.set(groupId, timer)
    if (this.#beat !== null) return
    this.#lookedMs = clock.monotonic()
    this.#beat = clock.every(beatMs, () => this.#beats())
  }

  #follow(image: MetadataImage, records: readonly MetadataRecord[]): void {
    const before = this.#image
    this.#image = image
    this.#followTopic()
    const topics = records.flatMap(record =>
      record.type === 'topicDeleted' ? (before.topicById(record.topicId)?.name ?? []) : [],
    )
    if (topics.length === 0) return
    this.#shards.topicsDeleted(topics)
    this.#step({ type: 'topicsDeleted', topics })
  }

  /** An image shares what did not change. */
  #followTopic(): void {
    const { image } = this.#topic
    if (this.#isStopped || (image === this.#followed && image !== undefined)) return
    this.#followed = image
    this.#shards.follow(image?.partitions.length ?? 0)
  }

  /** What was committed for a topic that is not there any more is forgotten; its name may be another one's by now. */
  #adopt(groups: LoadedGroups, deletedTopics: ReadonlySet<string>): void {
    const isGone = (name: string, { topicId }: OffsetValue): boolean => {
      const topic = this.#image.topicByName(name)
      if (topic === undefined) return true
      // Where the id was not kept yet, only the time can tell whose offset it is.
      return topicId === zeroUuid ? deletedTopics.has(name) : topicId !== topic.id
    }
    this.#perform(this.#groups.adopt(groups.all(), this.#now(), isGone))
  }
}
