import { sleep } from '../../env/clock.ts'
import { randomUuid } from '../../env/random.ts'
import { assert } from '../../lib/assert.ts'
import { readUint32 } from '../../lib/bytes.ts'
import { deferred } from '../../lib/deferred.ts'
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
import type { WireClient } from '../wire/client/client.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import { CopiedStore } from '../metadata/copy/copied-store.ts'
import type { StoredLog } from '../metadata/store.ts'
import { replay } from './replay.ts'
import { type Look, look, suitable } from './look.ts'
import { countedStarts, spareIn } from './local-facts.ts'
import { openedView } from './opened-view.ts'
import { Membership } from './membership.ts'
import type { Office } from './office.ts'
import { Deposed } from './controller-shell.ts'
import type { ImageListener, OpenedCluster, PeerService } from './peer-service.ts'
import type { PartitionChange, PartitionChangeOutcome } from './partition-changes.ts'
import type { ClusterOptions, StandAlone } from './options.ts'
import { type ProducerIdBlock, ProducerIds } from './producer-ids.ts'
import { advanced, isOnlyBroker, standInImage } from './stand-in.ts'

export type { ClusterOptions, StandAlone } from './options.ts'
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

/** A producer that finds no id left hears of it within this time, before its client gives up: after 30 s, most of them. */
const producerIdsTimeoutMs = 10_000

export type { ImageListener } from './peer-service.ts'

/**
 * The front door of the room: this broker's part in the cluster. What the metadata log says is an image that every change
 * replaces; changes may be asked for here whoever the controller is, and only while this broker stands alone on its copy
 * (`ClusterOptions.copy`) is nothing changed.
 */
export class Cluster implements OpenedCluster {
  readonly #options: ClusterOptions
  readonly #membership: Membership
  readonly #producerIds: ProducerIds
  readonly #imageListeners = new Set<ImageListener>()
  readonly #failureListeners: ((error: Error) => void)[] = []
  #epochBefore: number | null
  #epoch = -1
  #image: MetadataImage
  #failure: Error | null = null
  #stopping: Promise<void> | null = null

