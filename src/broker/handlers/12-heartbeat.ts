import type { Coordinator } from '../coordinator/coordinator.ts'
import { errorCode } from '../wire/errors.ts'
import { heartbeat, type HeartbeatRequest, type HeartbeatResponse } from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** Heartbeat: v0-4. A member lives, and learns whether it has to join again. v3 brings static members. */
export function heartbeatHandler(
  coordinator: Coordinator,
): Handler<HeartbeatRequest, HeartbeatResponse> {
  return {
    api: heartbeat,
    async handle({ groupId, generationId, memberId, groupInstanceId }) {
      const claim = { memberId, instanceId: groupInstanceId, generation: generationId }
      const refusal = coordinator.refusal(groupId)
      const error = refusal === 'NONE' ? await coordinator.heartbeat(groupId, claim) : refusal
      return { throttleTimeMs: 0, errorCode: errorCode(error) }
    },
  }
}
