import type { Coordinator } from '../coordinator/coordinator.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import { heartbeat, type HeartbeatRequest, type HeartbeatResponse } from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/**
 * Heartbeat: v0-4. A member lives, and learns whether it has to join again. v3 brings static members. While the group is
 * loaded every member lives, as in Kafka: it gets a whole session when that is done.
 */
export function heartbeatHandler(
  coordinator: Coordinator,
): Handler<HeartbeatRequest, HeartbeatResponse> {
  return {
    api: heartbeat,
    async handle({ groupId, generationId, memberId, groupInstanceId }) {
      const claim = { memberId, instanceId: groupInstanceId, generation: generationId }
      const refusal = coordinator.refusal(groupId)
      if (refusal === 'COORDINATOR_LOAD_IN_PROGRESS') return answer('NONE')
      return answer(refusal === 'NONE' ? await coordinator.heartbeat(groupId, claim) : refusal)
    },
  }
}

function answer(error: ErrorName): HeartbeatResponse {
  return { throttleTimeMs: 0, errorCode: errorCode(error) }
}