  private constructor(options: ClusterOptions, image: MetadataImage) {
    const { copy, brokerId } = options
    this.#options = options
    this.#image = image
    this.#epochBefore = image.brokers.get(brokerId)?.epoch ?? null
    this.#membership = new Membership(options, {
      image: () => this.#image,
      publish: (next, records) => this.#publish(next, records),
      registered: epoch => {
        this.#epoch = epoch
        this.#producerIds.refill()
        options.registered?.(epoch)
      },
      failed: error => this.#fail(error),
      opened: opened => this.#opened(opened),
    })
    const spare = copy === undefined ? null : spareIn(copy)
    this.#producerIds = new ProducerIds(() => this.#fetchProducerIds(), spare)
    options.begun?.(this)
  }

  /**
   * Reads the log, creates the cluster where there is none, becomes the controller and registers this broker.
   * Waits for a store that does not answer; with a copy to stand on it begins without, and goes on looking.
   * @throws StoreError where the store or the copy is damaged or failed, or holds another cluster; Deposed where somebody
   * else became the controller meanwhile
   */
  static async start(given: ClusterOptions): Promise<Cluster> {
    const { copy, store, brokerId } = given
    const isShared = (log: StoredLog): boolean => !isOnlyBroker(replay(log), brokerId)
    const options =
      copy === undefined ? given : { ...given, store: new CopiedStore(store, copy, isShared) }
    try {
      return await Cluster.#begin(options)
    } catch (error) {
      await options.store.close()
      throw error
    }
  }

  static async #begin(options: ClusterOptions): Promise<Cluster> {
    const { copy, brokerId, env, retryDelayMs = 500 } = options
    const own = copy === undefined ? null : standInImage(copy, brokerId)
    if (own !== null) suitable(own, options)
    for (;;) {
      const found = await look(options)
      if (found.kind === 'held' || found.kind === 'read') {
        const cluster = new Cluster(options, found.image)
        if (await cluster.#enter(found)) return cluster
        continue
      }
      if (copy !== undefined && own !== null) {
        const cluster = new Cluster(options, own)
        cluster.#standOn(await countedStarts(copy))
        cluster.#membership.standAlone(found)
        return cluster
      }
      if (found.kind === 'unusable') throw found.error
      await sleep(env.clock, Math.max(retryDelayMs, found.retryAfterMs ?? 0))
    }
  }

  /** False where another broker came first, and one must look again. */
  async #enter(found: Exclude<Look, { readonly kind: 'unavailable' | 'unusable' }>) {
    const { brokerId, isSoleBroker = true } = this.#options
    const isFirst = found.image.brokers.size === 0 || isOnlyBroker(found.image, brokerId)
    if (found.kind === 'held' || (!isFirst && !isSoleBroker)) {
      await this.#membership.join(found)
      return true
    }
    try {
      await this.#attach(found)
      return true
    } catch (error) {
      if (isSoleBroker || !(error instanceof Deposed)) throw error
      return false
    }
  }

  /** At the start: a store that goes away in the middle of it is not waited for, where there is a copy to stand on. */
  async #attach(found: Extract<Look, { readonly kind: 'read' }>): Promise<void> {
    const { copy, brokerId } = this.#options
    const silence = deferred<'silent'>()
    const attaching = this.#membership.attach(found, () => silence.resolve('silent'))
    if (copy === undefined || !isOnlyBroker(this.#image, brokerId)) return attaching
    if ((await Promise.race([attaching, silence.promise])) !== 'silent') return
    const starts = await countedStarts(copy)
    if (this.#membership.office !== null) return
    this.#standOn(starts)
    this.#membership.standAloneUntil(attaching)
  }

  #standOn(unregisteredStarts: number): void {
    const { brokerId } = this.#options
    this.#image = advanced(this.#image, brokerId, unregisteredStarts)
    this.#epoch = this.#image.brokers.get(brokerId)!.epoch
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

  /** Of the active controller, as far as this broker knows; -1 where it knows none. */
  get controllerId(): number {
    return this.#membership.claim.controllerId
  }

  /** When an active controller was heard of last, in monotonic milliseconds: now, where it is this broker; -Infinity where none was. */
  get controllerHeardMs(): number {
    return this.#membership.controllerHeardMs
  }

  /** What this broker does for the others of its cluster. */
  get peerService(): PeerService {
    return this.#membership
  }

  /** What others may ask of this broker while it is the controller; null while it is not. */
  get office(): Office | null {
    return this.#membership.office
  }

  /** True while the store does not answer: what is asked waits. */
  get isWaiting(): boolean {
    return this.#membership.isWaiting
  }

  /** Why the broker serves from its own copy of the metadata; null where it does not. */
  get standsAlone(): StandAlone | null {
    return this.#membership.standsAlone
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
    this.#imageListeners.add(listener)
    return () => this.#imageListeners.delete(listener)
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
    timeoutMs?: number,
  ): Promise<ConfigChangeResult[]> {
    const command = { type: 'alterConfigs', changes, validateOnly } as const
    const answer = await this.#ask(command, 'configsAltered', timeoutMs)
    if (answer.type === 'configsAltered') return [...answer.results]
    const { error, message } = answer
    return changes.map(() => ({ error, message }))
  }

  /** One result a user, in their order; each one's changes happen together or not at all. */
  async alterScramUsers(
    changes: readonly ScramUserChange[],
    timeoutMs?: number,
  ): Promise<ScramUserResult[]> {
    const command = { type: 'alterScramUsers', changes } as const
    const answer = await this.#ask(command, 'scramUsersAltered', timeoutMs)
    if (answer.type === 'scramUsersAltered') return [...answer.results]
    const { error, message } = answer
    return changes.map(() => ({ error, message }))
  }

  /** An id that nobody got before, nor will after any crash. Rejects where none is left and the store cannot give more. */
  allocateProducerId(): Promise<number> {
    return this.#producerIds.allocate()
  }

  /**
   * Asks the controller, which may be this broker. The answer comes when what was decided is committed; `image` may have it
   * a moment later. Where there is no controller to be found within `timeoutMs`, or nobody knows what became of the command,
   * it is REQUEST_TIMED_OUT.
   */
  ask(command: Command, timeoutMs?: number): Promise<Answer> {
    return this.#membership.ask(command, timeoutMs)
  }

  /** Asks the controller for new states of partitions that this broker leads; outcomes in their order (AlterPartition). */
  alterPartitions(changes: readonly PartitionChange[]): Promise<PartitionChangeOutcome[]> {
    return this.#membership.alterPartitions(changes)
  }

  /** A connection of the caller's own to another broker's private listener, logged in. Rejects where there is none to be had. */
  connectTo(brokerId: number): Promise<WireClient> {
    return this.#membership.connectTo(brokerId)
  }

  /** This broker can serve what it is given, and is fenced no longer by its own wish. */
  setReady(): void {
    this.#membership.setReady()
  }

  /**
   * Hands over what this broker leads, waits until the others know, and resolves when it may stop: at once where it is alone,
   * after `timeoutMs` in any case. `stop` comes after it.
   */
  shutDown(timeoutMs = 60_000): Promise<void> {
    return this.#membership.shutDown(timeoutMs)
  }

  /** Finishes what is being appended, refuses the rest, and closes the store. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await this.#membership.stop()
    await this.#options.store.lease.release()
    await this.#options.store.close()
  }

  async #fetchProducerIds(): Promise<ProducerIdBlock> {
    const { brokerId } = this.#options
    const command = { type: 'allocateProducerIds', brokerId } as const
    const answer = await this.#ask(command, 'producerIdsAllocated', producerIdsTimeoutMs)
    if (answer.type === 'refused') throw new Error(answer.message)
    return { first: answer.firstProducerId, count: answer.count }
  }

  async #ask<T extends Answer['type']>(
    command: Command,
    expected: T,
    timeoutMs?: number,
  ): Promise<Extract<Answer, { type: T }> | Refusal> {
    const answer = await this.#membership.ask(command, timeoutMs)
    assert(answer.type === expected || answer.type === 'refused', 'an answer fits its command')
    return answer as Extract<Answer, { type: T }> | Refusal
  }

  /** Where round robin begins. */
  #anywhere(): number {
    return readUint32(this.#options.env.random.bytes(4), 0)
  }

  /** Before this start is registered the image tells of the one before. */
  #opened(image: MetadataImage): OpenedCluster {
    if (this.#epoch < 0) this.#epochBefore = image.brokers.get(this.brokerId)?.epoch ?? null
    return openedView(this, image)
  }

  #publish(image: MetadataImage, records: readonly MetadataRecord[]): void {
    assert(image.sequence > this.#image.sequence, 'images go forward')
    this.#image = image
    for (const listener of this.#imageListeners) listener(image, records)
  }

  #fail(error: Error): void {
    this.#failure = error
    for (const listener of this.#failureListeners.splice(0)) listener(error)
  }
}
