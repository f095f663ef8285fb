import type { Uuid } from '../../../lib/uuid.ts'
import type {
  ConfigEntry,
  ListenerAddress,
  ScramCredential,
  StartClass,
} from '../../metadata/records.ts'

/** The names of Kafka's errors that the controller answers with. */
export type ControllerError =
  | 'NONE'
  | 'BROKER_ID_NOT_REGISTERED'
  | 'CLUSTER_AUTHORIZATION_FAILED'
  | 'DUPLICATE_BROKER_REGISTRATION'
  | 'ELECTION_NOT_NEEDED'
  | 'ELIGIBLE_LEADERS_NOT_AVAILABLE'
  | 'FENCED_LEADER_EPOCH'
  | 'INELIGIBLE_REPLICA'
  | 'INVALID_CONFIG'
  | 'INVALID_PARTITIONS'
  | 'INVALID_REGISTRATION'
  | 'INVALID_REPLICA_ASSIGNMENT'
  | 'INVALID_REPLICATION_FACTOR'
  | 'INVALID_REQUEST'
  | 'INVALID_TOPIC_EXCEPTION'
  | 'INVALID_UPDATE_VERSION'
  | 'NEW_LEADER_ELECTED'
  | 'NOT_CONTROLLER'
  | 'NO_REASSIGNMENT_IN_PROGRESS'
  | 'POLICY_VIOLATION'
  | 'PREFERRED_LEADER_NOT_AVAILABLE'
  | 'REQUEST_TIMED_OUT'
  | 'RESOURCE_NOT_FOUND'
  | 'STALE_BROKER_EPOCH'
  | 'TOPIC_ALREADY_EXISTS'
  | 'TOPIC_AUTHORIZATION_FAILED'
  | 'UNKNOWN_TOPIC_ID'
  | 'UNKNOWN_TOPIC_OR_PARTITION'
  | 'UNSUPPORTED_VERSION'

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

/** One partition of a topic that is told by its id. */
export interface PartitionId {
  readonly topicId: Uuid
  readonly index: number
}

/** A start of a broker. */
export interface Registration {
  readonly brokerId: number
  /** One per process start. */
  readonly incarnationId: Uuid
  readonly rack: string | null
  readonly listeners: readonly ListenerAddress[]
  /** Where other brokers reach its private listener; null: nowhere. */
  readonly peer: { readonly host: string; readonly port: number } | null
  readonly directoryId: Uuid
  /** The worst of its starts since its last registration. */
  readonly startClass: StartClass
  /** Of these it lost more than its start class says: each counts as in class D. */
  readonly damaged: readonly PartitionId[]
  readonly featureLevelMax: number
  /** Where the metadata log ends that it followed, and the hash there (64 hex digits); 0 and null before the first record. */
  readonly lastSequence: number
  readonly lastHash: string | null
  /** The last that its disk has of what its heartbeats told. */
  readonly beat?: number
  /** Starts since its last registration during which the store was out of reach: each led in an epoch of its own. */
  readonly unregisteredStarts?: number
}

/** A sign of life of a registered broker. */
export interface Heartbeat {
  readonly brokerId: number
  readonly brokerEpoch: number
  /** Of the last record of the metadata log that it has applied. */
  readonly appliedSequence: number
  /** It wants to hand over what it leads, and go. */
  readonly wantsShutdown: boolean
  /** It wants to lead nothing and be in sync nowhere. */
  readonly wantsFence: boolean
  /** A count that rises while it runs, and is on its disk too: an older disk has a lower one (durability.md 3.1). */
  readonly beat: number
}

/** What a leader wants the in-sync set of a partition to be. */
export interface PartitionAlteration extends PartitionId {
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /** Brokers with the epochs in which they fetched (KIP-903). */
  readonly isr: readonly { readonly brokerId: number; readonly brokerEpoch: number }[]
  readonly isRecovering: boolean
}

export interface PartitionAlterationResult extends PartitionId {
  readonly error: ControllerError
  readonly message: string | null
  /** As it is now; -1 and empty where there was an error. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /** Brokers. */
  readonly isr: readonly number[]
  readonly isRecovering: boolean
}

