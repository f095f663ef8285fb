import type { GroupRecord, OffsetValue } from './records.ts'

/** The names of Kafka's errors that groups answer with. */
export type GroupError =
  | 'NONE'
  | 'COORDINATOR_LOAD_IN_PROGRESS'
  | 'COORDINATOR_NOT_AVAILABLE'
  | 'FENCED_INSTANCE_ID'
  | 'GROUP_ID_NOT_FOUND'
  | 'GROUP_MAX_SIZE_REACHED'
  | 'GROUP_SUBSCRIBED_TO_TOPIC'
  | 'ILLEGAL_GENERATION'
  | 'INCONSISTENT_GROUP_PROTOCOL'
  | 'INVALID_COMMIT_OFFSET_SIZE'
  | 'INVALID_GROUP_ID'
  | 'INVALID_SESSION_TIMEOUT'
  | 'MEMBER_ID_REQUIRED'
  | 'NON_EMPTY_GROUP'
  | 'NOT_COORDINATOR'
  | 'REBALANCE_IN_PROGRESS'
  | 'UNKNOWN_MEMBER_ID'
  | 'UNKNOWN_SERVER_ERROR'

/** When an event happened. */
export interface Moment {
  /** For sessions and rebalances. */
  readonly monotonicMs: number
  /** Milliseconds since 1970: for what is stored. */
  readonly wallMs: number
}

/** A way of assigning that a member can follow; `metadata` is opaque here. */
export interface Protocol {
  readonly name: string
  readonly metadata: Uint8Array
}

export interface JoinWish {
  /** Empty at the first time. */
  readonly memberId: string
  readonly instanceId: string | null
  /** The id that a new member gets. */
  readonly freshMemberId: string
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  /** Most wanted first. */
  readonly protocols: readonly Protocol[]
  /** The client's own words (KIP-800). */
  readonly reason: string | null
  /** A new dynamic member has to come back with its id (KIP-394). */
  readonly needsKnownMemberId: boolean
  /** The client understands that a leader need not assign (KIP-814). */
  readonly maySkipAssignment: boolean
}

export interface SyncWish {
  readonly memberId: string
  readonly instanceId: string | null
  readonly generation: number
  /** null where the client does not tell (KIP-559). */
  readonly protocolType: string | null
  readonly protocol: string | null
  /** The leader's; empty from everybody else. */
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[]
}

/** Who says of himself that he is a member. */
export interface MemberClaim {
  readonly memberId: string
  readonly instanceId: string | null
  /** Negative: a consumer that assigns itself (G43). */
  readonly generation: number
}

export interface Leaver {
  /** Empty where a static member is taken out by its instance id (KIP-345). */
  readonly memberId: string
  readonly instanceId: string | null
  readonly reason: string | null
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface OffsetCommit extends TopicPartition {
  readonly value: OffsetValue
}

/** `id` is new and comes back with the answer. */
export type GroupEvent =
  | {
      readonly type: 'join'
      readonly id: number
      readonly groupId: string
      readonly wish: JoinWish
    }
  | {
      readonly type: 'sync'
      readonly id: number
      readonly groupId: string
      readonly wish: SyncWish
    }
  | {
      readonly type: 'heartbeat'
      readonly id: number
      readonly groupId: string
      readonly claim: MemberClaim
    }
  | {
      readonly type: 'leave'
      readonly id: number
      readonly groupId: string
      readonly leavers: readonly Leaver[]
    }
  | {
      readonly type: 'commit'
      readonly id: number
      readonly groupId: string
      readonly claim: MemberClaim
      readonly offsets: readonly OffsetCommit[]
    }
  | { readonly type: 'deleteGroup'; readonly id: number; readonly groupId: string }
  | {
      readonly type: 'deleteOffsets'
      readonly id: number
      readonly groupId: string
      readonly partitions: readonly TopicPartition[]
    }
  /** The moment that a `wake` asked for has come. */
  | { readonly type: 'wake'; readonly groupId: string }
  /** The answer to `append`. */
  | { readonly type: 'appended'; readonly writeId: number; readonly outcome: WriteOutcome }
  /**
   * It is written, and nobody knows yet whether it stays: whoever waits is told `error`, and `appended` comes later. What
   * it says is not told to anybody before that: the next leader may not have it (durability.md I12).
   */
  | { readonly type: 'delayed'; readonly writeId: number; readonly error: GroupError }
  /** The broker stood still for so long, just now: nobody was heard of, and it is nobody's fault. Before anything that was due. */
  | { readonly type: 'stoodStill'; readonly lostMs: number }
  /** Time to look for offsets and groups that nobody needs. */
  | { readonly type: 'expire' }
  /** These topics are gone, and so is what was committed for them. */
  | { readonly type: 'topicsDeleted'; readonly topics: readonly string[] }

/**
 * What became of an append. `isInLog` where it failed after it was written, to a log that nobody else has: it stays, so it
 * counts, and whoever asked for it is told to ask again.
 */
export type WriteOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly isInLog: boolean; readonly error: GroupError }

/** To be performed in this order. */
export type GroupEffect =
  | { readonly type: 'answer'; readonly id: number; readonly answer: GroupAnswer }
  /** Append them together; the outcome comes back as `appended`, in the order of the log, and early where nothing was written. */
  | {
      readonly type: 'append'
      readonly writeId: number
      readonly groupId: string
      readonly records: readonly GroupRecord[]
    }
  /** Send `wake` at this monotonic moment, instead of any that was asked for before for this group. */
  | { readonly type: 'wake'; readonly groupId: string; readonly atMs: number }
  /** The group is gone: no `wake` for it is wanted any more. */
  | { readonly type: 'gone'; readonly groupId: string }
  /** Worth a line in the log: a constant message, and fields. */
  | {
      readonly type: 'log'
      readonly message: string
      readonly fields: Readonly<Record<string, unknown>>
    }

export interface JoinAnswer {
  readonly type: 'join'
  readonly error: GroupError
  /** -1 where it was refused. */
  readonly generation: number
  readonly protocolType: string | null
  readonly protocol: string | null
  readonly leaderId: string
  readonly memberId: string
  readonly skipAssignment: boolean
  /** The leader's only. */
  readonly members: readonly JoinedMember[]
}

interface JoinedMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly metadata: Uint8Array
}

export interface SyncAnswer {
  readonly type: 'sync'
  readonly error: GroupError
  readonly protocolType: string | null
  readonly protocol: string | null
  readonly assignment: Uint8Array
}

export interface LeaveAnswer {
  readonly type: 'leave'
  /** One a leaver, in their order. */
  readonly errors: readonly GroupError[]
}

/** The answer to everything else. */
export interface PlainAnswer {
  readonly type: 'plain'
  readonly error: GroupError
}

export interface DeleteOffsetsAnswer {
  readonly type: 'deleteOffsets'
  readonly error: GroupError
  /** One a partition, in their order; empty where the whole is refused. */
  readonly errors: readonly GroupError[]
}

export type GroupAnswer = JoinAnswer | SyncAnswer | LeaveAnswer | PlainAnswer | DeleteOffsetsAnswer
