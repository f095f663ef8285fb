import type { Cluster } from '../cluster/cluster.ts'
import { errorCode } from '../wire/errors.ts'
import {
  unregisterBroker,
  type UnregisterBrokerRequest,
  type UnregisterBrokerResponse,
} from '../wire/messages/index.ts'
import { changeTimeoutMs } from './change-timeout.ts'
import type { Handler } from './handler.ts'

/** UnregisterBroker: v0. A broker that does not come back is forgotten; one that runs, or holds partitions, is not. */
export function unregisterBrokerHandler(
  cluster: Pick<Cluster, 'ask'>,
): Handler<UnregisterBrokerRequest, UnregisterBrokerResponse> {
  return {
    api: unregisterBroker,
    async handle({ brokerId }) {
      const answer = await cluster.ask({ type: 'unregisterBroker', brokerId }, changeTimeoutMs(0))
      const isRefused = answer.type === 'refused'
      return {
        throttleTimeMs: 0,
        errorCode: errorCode(isRefused ? answer.error : 'NONE'),
        errorMessage: isRefused ? answer.message : null,
      }
    },
  }
}
