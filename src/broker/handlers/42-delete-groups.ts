import type { Coordinator } from '../coordinator/coordinator.ts'
import { errorCode } from '../wire/errors.ts'
import {
  deleteGroups,
  type DeleteGroupsRequest,
  type DeleteGroupsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'
import { namedOnce } from './named-once.ts'

/** DeleteGroups: v0-2. Each group is answered on its own, when the log has forgotten it and its offsets. */
export function deleteGroupsHandler(
  coordinator: Coordinator,
): Handler<DeleteGroupsRequest, DeleteGroupsResponse> {
  return {
    api: deleteGroups,
    async handle({ groupsNames }) {
      const results = namedOnce(groupsNames, id => id).map(async groupId => {
        const refusal = coordinator.refusal(groupId)
        const error = refusal === 'NONE' ? await coordinator.deleteGroup(groupId) : refusal
        return { groupId, errorCode: errorCode(error) }
      })
      return { throttleTimeMs: 0, results: await Promise.all(results) }
    },
  }
}
