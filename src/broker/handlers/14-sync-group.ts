import type { Coordinator } from '../coordinator/coordinator.ts'
import type { GroupError } from '../coordinator/groups/events.ts'
import { errorCode } from '../wire/errors.ts'
import { syncGroup, type SyncGroupRequest, type SyncGroupResponse } from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/**
 * SyncGroup: v0-5. The leader hands in who reads what; everybody is answered with his part once that is stored
 * (G40). v3 brings static members, v5 the protocol, which must be told and is checked (KIP-559).
 */
export function syncGroupHandler(
  coordinator: Coordinator,
): Handler<SyncGroupRequest, SyncGroupResponse> {
  return {
    api: syncGroup,
    async handle(request, { apiVersion }) {
      const { groupId, memberId, groupInstanceId, generationId } = request
      const isTold = request.protocolType !== null && request.protocolName !== null
      if (apiVersion >= 5 && !isTold) return refuse('INCONSISTENT_GROUP_PROTOCOL')
      const refusal = coordinator.refusal(groupId)
      if (refusal !== 'NONE') return refuse(refusal)
      const answer = await coordinator.sync(groupId, {
        memberId,
        instanceId: groupInstanceId,
        generation: generationId,
        protocolType: request.protocolType,
        protocol: request.protocolName,
        assignments: request.assignments,
      })
      return {
        throttleTimeMs: 0,
        errorCode: errorCode(answer.error),
        protocolType: answer.protocolType,
        protocolName: answer.protocol,
        assignment: answer.assignment,
      }
    },
  }
}

function refuse(error: GroupError): SyncGroupResponse {
  return { throttleTimeMs: 0, errorCode: errorCode(error), assignment: noBytes }
}

const noBytes = new Uint8Array(0)
