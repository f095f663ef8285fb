import type { Coordinator } from '../coordinator/coordinator.ts'
import { errorCode } from '../wire/errors.ts'
import { syncGroup, type SyncGroupRequest, type SyncGroupResponse } from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/**
 * SyncGroup: v0-5. The leader hands in who reads what; everybody is answered with his part once that is stored
 * (G40). v3 brings static members, v5 the protocol, to be checked (KIP-559).
 */
export function syncGroupHandler(
  coordinator: Coordinator,
): Handler<SyncGroupRequest, SyncGroupResponse> {
  return {
    api: syncGroup,
    async handle(request) {
      const { groupId, memberId, groupInstanceId, generationId } = request
      const refusal = coordinator.refusal(groupId)
      if (refusal !== 'NONE') {
        return { throttleTimeMs: 0, errorCode: errorCode(refusal), assignment: noBytes }
      }
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

const noBytes = new Uint8Array(0)
