import {
  api,
  array,
  bytes,
  int16,
  int32,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * SyncGroup: the leader hands in who reads what, each member gets its part. v3 brings static members, v5 the
 * protocol, to be checked (KIP-559).
 */
export const syncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: nullable(string).since(3).default(null),
    protocolType: nullable(string).since(5).default(null),
    protocolName: nullable(string).since(5).default(null),
    /** Only the leader sends them. */
    assignments: array({
      memberId: string,
      assignment: bytes,
    }),
  },
  response: {
    throttleTimeMs: int32.since(1),
    errorCode: int16,
    protocolType: nullable(string).since(5).default(null),
    protocolName: nullable(string).since(5).default(null),
    assignment: bytes,
  },
})

export type SyncGroupRequest = Infer<typeof syncGroup.request>
export type SyncGroupResponse = Draft<typeof syncGroup.response>
