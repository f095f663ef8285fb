import {
  api,
  array,
  bool,
  bytes,
  int16,
  int32,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * JoinGroup: enters a group, or stays in it through a rebalance. v1 brings the rebalance timeout, v4 makes new
 * members come back with an id (KIP-394), v5 static members (KIP-345), v7 the protocol type (KIP-559), v8 a reason
 * (KIP-800), v9 lets a leader skip the assignment (KIP-814).
 */
export const joinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexible: 6,
  request: {
    groupId: string,
    /** Without a heartbeat for this long the member is out. */
    sessionTimeoutMs: int32,
    /** How long the member may take to join again. -1: the session timeout. */
    rebalanceTimeoutMs: int32.since(1).default(-1),
    /** Empty at the first time. */
    memberId: string,
    /** Null where the member is not static. */
    groupInstanceId: nullable(string).since(5).default(null),
    /** `consumer`, or what else uses groups. */
    protocolType: string,
    /** Most wanted first. */
    protocols: array({
      name: string,
      /** Opaque: what the member subscribes to. */
      metadata: bytes,
    }),
    reason: nullable(string).since(8).default(null),
  },
  response: {
    throttleTimeMs: int32.since(2),
    errorCode: int16,
    generationId: int32.default(-1),
    protocolType: nullable(string).since(7).default(null),
    protocolName: nullable(string, 7),
    /** Member id of the one who assigns. */
    leader: string,
    /** The leader keeps the assignment there is. */
    skipAssignment: bool.since(9),
    memberId: string,
    /** Only the leader gets them. */
    members: array({
      memberId: string,
      groupInstanceId: nullable(string).since(5).default(null),
      metadata: bytes,
    }),
  },
})

export type JoinGroupRequest = Infer<typeof joinGroup.request>
export type JoinGroupResponse = Draft<typeof joinGroup.response>
