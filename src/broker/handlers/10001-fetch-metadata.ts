import { errorCode } from '../wire/errors.ts'
import {
  fetchMetadata,
  type FetchMetadataRequest,
  type FetchMetadataResponse,
} from '../wire/private/index.ts'
import { isFromBroker, notABroker, type Service } from './brokers-calls.ts'
import type { Handler } from './handler.ts'

/** A follower that waits for less may wait for longer than the answer's deadline of its own. */
const waitMsMax = 30_000

/** FetchMetadata: v0, of any broker, and for brokers only. */
export function fetchMetadataHandler(
  service: Service,
): Handler<FetchMetadataRequest, FetchMetadataResponse> {
  return {
    api: fetchMetadata,
    async handle(request, context) {
      if (!isFromBroker(context)) return refused('CLUSTER_AUTHORIZATION_FAILED', notABroker.message)
      const peers = service()
      peers?.heard(request)
      const maxWaitMs = Math.min(request.maxWaitMs, waitMsMax)
      if (maxWaitMs > 0) peers?.office?.heard(request.brokerId, context.connectionId)
      const answer = peers?.fetchMetadata({ ...request, maxWaitMs }, end => {
        context.onStopping(end)
        context.onClosed(end)
      })
      return (await answer) ?? refused('NOT_CONTROLLER', 'this broker is starting')
    },
  }
}

function refused(
  error: 'CLUSTER_AUTHORIZATION_FAILED' | 'NOT_CONTROLLER',
  errorMessage: string,
): FetchMetadataResponse {
  const nothing = { snapshot: null, records: [], endSequence: -1, isController: false }
  return { errorCode: errorCode(error), errorMessage, ...nothing }
}
