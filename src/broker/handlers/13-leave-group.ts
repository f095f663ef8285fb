import type { Coordinator } from '../coordinator/coordinator.ts'
import type { Leaver } from '../coordinator/groups/events.ts'
import { errorCode } from '../wire/errors.ts'
import {
  leaveGroup,
  type LeaveGroupRequest,
  type LeaveGroupResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** LeaveGroup: v0-5. One member until v2, many from v3, each answered on its own (G11); v5 tells why (KIP-800). */
export function leaveGroupHandler(
  coordinator: Coordinator,
): Handler<LeaveGroupRequest, LeaveGroupResponse> {
  return {
    api: leaveGroup,
    async handle(request, { apiVersion }) {
      const { groupId } = request
      const refusal = groupId === '' ? 'INVALID_GROUP_ID' : coordinator.refusal(groupId)
      if (refusal !== 'NONE')
        return { throttleTimeMs: 0, errorCode: errorCode(refusal), members: [] }
      const leavers = leaversOf(request, apiVersion)
      const errors = await coordinator.leave(groupId, leavers)
      const members = leavers.map(({ memberId, instanceId }, at) => ({
        memberId,
        groupInstanceId: instanceId,
        errorCode: errorCode(errors[at] ?? 'UNKNOWN_SERVER_ERROR'),
      }))
      const only = members[0]?.errorCode ?? errorCode('NONE')
      return { throttleTimeMs: 0, errorCode: apiVersion < 3 ? only : errorCode('NONE'), members }
    },
  }
}

function leaversOf({ memberId, members }: LeaveGroupRequest, apiVersion: number): Leaver[] {
  if (apiVersion < 3) return [{ memberId, instanceId: null, reason: null }]
  return members.map(member => ({
    memberId: member.memberId,
    instanceId: member.groupInstanceId,
    reason: member.reason,
  }))
}
