import { assert, unreachable } from '../../lib/assert.ts'
import { metricName } from '../../lib/topic-name.ts'
import type { Uuid } from '../../lib/uuid.ts'
import { type BrokerImage, Brokers } from './brokers.ts'
import { changed, entriesOf, noConfigs } from './config-entries.ts'
import { DeletedTopics } from './deleted-topics.ts'
import type { MetadataRecord, RecordOf, ScramCredential } from './records.ts'
import { ShardedMap } from './sharded-map.ts'
import { grown, type TopicImage, topicOf, withStates } from './topic-image.ts'

export type { BrokerImage } from './brokers.ts'
export type { PartitionImage, TopicImage } from './topic-image.ts'

/** A user with its credentials by SASL mechanism; there is at least one. */
export interface ScramUserImage {
  readonly user: string
  readonly credentials: ReadonlyMap<string, ScramCredential>
}

interface GroupConfigs {
  readonly groupId: string
  readonly configs: ReadonlyMap<string, string>
}

interface Content {
  readonly clusterId: Uuid | null
  /** Sequence of the last append that is in here; 0 before the first. */
  readonly sequence: number
  /** Epoch and broker id of the controller; 0 and -1 before the first claim. */
  readonly controllerEpoch: number
  readonly controllerId: number
  readonly lastClaim: RecordOf<'epochClaimed'> | null
  readonly lastProducerIds: RecordOf<'producerIdsAllocated'> | null
  readonly featureLevel: number
  readonly quarantine: string | null
  readonly brokers: Brokers
  /** By broker id, null for all brokers; none is empty. */
  readonly brokerConfigs: ReadonlyMap<number | null, ReadonlyMap<string, string>>
  /** By group id; none is empty. */
  readonly groupConfigs: ShardedMap<GroupConfigs>
  readonly scramUsers: ShardedMap<ScramUserImage>
  readonly partitionCount: number
  readonly topicsById: ShardedMap<TopicImage>
  readonly topicsByName: ShardedMap<TopicImage>
  /** By name with every '.' read as '_': metric names may not tell such topics apart. */
  readonly topicsByMetricName: ShardedMap<TopicImage>
  readonly deletedTopics: DeletedTopics
}

/**
 * The front door of the room: the cluster as the log up to `sequence` describes it. Immutable: whoever holds one sees one moment, and
 * `apply` makes the next, sharing what did not change. Records are taken as valid: the controller checked them
 * before they were appended, and here only their consistency is asserted.
 */
export class MetadataImage {
  static readonly empty = new MetadataImage({
    clusterId: null,
    sequence: 0,
    controllerEpoch: 0,
    controllerId: -1,
    lastClaim: null,
    lastProducerIds: null,
    featureLevel: 1,
    quarantine: null,
    brokers: Brokers.none,
    brokerConfigs: new Map(),
    groupConfigs: ShardedMap.empty(),
    scramUsers: ShardedMap.empty(),
    partitionCount: 0,
    topicsById: ShardedMap.empty(),
    topicsByName: ShardedMap.empty(),
    topicsByMetricName: ShardedMap.empty(),
    deletedTopics: DeletedTopics.none,
  })

  readonly #content: Content

  private constructor(content: Content) {
    this.#content = content
  }

