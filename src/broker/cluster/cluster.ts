import type { Env } from '../../env/env.ts'
import { sleep } from '../../env/clock.ts'
import { randomUuid } from '../../env/random.ts'
import { assert } from '../../lib/assert.ts'
import { readUint32 } from '../../lib/bytes.ts'
import type { Uuid } from '../../lib/uuid.ts'
import type {
  Answer,
  Command,
  ConfigChange,
  ConfigChangeResult,
  DeletionResult,
  PartitionsResult,
  PartitionsWish,
  Refusal,
  ScramUserChange,
  ScramUserResult,
  TopicResult,
  TopicTarget,
  TopicWish,
} from './controller/commands.ts'
import type { ConfigRules } from './controller/alter-configs.ts'
import type { TopicRules } from './controller/create-topics.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { ListenerAddress, MetadataRecord } from '../metadata/records.ts'
import {
  type MetadataStore,
  StoreError,
  type StoredLog,
  StoreUnavailable,
} from '../metadata/store.ts'
import { ControllerShell } from './controller-shell.ts'
import { type ProducerIdBlock, ProducerIds } from './producer-ids.ts'
import { replay } from './replay.ts'

export type { InternalTopic } from './controller/create-topics.ts'
export type {
  ConfigChange,
  ConfigChangeResult,
  ConfigEdit,
  ConfigResource,
  DeletionResult,
  PartitionsResult,
  PartitionsWish,
  ScramUserChange,
  TopicResult,
  TopicTarget,
  TopicWish,
} from './controller/commands.ts'

export interface ClusterOptions {
  readonly env: Pick<Env, 'clock' | 'random'>
  /** The cluster closes it, also where it does not start. */
  readonly store: MetadataStore
  readonly brokerId: number
  readonly rack?: string | null
  /** Where clients reach this broker, by listener name. */
  readonly listeners: readonly ListenerAddress[]
  /** What -1 in a TopicWish stands for. */
  readonly defaults: { readonly partitionCount: number; readonly replicationFactor: number }
  readonly limits?: {
    /** Partitions that one request may create. Default 10,000. */
    readonly requestPartitionCountMax?: number
    /** Partitions of all topics. Default 100,000. */
    readonly clusterPartitionCountMax?: number
  }
  /** What is wrong with a topic's overrides, for the client; null where nothing is. Default: nothing ever is. */
  readonly validateConfigs?: TopicRules['validateConfigs']
  /** What brokers' settings may be while they run, and groups' configs. Default: anything, and nothing is a list. */
  readonly configRules?: Omit<ConfigRules, 'validateConfigs'>
  /** How topics are made that brokers write and clients may not. Default: there are none. */
  readonly internalTopics?: TopicRules['internalTopics']
  /** Where given: the id of a new cluster, and what the store must hold. */
  readonly clusterId?: Uuid
  /** False: other brokers may be registered too. Default true. */
  readonly isSoleBroker?: boolean
  /** How long a store that does not answer is left alone. Default 500. */
  readonly retryDelayMs?: number
}

export type ImageListener = (image: MetadataImage, records: readonly MetadataRecord[]) => void

/**
 * This broker's part in the cluster: what the metadata log says, as an image that every change replaces, and the
 * changes that may be asked for. This broker is always the controller.
 */
export class Cluster {
  readonly #options: ClusterOptions
  readonly #shell: ControllerShell
  readonly #producerIds: ProducerIds
  readonly #imageListeners: ImageListener[] = []
  readonly #failureListeners: ((error: Error) => void)[] = []
  readonly #epochBefore: number | null
  #epoch = -1
  #image: MetadataImage
  #failure: Error | null = null
  #stopping: Promise<void> | null = null

  private constructor(options: ClusterOptions, log: StoredLog) {
    const { env, store, brokerId, clusterId, retryDelayMs = 500 } = options
    this.#options = options
    this.#image = replay(log)
    this.#epochBefore = this.#image.brokers.get(brokerId)?.epoch ?? null
    checkClusterId(this.#image, clusterId)
    if (options.isSoleBroker !== false) checkSoleBroker(this.#image, brokerId)
    this.#shell = new ControllerShell({
      clock: env.clock,
      store,
      cursor: log.cursor,
      retryDelayMs,
      controller: {
        brokerId,
        claimId: randomUuid(env.random),
        clusterId: clusterId ?? randomUuid(env.random),
        image: this.#image,
        nextSequence: log.cursor.nextSequence,
        snapshotSequence: log.snapshot?.sequence ?? 0,
        snapshotIntervalMax: store.snapshotIntervalMax,
        unsnapshottedMax: store.unsnapshottedMax,
        room: store.room,
        payloadBytesMax: store.payloadBytesMax,
        rules: rulesOf(options),
      },
      onPublish: (image, records) => this.#publish(image, records),
      onFailure: error => this.#fail(error),
    })
    this.#producerIds = new ProducerIds(() => this.#fetchProducerIds())
  }

