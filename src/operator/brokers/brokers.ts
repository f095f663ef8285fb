import type { ErrorName } from '../../broker/wire/errors.ts'
import type { BrokerStatusResponse } from '../../broker/wire/private/index.ts'

/** How to reach one broker: its private listener, and the password of the principal `operator` there. */
export interface BrokerAccess {
  readonly host: string
  readonly port: number
  readonly password: string
  /** As whom; `operator` where it is left out. */
  readonly user?: 'operator' | 'broker'
}

/** As one of the brokers: with the password of the principal `broker`. */
export interface PeerAccess extends BrokerAccess {
  readonly user: 'broker'
}

export interface RetirementWish {
  readonly directoryId: string
  /** Partitions that may be lost by it, `orders-0`. */
  readonly acceptDataLoss: readonly string[]
}

/** Who holds a partition. */
export interface PartitionPlace {
  readonly topic: string
  readonly index: number
  /** Numbers of brokers, preferred leader first; while it moves, those before and after. */
  readonly replicas: readonly number[]
  /** It is being reassigned. */
  readonly isMoving: boolean
  /** Those of them that its reassignment takes away in the end; none where it is left out. */
  readonly removing?: readonly number[]
  /** It is of a topic that brokers make and keep. */
  readonly isInternal?: true
}

export interface ClusterPlaces {
  /** By Kafka's number of a broker; null where it has none. */
  readonly racks: ReadonlyMap<number, string | null>
  readonly partitions: readonly PartitionPlace[]
  /** Partitions that are being reassigned, of all topics. */
  readonly movingCount: number
}

export type ReplicaMove = Pick<PartitionPlace, 'topic' | 'index'> & {
  /** null: what is on its way is called off, and who held the partition before holds it. */
  readonly replicas: readonly number[] | null
}

/** What a broker tells of itself (src/broker/wire/private/10000-broker-status.ts). */
export type BrokerStatus = Readonly<
  Required<Omit<BrokerStatusResponse, 'errorCode' | 'errorMessage'>>
>

/** Whose configs: those of a topic, of one broker by its number, or of all brokers. */
export type ConfigsOf =
  | { readonly kind: 'topic'; readonly name: string }
  | { readonly kind: 'broker'; readonly id: number }
  | { readonly kind: 'all brokers' }

export interface ConfigChange {
  readonly of: ConfigsOf
  /** null takes a config back to what is beneath it. */
  readonly configs: Readonly<Record<string, string | null>>
}

/** One config as a broker describes it. */
export interface DescribedConfig {
  readonly value: string | null
  /** Where the value comes from; `dynamic` is what was set by a request, for this resource or for all brokers. */
  readonly source: 'topic' | 'dynamic' | 'dynamic of all' | 'static' | 'default'
  readonly isReadOnly: boolean
}

/** Why one of several wishes was not granted. */
export interface Refusal {
  readonly error: ErrorName
  readonly message: string
}

/** The outcome of one wish; null where it was granted. */
export type Outcome = Refusal | null

export interface TopicDescription {
  readonly name: string
  readonly topicId: string
  readonly isInternal: boolean
  readonly partitionCount: number
  /** Of the first partition. */
  readonly replicationFactor: number
  /** Others of its partitions have more or fewer. */
  readonly isUneven?: true
  /** Partitions without a leader. */
  readonly leaderlessCount: number
}

export interface TopicWish {
  readonly name: string
  /** -1: the cluster's default. */
  readonly partitionCount: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

export type Created = { readonly topicId: string } | Refusal

/**
 * The front door of the room: brokers as the operator asks them, over their private listeners. Every method rejects with a BrokerError and nothing
 * else. A list of wishes is one request, and its outcomes come in the order of the wishes; what is refused of them is
 * data. Wishes are idempotent or refused the second time: whoever got no answer may ask again.
 */
export interface Brokers {
  status(broker: BrokerAccess): Promise<BrokerStatus>
  /** By name, of each resource asked for; a refusal where it has none such. */
  describeConfigs(
    broker: BrokerAccess,
    resources: readonly ConfigsOf[],
  ): Promise<readonly (ReadonlyMap<string, DescribedConfig> | Refusal)[]>
  alterConfigs(broker: BrokerAccess, changes: readonly ConfigChange[]): Promise<readonly Outcome[]>
  /** Every topic. */
  listTopics(broker: BrokerAccess): Promise<readonly TopicDescription[]>
  /** Topics by name; null where there is none. */
  describeTopics(
    broker: BrokerAccess,
    names: readonly string[],
  ): Promise<readonly (TopicDescription | null)[]>
  createTopics(broker: BrokerAccess, topics: readonly TopicWish[]): Promise<readonly Created[]>
  /** By id, so that a topic that took the name meanwhile stays. */
  deleteTopics(broker: BrokerAccess, topicIds: readonly string[]): Promise<readonly Outcome[]>
  /** `partitionCount`: how many there shall be, not how many more. */
  createPartitions(
    broker: BrokerAccess,
    topics: readonly Pick<TopicWish, 'name' | 'partitionCount'>[],
  ): Promise<readonly Outcome[]>
  /**
   * Asks this broker, as the controller that it may be, to count on the directory no more, whatever still runs by its name; null
   * where it is done, NOT_CONTROLLER where it has to be asked of another.
   */
  retireDirectory(broker: PeerAccess, wish: RetirementWish): Promise<Outcome>
  /** Every partition of these topics, or of all where none are named, and who holds it. */
  places(broker: BrokerAccess, topics?: readonly string[]): Promise<ClusterPlaces>
  /** Begins to move replicas: who is to hold the partitions in the end, preferred leader first. Or calls that off. */
  moveReplicas(broker: BrokerAccess, moves: readonly ReplicaMove[]): Promise<readonly Outcome[]>
  /** Forgets a broker that is stopped and holds nothing; null also where nobody knows it any more. */
  unregister(broker: BrokerAccess, brokerId: number): Promise<Outcome>
  /** Closes every connection. */
  close(): void
}