  /** @throws InvariantError before genesis. */
  get clusterId(): Uuid {
    assert(this.#content.clusterId !== null, 'the cluster has been created')
    return this.#content.clusterId
  }

  get isCreated(): boolean {
    return this.#content.clusterId !== null
  }

  /** Of the last append in here; 0 before the first. */
  get sequence(): number {
    return this.#content.sequence
  }

  /** 0 before the first claim. */
  get controllerEpoch(): number {
    return this.#content.controllerEpoch
  }

  /** -1 before the first claim. */
  get controllerId(): number {
    return this.#content.controllerId
  }

  /** The finalized one: no record of a higher level is in the log. */
  get featureLevel(): number {
    return this.#content.featureLevel
  }

  /** Why nothing is decided; null where everything is as it should be (durability.md 1.7). */
  get quarantine(): string | null {
    return this.#content.quarantine
  }

  /** The registered ones, by id. */
  get brokers(): ReadonlyMap<number, BrokerImage> {
    return this.#content.brokers.byId
  }

  /** Whose logs lie there; undefined where no registered broker's do. */
  brokerOfDirectory(directoryId: Uuid): BrokerImage | undefined {
    return this.#content.brokers.ofDirectory(directoryId)
  }

  /** Its disk was replaced, and it must not come back. */
  isRetired(directoryId: Uuid): boolean {
    return this.#content.brokers.isRetired(directoryId)
  }

  /** A write or a flush failed there. */
  isFailed(directoryId: Uuid): boolean {
    return this.#content.brokers.isFailed(directoryId)
  }

  /** What was given to a running broker, or, for null, to all; the same map as long as nothing changes. */
  brokerConfigs(brokerId: number | null): ReadonlyMap<string, string> {
    return this.#content.brokerConfigs.get(brokerId) ?? noConfigs
  }

  /** What was given to a consumer group; empty where nothing was. */
  groupConfigs(groupId: string): ReadonlyMap<string, string> {
    return this.#content.groupConfigs.get(groupId)?.configs ?? noConfigs
  }

  /** Groups that were given configs. */
  *groupsWithConfigs(): IterableIterator<string> {
    for (const { groupId } of this.#content.groupConfigs.values()) yield groupId
  }

  scramUser(name: string): ScramUserImage | undefined {
    return this.#content.scramUsers.get(name)
  }

  /** In an arbitrary but fixed order. */
  scramUsers(): IterableIterator<ScramUserImage> {
    return this.#content.scramUsers.values()
  }

  /** Of all topics. */
  get partitionCount(): number {
    return this.#content.partitionCount
  }

  get topicCount(): number {
    return this.#content.topicsById.size
  }

  /** The lowest producer id that no broker was given. */
  get nextProducerId(): number {
    const last = this.#content.lastProducerIds
    return last === null ? 0 : last.firstProducerId + last.count
  }

  topicByName(name: string): TopicImage | undefined {
    return this.#content.topicsByName.get(name)
  }

  topicById(id: Uuid): TopicImage | undefined {
    return this.#content.topicsById.get(id)
  }

  /** The topic, of this name or another, whose name is the same once '.' is read as '_'. */
  topicCollidingWith(name: string): TopicImage | undefined {
    return this.#content.topicsByMetricName.get(metricName(name))
  }

  /**
   * Whether a record said so, lately (FORMAT.md). Of a topic that is neither here nor there nothing is known, and
   * nothing of it may be removed.
   */
  wasDeleted(topicId: Uuid): boolean {
    return this.#content.deletedTopics.has(topicId)
  }

  /** In an arbitrary but fixed order. */
  topics(): IterableIterator<TopicImage> {
    return this.#content.topicsById.values()
  }

  /** This image as of append `sequence`. */
  at(sequence: number): MetadataImage {
    assert(sequence >= this.sequence, 'an image never goes back')
    return this.#with({ sequence })
  }

  /** All records of the append `sequence`. */
  applyBatch(sequence: number, records: Iterable<MetadataRecord>): MetadataImage {
    let image = this.at(sequence)
    for (const record of records) image = image.apply(record)
    return image
  }

  apply(record: MetadataRecord): MetadataImage {
    switch (record.type) {
      case 'clusterCreated':
        assert(!this.isCreated, 'a cluster is created once')
        return this.#with({ clusterId: record.clusterId })
      case 'epochClaimed':
        assert(record.epoch > this.controllerEpoch, 'controller epochs rise')
        return this.#with({
          controllerEpoch: record.epoch,
          controllerId: record.brokerId,
          lastClaim: record,
        })
      case 'brokerRegistered':
      case 'brokerStateChanged':
      case 'brokerUnregistered':
      case 'directoryRetired':
      case 'directoryFailed':
        return this.#with({ brokers: this.#content.brokers.apply(record) })
      case 'featureLevelChanged':
        assert(record.level >= this.featureLevel, 'a feature level never falls')
        return this.#with({ featureLevel: record.level })
      case 'quarantined':
        return this.#with({ quarantine: record.reason })
      case 'topicCreated':
        return this.#topicCreated(record)
      case 'partitionsAdded':
        return this.#withTopic(grown(this.#topic(record.topicId), record), record.partitions.length)
      case 'topicDeleted':
        return this.#topicDeleted(record)
      case 'topicsDeletedBefore':
        return this.#topicsDeletedBefore(record)
      case 'partitionsChanged':
        return this.#withTopic(withStates(this.#topic(record.topicId), record), 0)
      case 'topicConfigsChanged':
        return this.#topicConfigsChanged(record)
      case 'brokerConfigsChanged':
        return this.#brokerConfigsChanged(record)
      case 'groupConfigsChanged':
        return this.#groupConfigsChanged(record)
      case 'scramCredentialChanged':
        return this.#scramCredentialChanged(record)
      case 'producerIdsAllocated':
        assert(record.firstProducerId >= this.nextProducerId, 'a producer id is allocated once')
        return this.#with({ lastProducerIds: record })
      default:
        return unreachable(record)
    }
  }

