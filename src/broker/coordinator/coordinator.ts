import type { Env, Timer } from '../../env/env.ts'
import { randomUuid } from '../../env/random.ts'
import { assert } from '../../lib/assert.ts'
import type { Uuid } from '../../lib/uuid.ts'
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
import { Groups, type GroupsConfig } from './groups/groups.ts'
import type { Codecs } from '../log/compression/codecs.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import type { Partitions } from '../partition/partitions.ts'
import { GroupViews } from './group-views.ts'
import { GroupWriter } from './group-writer.ts'
import { loadGroups } from './group-loading.ts'
import { offsetsTopicName } from './internal-topics.ts'
import { OffsetsTopic, partitionOf } from './offsets-topic.ts'

export interface CoordinatorOptions {
  readonly env: Pick<Env, 'clock' | 'random' | 'crc32c'>
  readonly cluster: Cluster
  readonly partitions: Partitions
  readonly codecs: Codecs
  readonly groups: GroupsConfig
  readonly commitTimeoutMs: number
  readonly expiryCheckIntervalMs: number
  /** A line in the log: constant message, fields. */
  readonly info: (message: string, fields: Readonly<Record<string, unknown>>) => void
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** What is known of one partition of the offsets topic: nothing until it is loaded. */
type Loading = 'loading' | 'ready' | { readonly failedMs: number }
/** How long a partition that could not be loaded is left alone. */
const reloadDelayMs = 30_000

/** Partitions that are loaded at the same time. */
const loadingMax = 4

/**
 * The shell of the groups: it gives them time, stores what they want stored, loads what was stored, and hands their
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
  /** By partition, of the topic `#topicId`. */
  #loading = new Map<number, Loading>()
  #topicId: Uuid | null = null
  /** There may be others of these names by now. */
  readonly #deletedWhileLoading = new Set<string>()
  #loaded: Promise<void> = Promise.resolve()
  /** As of the last change that was told. */
  #image: MetadataImage
  #expiry: Timer | null = null
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
  }

  /** Begins to load what the offsets topic has, if it is there, and returns at once. */
  start(): void {
    const { cluster, env, expiryCheckIntervalMs } = this.#options
    this.#stopWatching = cluster.onImage((image, records) => this.#follow(image, records))
    this.#expiry = env.clock.every(expiryCheckIntervalMs, () => this.#step({ type: 'expire' }))
    this.#followTopic()
  }

  /** Whoever is parked is told to look for another coordinator; what is being stored is stored. */
  stop(): void {
    this.#isStopped = true
    this.#stopWatching?.()
    this.#expiry?.cancel()
    this.#perform(this.#groups.drop(() => true, this.#now()))
    this.#writer.flush()
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
    await this.#loaded
    return problem
  }

  /** Why nothing can be said of a group; NONE where it can. */
  refusal(groupId: string): GroupError {
    const image = this.#topic.image
    if (this.#isStopped || image === undefined) return 'NOT_COORDINATOR'
    const index = partitionOf(groupId, image.partitions.length)
    const loading = this.#loading.get(index)
    if (loading === undefined) return 'NOT_COORDINATOR'
    if (loading === 'loading') return 'COORDINATOR_LOAD_IN_PROGRESS'
    const partition = this.#options.partitions.find(offsetsTopicName, index)
    if (loading === 'ready')
      return partition?.availability() === 'NONE' ? 'NONE' : 'NOT_COORDINATOR'
    // What it failed for may be over: descriptors were short, or the log could not be opened and is now.
    const isDue = this.#now().monotonicMs >= loading.failedMs + reloadDelayMs
    if (!isDue || !partition?.isOpen) return 'COORDINATOR_NOT_AVAILABLE'
    this.#loading.set(index, 'loading')
    void this.#load(index, this.#loading)
    return 'COORDINATOR_LOAD_IN_PROGRESS'
  }

  /** Some groups are not known yet. */
  get isLoading(): boolean {
    for (const state of this.#loading.values()) if (state === 'loading') return true
    return false
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
    if (this.#isStopped && event.type !== 'appended') return
    this.#perform(this.#groups.step(event, this.#now()))
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
    const count = this.#topic.image?.partitions.length ?? 1
    this.#writer.write(partitionOf(groupId, count), records, outcome => {
      this.#step({ type: 'appended', writeId, outcome })
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
  }

  #follow(image: MetadataImage, records: readonly MetadataRecord[]): void {
    const before = this.#image
    this.#image = image
    this.#followTopic()
    const topics = records.flatMap(record =>
      record.type === 'topicDeleted' ? (before.topicById(record.topicId)?.name ?? []) : [],
    )
    if (topics.length === 0) return
    if (this.isLoading) for (const topic of topics) this.#deletedWhileLoading.add(topic)
    this.#step({ type: 'topicsDeleted', topics })
  }

  /** What a log that is being loaded says of the topic was committed for one that is not there any more. */
  #isGone(topic: string): boolean {
    return this.#deletedWhileLoading.has(topic) || this.#image.topicByName(topic) === undefined
  }

  /** Loads a topic that is new, and forgets what was known by one that is gone. */
  #followTopic(): void {
    const image = this.#topic.image
    if (this.#isStopped || this.#topicId === this.#topic.id) return
    this.#topicId = this.#topic.id
    this.#perform(this.#groups.drop(() => true, this.#now()))
    const loading = (this.#loading = new Map<number, Loading>())
    for (const { index } of image?.partitions ?? []) loading.set(index, 'loading')
    if (image === undefined) return
    const queue = [...loading.keys()].values()
    const lane = async (): Promise<void> => {
      await this.#options.partitions.settled()
      for (const index of queue) await this.#load(index, loading)
    }
    this.#loaded = Promise.all(Array.from({ length: loadingMax }, lane)).then(() => {})
  }

  async #load(index: number, loading: Map<number, Loading>): Promise<void> {
    const { partitions, codecs, env, warn } = this.#options
    try {
      const partition = partitions.find(offsetsTopicName, index)
      if (partition?.isOpen) {
        const groups = await loadGroups(partition, { codecs, crc32c: env.crc32c, warn })
        if (this.#loading !== loading || this.#isStopped) return
        this.#perform(this.#groups.adopt(groups.all(), this.#now(), name => this.#isGone(name)))
        loading.set(index, 'ready')
        if (!this.isLoading) this.#deletedWhileLoading.clear()
      } else if (this.#loading === loading) loading.set(index, { failedMs: -Infinity })
    } catch (error) {
      if (this.#loading !== loading || this.#isStopped) return
      loading.set(index, { failedMs: this.#now().monotonicMs })
      warn('A partition of the offsets topic could not be loaded', {
        partition: index,
        reason: error instanceof Error ? error.message : String(error),
      })
    }
  }
}
