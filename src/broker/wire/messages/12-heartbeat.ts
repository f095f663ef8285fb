import { api, int16, int32, nullable, string, type Draft, type Infer } from '../field.ts'

/** Heartbeat: a member of a group says that it lives, and learns of a rebalance. v3 brings static members. */
export const heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexible: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: nullable(string).since(3).default(null),
  },
  response: {
    throttleTimeMs: int32.since(1),
    errorCode: int16,
  },
})

export type HeartbeatRequest = Infer<typeof heartbeat.request>
export type HeartbeatResponse = Draft<typeof heartbeat.response>