  /**
   * Reads the log, creates the cluster where there is none, becomes the controller and registers this broker.
   * Waits for a store that does not answer.
   * @throws StoreError where the store is damaged or failed, or holds another cluster; Deposed where somebody
   * else became the controller meanwhile
   */
  static async start(options: ClusterOptions): Promise<Cluster> {
    try {
      await acquireLease(options)
      const cluster = new Cluster(options, await readLog(options))
      await cluster.#shell.start()
      await cluster.#register()
      cluster.#producerIds.refill()
      return cluster
    } catch (error) {
      await options.store.close()
      throw error
    }
  }

  /** Everything committed. Each change makes a new one; never older than one seen before (G47). */
  get image(): MetadataImage {
    return this.#image
  }

  get brokerId(): number {
    return this.#options.brokerId
  }

  /** Epochs of this broker: of the start that this is, and of the last one before it, null where there was none. */
  get registration(): { readonly before: number | null; readonly now: number } {
    return { before: this.#epochBefore, now: this.#epoch }
  }

  /** True while the store does not answer: what is asked waits. */
  get isWaiting(): boolean {
    return this.#shell.isWaiting
  }

  /** Set when `onFailure` was told. */
  get failure(): Error | null {
    return this.#failure
  }

  /**
   * Calls `listener` with every image after the present one, and the records that made it, before whoever asked
   * for the change gets an answer. Returns how to stop that. A listener that throws ends the cluster (`onFailure`).
   */
  onImage(listener: ImageListener): () => void {
    this.#imageListeners.push(listener)
    return () => removeFrom(this.#imageListeners, listener)
  }

  /** Once: the store failed for good, or somebody else writes to it. No change is possible after; the image stays. */
  onFailure(listener: (error: Error) => void): void {
    if (this.#failure === null) this.#failureListeners.push(listener)
    else listener(this.#failure)
  }

  /**
   * One result a wish, in their order. Resolves when what was created is committed, and `image` has it; so where
   * two ask for one name, the later gets TOPIC_ALREADY_EXISTS and finds the topic in `image`. After `timeoutMs`
   * the result is REQUEST_TIMED_OUT, and the message says whether it may still happen.
   */
  async createTopics(
    wishes: readonly TopicWish[],
    validateOnly: boolean,
    timeoutMs?: number,
  ): Promise<TopicResult[]> {
    const drafts = wishes.map(wish => ({
      ...wish,
      topicId: randomUuid(this.#options.env.random),
      placementStart: this.#anywhere(),
    }))
    const command = { type: 'createTopics', drafts, validateOnly } as const
    const answer = await this.#ask(command, 'topicsCreated', timeoutMs)
    if (answer.type === 'topicsCreated') return [...answer.results]
    const { error, message } = answer
    const nothing = { id: null, partitionCount: -1, replicationFactor: -1, configs: [] }
    return wishes.map(({ name }) => ({ name, error, message, ...nothing }))
  }

  /** One result a wish, in their order. Resolves when the new partitions are committed, and `image` has them. */
  async createPartitions(
    wishes: readonly PartitionsWish[],
    validateOnly: boolean,
    timeoutMs?: number,
  ): Promise<PartitionsResult[]> {
    const drafts = wishes.map(wish => ({ ...wish, placementStart: this.#anywhere() }))
    const command = { type: 'createPartitions', drafts, validateOnly } as const
    const answer = await this.#ask(command, 'partitionsCreated', timeoutMs)
    if (answer.type === 'partitionsCreated') return [...answer.results]
    const { error, message } = answer
    return wishes.map(({ name }) => ({ name, error, message }))
  }

  /** One result a target, in their order. Resolves when the deletions are committed, and gone from `image`. */
  async deleteTopics(
    targets: readonly TopicTarget[],
    timeoutMs?: number,
  ): Promise<DeletionResult[]> {
    const answer = await this.#ask({ type: 'deleteTopics', targets }, 'topicsDeleted', timeoutMs)
    if (answer.type === 'topicsDeleted') return [...answer.results]
    const { error, message } = answer
    return targets.map(({ name, id }) => ({ name, id, error, message }))
  }

  /** One result a resource, in their order; each one's changes happen together or not at all. */
  async alterConfigs(
    changes: readonly ConfigChange[],
    validateOnly: boolean,
  ): Promise<ConfigChangeResult[]> {
    const command = { type: 'alterConfigs', changes, validateOnly } as const
    const answer = await this.#ask(command, 'configsAltered')
    if (answer.type === 'configsAltered') return [...answer.results]
    const { error, message } = answer
    return changes.map(() => ({ error, message }))
  }

  /** One result a user, in their order; each one's changes happen together or not at all. */
  async alterScramUsers(changes: readonly ScramUserChange[]): Promise<ScramUserResult[]> {
    const answer = await this.#ask({ type: 'alterScramUsers', changes }, 'scramUsersAltered')
    if (answer.type === 'scramUsersAltered') return [...answer.results]
    const { error, message } = answer
    return changes.map(() => ({ error, message }))
  }

  /** An id that nobody got before, nor will after any crash. Rejects where none is left and the store cannot give more. */
  allocateProducerId(): Promise<number> {
    return this.#producerIds.allocate()
  }

  /** Finishes what is being appended, refuses the rest, and closes the store. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await this.#shell.stop()
    await this.#options.store.lease.release()
    await this.#options.store.close()
  }

  async #register(): Promise<void> {
    const { env, brokerId, rack = null, listeners } = this.#options
    const incarnationId = randomUuid(env.random)
    const command = { type: 'registerBroker', brokerId, incarnationId, rack, listeners } as const
    const answer = await this.#ask(command, 'brokerRegistered')
    if (answer.type === 'refused') throw this.#failure ?? new Error(answer.message)
    this.#epoch = answer.brokerEpoch
  }

  async #fetchProducerIds(): Promise<ProducerIdBlock> {
    const { brokerId } = this.#options
    const command = { type: 'allocateProducerIds', brokerId } as const
    const answer = await this.#ask(command, 'producerIdsAllocated')
    if (answer.type === 'refused') throw new Error(answer.message)
    return { first: answer.firstProducerId, count: answer.count }
  }

  async #ask<T extends Answer['type']>(
    command: Command,
    expected: T,
    timeoutMs?: number,
  ): Promise<Extract<Answer, { type: T }> | Refusal> {
    const answer = await this.#shell.ask(command, timeoutMs)
    assert(answer.type === expected || answer.type === 'refused', 'an answer fits its command')
    return answer as Extract<Answer, { type: T }> | Refusal
  }

  /** Where round robin begins. */
  #anywhere(): number {
    return readUint32(this.#options.env.random.bytes(4), 0)
  }

  #publish(image: MetadataImage, records: readonly MetadataRecord[]): void {
    assert(image.sequence > this.#image.sequence, 'images go forward')
    this.#image = image
    for (const listener of this.#imageListeners.slice()) listener(image, records)
  }

  #fail(error: Error): void {
    this.#failure = error
    for (const listener of this.#failureListeners.splice(0)) listener(error)
  }
}

async function acquireLease({ env, store, retryDelayMs = 500 }: ClusterOptions): Promise<void> {
  while (!(await store.lease.acquire({ force: false }))) await sleep(env.clock, retryDelayMs)
}

async function readLog({ env, store, retryDelayMs = 500 }: ClusterOptions): Promise<StoredLog> {
  for (;;) {
    try {
      return await store.readAll()
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      await sleep(env.clock, retryDelayMs)
    }
  }
}

function checkClusterId(image: MetadataImage, expected: Uuid | undefined): void {
  if (expected === undefined || !image.isCreated || image.clusterId === expected) return
  throw new StoreError(
    'unsuitable',
    `The metadata store holds cluster ${image.clusterId}, and this broker is of cluster ${expected}. ` +
      'Correct the cluster id, or give the broker its own directory.',
  )
}

/** A broker with another id would be placed beside one that is gone, and its partitions led by nobody. */
function checkSoleBroker(image: MetadataImage, brokerId: number): void {
  const other = [...image.brokers.keys()].find(id => id !== brokerId)
  if (other === undefined) return
  throw new StoreError(
    'unsuitable',
    `The metadata store belongs to broker ${other}, and this is broker ${brokerId}. Set node.id back to ${other}, or ` +
      'give this broker its own directory.',
  )
}

function rulesOf(options: ClusterOptions): TopicRules & ConfigRules {
  const { defaults, limits = {}, internalTopics, validateConfigs, configRules } = options
  return {
    validateBrokerConfigs: configs => configRules?.validateBrokerConfigs(configs) ?? null,
    validateGroupConfigs: configs => configRules?.validateGroupConfigs(configs) ?? null,
    listBeneath: (resource, name) => configRules?.listBeneath(resource, name) ?? null,
    partitionCountDefault: defaults.partitionCount,
    replicationFactorDefault: defaults.replicationFactor,
    requestPartitionCountMax: limits.requestPartitionCountMax ?? 10_000,
    clusterPartitionCountMax: limits.clusterPartitionCountMax ?? 100_000,
    internalTopics: internalTopics ?? new Map(),
    validateConfigs: validateConfigs ?? (() => null),
  }
}

function removeFrom<T>(list: T[], item: T): void {
  const at = list.indexOf(item)
  if (at >= 0) list.splice(at, 1)
}
