import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  findCoordinator,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

type Coordinator = FindCoordinatorResponse['coordinators'][number]

const transactionKey = 1

/**
 * FindCoordinator: v0-6, one key until v3, many from v4 (G11). There are no coordinators in this stone. Groups
 * get the retriable answer of a broker whose coordinator is not up; transactions a fatal one, so that a
 * transactional producer fails at once instead of waiting. It is served because librdkafka takes its presence
 * for lz4 support (G2).
 */
export const findCoordinatorHandler: Handler<FindCoordinatorRequest, FindCoordinatorResponse> = {
  api: findCoordinator,
  handle({ key, keyType, coordinatorKeys }) {
    const [error, errorMessage] = refusal(keyType)
    const nowhere = { nodeId: -1, host: '', port: -1, errorCode: errorCode(error), errorMessage }
    const coordinators: Coordinator[] = coordinatorKeys.map(one => ({ key: one, ...nowhere }))
    return { throttleTimeMs: 0, ...nowhere, coordinators, key }
  },
}

function refusal(keyType: number): [ErrorName, string] {
  if (keyType === transactionKey) {
    return ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'This broker does not have transactions yet.']
  }
  return ['COORDINATOR_NOT_AVAILABLE', 'This broker does not have consumer groups yet.']
}
