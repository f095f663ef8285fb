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
 * FindCoordinator: v0-6, one key until v3, many from v4 (G11). A group is coordinated by the broker that leads its partition
 * of the offsets topic, told with its address for the listener that the client used; the first one to ask makes the topic,
 * once the cluster has the brokers for it. While nobody leads the partition there is no coordinator. Transactions are
 * refused for good, so that a transactional producer fails at once instead of waiting: they are not there yet.
 * librdkafka takes the presence of this API for lz4 support (G2).
 */
export function findCoordinatorHandler(
  deps: FindCoordinatorDeps,
): Handler<FindCoordinatorRequest, FindCoordinatorResponse> {
  return {
    api: findCoordinator,
    async handle({ key, keyType, coordinatorKeys }, context) {
      const find = await finder(deps, keyType, context)
      const coordinators = coordinatorKeys.map(one => ({ key: one, ...find(one) }))
      return { throttleTimeMs: 0, ...find(key), coordinators, key }
    },
  }
}

async function finder(
  { coordinator, endpoints }: FindCoordinatorDeps,
  keyType: number,
  context: RequestContext,
): Promise<(key: string) => Coordinates> {
  if (keyType === keyTypes.transaction) {
    const message = 'This broker does not have transactions yet.'
    return () => nowhere('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', message)
  }
  if (keyType !== keyTypes.group) {
    const message = `There are no coordinators for keys of type ${keyType}.`
    return () => nowhere('INVALID_REQUEST', message)
  }
  const problem = await coordinator.ensureTopic()
  if (problem !== null) {
    const message = `The offsets topic could not be created: ${problem}`
    return () => nowhere('COORDINATOR_NOT_AVAILABLE', message)
  }
  const brokers = endpoints.seenFrom(context)
  return groupId => {
    const leader = coordinator.leaderOf(groupId)
    const broker = brokers.find(({ brokerId }) => brokerId === leader)
    if (broker === undefined) return nowhere('COORDINATOR_NOT_AVAILABLE', unled)
    const { brokerId, host, port } = broker
    return { nodeId: brokerId, host, port, errorCode: errorCode('NONE'), errorMessage: null }
  }
}

const unled = 'No broker that can be reached leads the partition that keeps the group now.'

function nowhere(error: ErrorName, errorMessage: string): Coordinates {
  return { nodeId: -1, host: '', port: -1, errorCode: errorCode(error), errorMessage }
}
