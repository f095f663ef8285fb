import type { Int64 } from '../../../lib/bytes.ts'
import type { Uuid } from '../../../lib/uuid.ts'

/** What is stored of groups: Kafka's OffsetCommit and GroupMetadata records. A null value is a tombstone. */
export type GroupRecord =
  | {
      readonly type: 'offset'
      readonly groupId: string
      readonly topic: string
      readonly partition: number
      readonly value: OffsetValue | null
    }
  | { readonly type: 'group'; readonly groupId: string; readonly value: GroupValue | null }

export interface OffsetValue {
  /** Given back as it came, whatever it is. */
  readonly offset: Int64
  /** Of the last record read; -1 where the client did not tell. */
  readonly leaderEpoch: number
  /** Of the topic that was meant: another one may have its name later. The zero id where it was not kept yet. */
  readonly topicId: Uuid
  /** The client's text, given back as it came. */
  readonly metadata: string
  readonly commitTimeMs: number
  /** When this one expires, as clients before v5 could ask; -1: as the settings say. */
  readonly expireTimeMs: number
}

export interface GroupValue {
  /** `consumer` or what else the members said; empty where there never were any. */
  readonly protocolType: string
  readonly generation: number
  readonly protocol: string | null
  readonly leaderId: string | null
  /** When the group came into this state; -1 where unknown. Offsets of an empty group age from here (KIP-211). */
  readonly stateTimeMs: number
  readonly members: readonly MemberValue[]
}

export interface MemberValue {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  /** Its metadata for the group's protocol. */
  readonly subscription: Uint8Array
  readonly assignment: Uint8Array
}
