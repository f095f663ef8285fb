import type { MetadataImage } from '../metadata/image.ts'
import { errorCode } from '../wire/errors.ts'
import {
  unregisterBroker,
  type UnregisterBrokerRequest,
  type UnregisterBrokerResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** UnregisterBroker: v0. The only broker there is cannot go; of others nothing is known. */
export function unregisterBrokerHandler(
  image: () => MetadataImage,
): Handler<UnregisterBrokerRequest, UnregisterBrokerResponse> {
  return {
    api: unregisterBroker,
    handle({ brokerId }) {
      const isKnown = image().brokers.has(brokerId)
      return {
        throttleTimeMs: 0,
        errorCode: errorCode(isKnown ? 'POLICY_VIOLATION' : 'BROKER_ID_NOT_REGISTERED'),
        errorMessage: isKnown
          ? `Broker ${brokerId} is the only one of the cluster, and serves: it cannot be unregistered.`
          : `Broker ${brokerId} is not registered.`,
      }
    },
  }
}