  /** The shortest list of records that makes this image from the empty one: what a snapshot holds. */
  *records(): IterableIterator<MetadataRecord> {
    const { clusterId, lastClaim, lastProducerIds } = this.#content
    if (clusterId !== null) yield { type: 'clusterCreated', clusterId }
    if (lastClaim !== null) yield lastClaim
    yield* this.#content.brokers.records()
    const { featureLevel, quarantine } = this.#content
    if (featureLevel > 1) yield { type: 'featureLevelChanged', level: featureLevel }
    if (quarantine !== null) yield { type: 'quarantined', reason: quarantine }
    for (const [brokerId, configs] of this.#content.brokerConfigs) {
      yield { type: 'brokerConfigsChanged', brokerId, configs: entriesOf(configs) }
    }
    for (const { groupId, configs } of this.#content.groupConfigs.values()) {
      yield { type: 'groupConfigsChanged', groupId, configs: entriesOf(configs) }
    }
    for (const { user, credentials } of this.scramUsers()) {
      for (const [mechanism, credential] of credentials) {
        yield { type: 'scramCredentialChanged', user, mechanism, credential }
      }
    }
    if (lastProducerIds !== null) yield lastProducerIds
    for (const { id, configs, ...topic } of this.topics()) {
      yield { type: 'topicCreated', topicId: id, ...topic, configs: entriesOf(configs) }
    }
    const { ids: topicIds } = this.#content.deletedTopics
    if (topicIds.length > 0) yield { type: 'topicsDeletedBefore', topicIds: [...topicIds] }
  }

  #topicCreated(record: RecordOf<'topicCreated'>): MetadataImage {
    const topic = topicOf(record)
    assert(this.topicById(topic.id) === undefined, 'a topic id is used once')
    assert(this.topicCollidingWith(topic.name) === undefined, 'no two topics share a name')
    return this.#withTopic(topic, topic.partitions.length)
  }

  #topicDeleted(record: RecordOf<'topicDeleted'>): MetadataImage {
    const topic = this.#topic(record.topicId)
    const { topicsById, topicsByName, topicsByMetricName, partitionCount } = this.#content
    return this.#with({
      topicsById: topicsById.without(topic.id),
      topicsByName: topicsByName.without(topic.name),
      topicsByMetricName: topicsByMetricName.without(metricName(topic.name)),
      partitionCount: partitionCount - topic.partitions.length,
      deletedTopics: this.#content.deletedTopics.with([topic.id]),
    })
  }

  #topicsDeletedBefore({ topicIds }: RecordOf<'topicsDeletedBefore'>): MetadataImage {
    assert(
      topicIds.every(id => this.topicById(id) === undefined),
      'a deleted topic does not come back',
    )
    return this.#with({ deletedTopics: this.#content.deletedTopics.with(topicIds) })
  }

  #topicConfigsChanged(record: RecordOf<'topicConfigsChanged'>): MetadataImage {
    const topic = this.#topic(record.topicId)
    return this.#withTopic({ ...topic, configs: changed(topic.configs, record.configs) }, 0)
  }

  #brokerConfigsChanged({ brokerId, configs }: RecordOf<'brokerConfigsChanged'>): MetadataImage {
    const after = changed(this.brokerConfigs(brokerId), configs)
    const brokerConfigs = new Map(this.#content.brokerConfigs)
    if (after.size > 0) brokerConfigs.set(brokerId, after)
    else brokerConfigs.delete(brokerId)
    return this.#with({ brokerConfigs })
  }

  #groupConfigsChanged({ groupId, configs }: RecordOf<'groupConfigsChanged'>): MetadataImage {
    const after = changed(this.groupConfigs(groupId), configs)
    const { groupConfigs } = this.#content
    return this.#with({
      groupConfigs:
        after.size > 0
          ? groupConfigs.with(groupId, { groupId, configs: after })
          : groupConfigs.without(groupId),
    })
  }

  #scramCredentialChanged(record: RecordOf<'scramCredentialChanged'>): MetadataImage {
    const { user, mechanism, credential } = record
    const { scramUsers } = this.#content
    const credentials = new Map(scramUsers.get(user)?.credentials)
    if (credential === null) credentials.delete(mechanism)
    else credentials.set(mechanism, credential)
    return this.#with({
      scramUsers:
        credentials.size > 0
          ? scramUsers.with(user, { user, credentials })
          : scramUsers.without(user),
    })
  }

  #topic(id: Uuid): TopicImage {
    const topic = this.topicById(id)
    assert(topic !== undefined, 'a changed topic exists')
    return topic
  }

  #withTopic(topic: TopicImage, addedPartitionCount: number): MetadataImage {
    const { topicsById, topicsByName, topicsByMetricName, partitionCount } = this.#content
    return this.#with({
      topicsById: topicsById.with(topic.id, topic),
      topicsByName: topicsByName.with(topic.name, topic),
      topicsByMetricName: topicsByMetricName.with(metricName(topic.name), topic),
      partitionCount: partitionCount + addedPartitionCount,
    })
  }

  #with(changes: Partial<Content>): MetadataImage {
    return new MetadataImage({ ...this.#content, ...changes })
  }
}
