import type { Uuid } from '../../../lib/uuid.ts'
import type { ConfigEntry, ListenerAddress, ScramCredential } from '../../metadata/records.ts'

/** The names of Kafka's errors that the controller answers with. */
export type ControllerError =
  | 'NONE'
  | 'BROKER_ID_NOT_REGISTERED'
  | 'INVALID_CONFIG'
  | 'INVALID_PARTITIONS'
  | 'INVALID_REPLICA_ASSIGNMENT'
  | 'INVALID_REPLICATION_FACTOR'
  | 'INVALID_REQUEST'
  | 'INVALID_TOPIC_EXCEPTION'
  | 'NOT_CONTROLLER'
  | 'POLICY_VIOLATION'
  | 'REQUEST_TIMED_OUT'
  | 'RESOURCE_NOT_FOUND'
  | 'TOPIC_ALREADY_EXISTS'
  | 'TOPIC_AUTHORIZATION_FAILED'
  | 'UNKNOWN_TOPIC_ID'
  | 'UNKNOWN_TOPIC_OR_PARTITION'

/** A topic as somebody wants it. */
export interface TopicWish {
  readonly name: string
  /** -1: the default, or as many as `assignments` has. */
  readonly partitionCount: number
  /** -1: the default, or as `assignments` has it. */
  readonly replicationFactor: number
  /** Empty: the controller places the replicas. */
  readonly assignments: readonly {
    readonly partition: number
    readonly brokers: readonly number[]
  }[]
  readonly configs: readonly { readonly name: string; readonly value: string | null }[]
}

/** A wish with the chance that its fulfilment needs: the controller itself knows none. */
export interface TopicDraft extends TopicWish {
  /** A fresh one; unused where the wish is refused. */
  readonly topicId: Uuid
  /** Any whole number of at least 0: where round robin begins. */
  readonly placementStart: number
}

export interface TopicResult {
  readonly name: string
  /** null where nothing was created. */
  readonly id: Uuid | null
  readonly error: ControllerError
  readonly message: string | null
  /** Counts as created, or as they would be; -1 where refused. */
  readonly partitionCount: number
  readonly replicationFactor: number
  /** The overrides that it was given. */
  readonly configs: readonly ConfigEntry[]
}

/** A topic by its name or by its id; the other is null. */
export interface TopicTarget {
  readonly name: string | null
  readonly id: Uuid | null
}

export interface DeletionResult {
  /** As in the target; the other one is filled in where the topic was found. */
  readonly name: string | null
  readonly id: Uuid | null
  readonly error: ControllerError
  readonly message: string | null
}

/** A topic that shall have more partitions. */
export interface PartitionsWish {
  readonly name: string
  /** How many it shall have then, not how many more. */
  readonly count: number
  /** The brokers of each new partition; null: the controller places the replicas. */
  readonly assignments: readonly (readonly number[])[] | null
}

export interface PartitionsDraft extends PartitionsWish {
  /** As in a `TopicDraft`. */
  readonly placementStart: number
}

export interface PartitionsResult {
  readonly name: string
  readonly error: ControllerError
  readonly message: string | null
}

/** Whose configs: a topic's, one broker's, those of all brokers (null), or a consumer group's. */
export type ConfigResource =
  | { readonly type: 'topic'; readonly name: string }
  | { readonly type: 'broker'; readonly brokerId: number | null }
  | { readonly type: 'group'; readonly groupId: string }

/** What is done to one config. Items of a list are separated by commas. */
export type ConfigEdit =
  | {
      readonly operation: 'set' | 'append' | 'subtract'
      readonly name: string
      readonly value: string
    }
  | { readonly operation: 'delete'; readonly name: string }

export interface ConfigChange {
  readonly resource: ConfigResource
  readonly edits: readonly ConfigEdit[]
  /** What no edit names goes back to its default. */
  readonly isWhole: boolean
}

export interface ConfigChangeResult {
  readonly error: ControllerError
  readonly message: string | null
}

/** New credentials of one user: all of them are taken, or none. */
export interface ScramUserChange {
  readonly user: string
  /** Each mechanism once, by its name; null takes the credential away. */
  readonly credentials: readonly {
    readonly mechanism: string
    readonly credential: ScramCredential | null
  }[]
}

export interface ScramUserResult {
  readonly error: ControllerError
  readonly message: string | null
}

/** What the controller is asked. */
export type Command =
  | {
      readonly type: 'createTopics'
      readonly drafts: readonly TopicDraft[]
      readonly validateOnly: boolean
    }
  | {
      readonly type: 'createPartitions'
      readonly drafts: readonly PartitionsDraft[]
      readonly validateOnly: boolean
    }
  | { readonly type: 'deleteTopics'; readonly targets: readonly TopicTarget[] }
  | {
      readonly type: 'alterConfigs'
      readonly changes: readonly ConfigChange[]
      readonly validateOnly: boolean
    }
  | { readonly type: 'alterScramUsers'; readonly changes: readonly ScramUserChange[] }
  | { readonly type: 'allocateProducerIds'; readonly brokerId: number }
  | {
      readonly type: 'registerBroker'
      readonly brokerId: number
      /** One per process start. */
      readonly incarnationId: Uuid
      readonly rack: string | null
      readonly listeners: readonly ListenerAddress[]
      /** Starts since its last registration during which the store was out of reach: each led in an epoch of its own. */
      readonly unregisteredStarts?: number
    }

/** One for each kind of command, results in the order of what was asked; or the refusal of the whole command. */
export type Answer =
  | { readonly type: 'topicsCreated'; readonly results: readonly TopicResult[] }
  | { readonly type: 'partitionsCreated'; readonly results: readonly PartitionsResult[] }
  | { readonly type: 'topicsDeleted'; readonly results: readonly DeletionResult[] }
  | { readonly type: 'configsAltered'; readonly results: readonly ConfigChangeResult[] }
  | { readonly type: 'scramUsersAltered'; readonly results: readonly ScramUserResult[] }
  | {
      readonly type: 'producerIdsAllocated'
      readonly firstProducerId: number
      readonly count: number
    }
  | { readonly type: 'brokerRegistered'; readonly brokerEpoch: number }
  | Refusal

/** Nothing of the command was done, or ever will be; of one that was split, perhaps the first of its topics or resources. */
export interface Refusal {
  readonly type: 'refused'
  readonly error: Exclude<ControllerError, 'NONE'>
  readonly message: string
}