/**
 * `preferred`: the first of the replicas, of those in sync. `unclean`: of a partition that nobody leads, whoever is eligible, else any
 * replica that lives; so a broker asks that knows no `longest`. `longest`: as `unclean`, and of those that live the one whose log reaches furthest, as all of them tell in `ends`.
 */
type ElectionKind = 'preferred' | 'unclean' | 'longest'

/** How far the log of a replica reaches. */
export interface LogEnd extends PartitionId {
  readonly brokerId: number
  /** Of the registration and of the partition when it was told: in others the log may be another one. */
  readonly brokerEpoch: number
  readonly leaderEpoch: number
  /** The newest in the log; -1: it never had one, or cannot be read. */
  readonly lastEpoch: number
  readonly endOffset: number
}

export interface ElectionResult extends PartitionId {
  readonly error: ControllerError
  readonly message: string | null
}

/** The brokers that shall hold a partition, preferred leader first; null: as it was before the reassignment that is under way. */
export interface ReassignmentWish {
  readonly topic: string
  readonly index: number
  readonly replicas: readonly number[] | null
}

export interface ReassignmentResult {
  readonly topic: string
  readonly index: number
  readonly error: ControllerError
  readonly message: string | null
}

/** What the controller is asked. As JSON it is the same, so that other brokers may ask too. */
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
  | ({ readonly type: 'registerBroker' } & Registration)
  /** Answered at once, from what is committed. */
  | ({ readonly type: 'heartbeat' } & Heartbeat)
  /** As `heartbeat`. */
  | { readonly type: 'describeQuorum' }
  | {
      readonly type: 'alterPartitions'
      readonly brokerId: number
      readonly brokerEpoch: number
      readonly partitions: readonly PartitionAlteration[]
    }
  | {
      readonly type: 'electLeaders'
      readonly kind: ElectionKind
      /** null: all that need it. */
      readonly partitions: readonly PartitionId[] | null
      /** For `longest`. */
      readonly ends?: readonly LogEnd[]
    }
  | {
      readonly type: 'alterReassignments'
      readonly wishes: readonly ReassignmentWish[]
      /** False: none may change how many replicas there are. Default true. */
      readonly mayChangeFactor?: boolean
    }
  | { readonly type: 'unregisterBroker'; readonly brokerId: number }
  | {
      readonly type: 'retireDirectory'
      readonly directoryId: Uuid
      /** Partitions that may lose records by it. */
      readonly acceptDataLoss: readonly PartitionId[]
      /** The disk is lost, whatever still runs by its name: that is fenced, and stays so. Default false: a broker that runs is left alone. */
      readonly isGone?: boolean
    }
  | {
      readonly type: 'failDirectory'
      readonly brokerId: number
      readonly brokerEpoch: number
      readonly directoryId: Uuid
    }
  /** Somebody looked at the cluster, and it may go on from the log that the store has. */
  | { readonly type: 'endQuarantine' }

/** A registered broker as a reader of the metadata log. */
export interface MetadataFollower {
  readonly brokerId: number
  /** As it told last; -1 where this controller has not heard of it. */
  readonly appliedSequence: number
  /** Milliseconds since it told that; null where it never did. */
  readonly heardMsAgo: number | null
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
  | {
      readonly type: 'heartbeatTaken'
      /** It has applied everything that is committed. */
      readonly isCaughtUp: boolean
      readonly isFenced: boolean
      /** It leads nothing, and whoever lives knows it (I-22). */
      readonly mayShutDown: boolean
    }
  | { readonly type: 'quorumDescribed'; readonly followers: readonly MetadataFollower[] }
  | { readonly type: 'partitionsAltered'; readonly results: readonly PartitionAlterationResult[] }
  /** Without the partitions that did not need it, where all were asked for. */
  | { readonly type: 'leadersElected'; readonly results: readonly ElectionResult[] }
  | { readonly type: 'reassignmentsAltered'; readonly results: readonly ReassignmentResult[] }
  | { readonly type: 'brokerUnregistered' }
  | { readonly type: 'directoryRetired' }
  | { readonly type: 'directoryFailed' }
  | { readonly type: 'quarantineEnded' }
  | Refusal

/** Nothing of the command was done, or ever will be; of one that was split, perhaps the first of its topics or resources. */
export interface Refusal {
  readonly type: 'refused'
  readonly error: Exclude<ControllerError, 'NONE'>
  readonly message: string
}
