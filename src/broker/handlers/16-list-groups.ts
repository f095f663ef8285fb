import type { Coordinator } from '../coordinator/coordinator.ts'
import { errorCode } from '../wire/errors.ts'
import {
  listGroups,
  type ListGroupsRequest,
  type ListGroupsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** As Kafka writes it on the wire; its tools show it in capitals. */
const classic = 'classic'

/**
 * ListGroups: v0-5. v4 filters by state (KIP-518), v5 by type (KIP-848); an empty filter lets everything through, and
 * case does not count. While groups are being loaded the client is told to ask again; those of a partition
 * that has waited for its followers for 10 s are left out.
 */
export function listGroupsHandler(
  coordinator: Coordinator,
): Handler<ListGroupsRequest, ListGroupsResponse> {
  return {
    api: listGroups,
    handle({ statesFilter, typesFilter }) {
      if (coordinator.isTooEarlyToList) {
        return {
          throttleTimeMs: 0,
          errorCode: errorCode('COORDINATOR_LOAD_IN_PROGRESS'),
          groups: [],
        }
      }
      const groups = passes(typesFilter, classic)
        ? Array.from(coordinator.views.list()).filter(({ state }) => passes(statesFilter, state))
        : []
      return {
        throttleTimeMs: 0,
        errorCode: errorCode('NONE'),
        groups: groups.map(({ groupId, protocolType, state }) => ({
          groupId,
          protocolType,
          groupState: state,
          groupType: classic,
        })),
      }
    },
  }
}

function passes(filter: readonly string[], value: string): boolean {
  return filter.length === 0 || filter.some(one => one.toLowerCase() === value.toLowerCase())
}
