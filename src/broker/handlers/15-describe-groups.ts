import type { Coordinator } from '../coordinator/coordinator.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  describeGroups,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
} from '../wire/messages/index.ts'
import { groupOperations, withheldOperations } from './authorized-operations.ts'
import type { Handler } from './handler.ts'
import { namedOnce } from './named-once.ts'

type GroupAnswer = DescribeGroupsResponse['groups'][number]

/**
 * DescribeGroups: v0-6. A group that is not there is `Dead` without an error; from v6 on it is GROUP_ID_NOT_FOUND
 * (KIP-1043). Members of a group that rebalances have no metadata, and the assignment that they had. What one may
 * do with a group is told where nothing is wrong with it. Who is named twice is described once.
 */
export function describeGroupsHandler(
  coordinator: Coordinator,
): Handler<DescribeGroupsRequest, DescribeGroupsResponse> {
  return {
    api: describeGroups,
    handle({ groups, includeAuthorizedOperations }, { apiVersion }) {
      return {
        throttleTimeMs: 0,
        groups: namedOnce(groups, id => id).map(groupId => {
          const group = describe(coordinator, groupId, apiVersion)
          const isTold = includeAuthorizedOperations && group.errorCode === errorCode('NONE')
          return { ...group, authorizedOperations: isTold ? groupOperations : withheldOperations }
        }),
      }
    },
  }
}

function describe(coordinator: Coordinator, groupId: string, apiVersion: number): GroupAnswer {
  const refusal = coordinator.refusal(groupId)
  if (refusal !== 'NONE') return nobody(groupId, refusal, null)
  const group = coordinator.views.describe(groupId)
  if (group === undefined) {
    if (apiVersion < 6) return { ...nobody(groupId, 'NONE', null), groupState: 'Dead' }
    const dead = nobody(groupId, 'GROUP_ID_NOT_FOUND', `There is no group '${groupId}'.`)
    return { ...dead, groupState: 'Dead' }
  }
  return {
    ...nobody(groupId, 'NONE', null),
    groupState: group.state,
    protocolType: group.protocolType,
    protocolData: group.protocol ?? '',
    members: group.members.map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: member.metadata,
      memberAssignment: member.assignment,
    })),
  }
}

function nobody(groupId: string, error: ErrorName, errorMessage: string | null): GroupAnswer {
  return {
    errorCode: errorCode(error),
    errorMessage,
    groupId,
    groupState: '',
    protocolType: '',
    protocolData: '',
    members: [],
  }
}
