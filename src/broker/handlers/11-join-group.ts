import type { Coordinator } from '../coordinator/coordinator.ts'
import type { GroupError, JoinAnswer } from '../coordinator/groups/events.ts'
import { errorCode } from '../wire/errors.ts'
import { joinGroup, type JoinGroupRequest, type JoinGroupResponse } from '../wire/messages/index.ts'
import { kafkaHost } from './client-host.ts'
import type { Handler } from './handler.ts'

/**
 * JoinGroup: v0-9. Answered when the rebalance that it takes part in is over (G40). From v4 on a new member is sent
 * back once with its id (G39); v5 brings static members (G41), v8 the reason, v9 a leader that need not assign.
 */
export function joinGroupHandler(
  coordinator: Coordinator,
): Handler<JoinGroupRequest, JoinGroupResponse> {
  return {
    api: joinGroup,
    async handle(request, { apiVersion, clientId, remote }) {
      const refusal = coordinator.refusal(request.groupId)
      if (refusal !== 'NONE') return refuse(refusal, request.memberId, apiVersion)
      const { sessionTimeoutMs, rebalanceTimeoutMs } = request
      const answer = await coordinator.join(request.groupId, {
        memberId: request.memberId,
        instanceId: request.groupInstanceId,
        clientId: clientId ?? '',
        clientHost: kafkaHost(remote),
        sessionTimeoutMs,
        rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
        protocolType: request.protocolType,
        protocols: request.protocols,
        reason: request.reason,
        needsKnownMemberId: apiVersion >= 4,
        maySkipAssignment: apiVersion >= 9,
      })
      return tell(answer, apiVersion)
    },
  }
}

function tell(answer: JoinAnswer, apiVersion: number): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(answer.error),
    generationId: answer.generation,
    protocolType: answer.protocolType,
    protocolName: protocolName(answer.protocol, apiVersion),
    leader: answer.leaderId,
    skipAssignment: answer.skipAssignment,
    memberId: answer.memberId,
    members: answer.members.map(({ memberId, instanceId, metadata }) => ({
      memberId,
      groupInstanceId: instanceId,
      metadata,
    })),
  }
}

function refuse(error: GroupError, memberId: string, apiVersion: number): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(error),
    generationId: -1,
    protocolName: protocolName(null, apiVersion),
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

/** Before v7 the name may not be null; since then it is where there is none, or an empty one. */
function protocolName(name: string | null, apiVersion: number): string | null {
  return apiVersion >= 7 ? name || null : (name ?? '')
}
