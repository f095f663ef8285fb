import type { Coordinator } from '../coordinator/coordinator.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  findCoordinator,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from '../wire/messages/index.ts'
import type { Endpoints } from './endpoints.ts'
import type { Handler, RequestContext } from './handler.ts'

type Coordinates = Omit<FindCoordinatorResponse['coordinators'][number], 'key'>

const keyTypes = { group: 0, transaction: 1 } as const

export interface FindCoordinatorDeps {
  readonly coordinator: Coordinator
  readonly endpoints: Endpoints
}

/**
 * FindCoordinator: v0-6, one key until v3, many from v4 (G11). Groups are coordinated by this broker, told with the
 * address of the listener that the client used; the first one to ask makes the offsets topic. Transactions are
 * refused for good, so that a transactional producer fails at once instead of waiting: they are not there yet.
 * librdkafka takes the presence of this API for lz4 support (G2).
 */
export function findCoordinatorHandler(
  deps: FindCoordinatorDeps,
): Handler<FindCoordinatorRequest, FindCoordinatorResponse> {
  return {
    api: findCoordinator,
    async handle({ key, keyType, coordinatorKeys }, context) {
      const found = await find(deps, keyType, context)
      const coordinators = coordinatorKeys.map(one => ({ key: one, ...found }))
      return { throttleTimeMs: 0, ...found, coordinators, key }
    },
  }
}

async function find(
  { coordinator, endpoints }: FindCoordinatorDeps,
  keyType: number,
  context: RequestContext,
): Promise<Coordinates> {
  if (keyType === keyTypes.transaction) {
    const message = 'This broker does not have transactions yet.'
    return nowhere('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', message)
  }
  if (keyType !== keyTypes.group) {
    return nowhere('INVALID_REQUEST', `There are no coordinators for keys of type ${keyType}.`)
  }
  const problem = await coordinator.ensureTopic()
  const [broker] = endpoints.seenFrom(context)
  if (problem !== null || broker === undefined) {
    const message = `The offsets topic could not be created: ${problem ?? 'no broker'}`
    return nowhere('COORDINATOR_NOT_AVAILABLE', message)
  }
  const { brokerId, host, port } = broker
  return { nodeId: brokerId, host, port, errorCode: errorCode('NONE'), errorMessage: null }
}

function nowhere(error: ErrorName, errorMessage: string): Coordinates {
  return { nodeId: -1, host: '', port: -1, errorCode: errorCode(error), errorMessage }
}
