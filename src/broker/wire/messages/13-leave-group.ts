import { api, array, int16, int32, nullable, string, type Draft, type Infer } from '../field.ts'

/** LeaveGroup: takes members out of a group. v3 takes many at once (KIP-345), v5 tells why (KIP-800). */
export const leaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string,
    /** One member; from v3 in `members`. */
    memberId: string.until(2),
    members: array({
      memberId: string,
      groupInstanceId: nullable(string).default(null),
      reason: nullable(string).since(5).default(null),
    }).since(3),
  },
  response: {
    throttleTimeMs: int32.since(1),
    errorCode: int16,
    members: array({
      memberId: string,
      groupInstanceId: nullable(string),
      errorCode: int16,
    }).since(3),
  },
})

export type LeaveGroupRequest = Infer<typeof leaveGroup.request>
export type LeaveGroupResponse = Draft<typeof leaveGroup.response>
