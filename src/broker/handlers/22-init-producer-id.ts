import type { Cluster } from '../cluster/cluster.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  initProducerId,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/**
 * InitProducerId: v0-5. Without a transactional id every call gets a fresh id with epoch 0, from blocks that the
 * metadata log hands out once (G24); since v3 it may tell the id that it had, with its epoch (KIP-360). A
 * transactional id is refused for good, and not with a code that clients retry: transactions are not there yet.
 */
export function initProducerIdHandler(
  cluster: Cluster,
): Handler<InitProducerIdRequest, InitProducerIdResponse> {
  return {
    api: initProducerId,
    async handle({ transactionalId, producerId, producerEpoch }) {
      if ((producerId === -1) !== (producerEpoch === -1)) return answer('INVALID_REQUEST', -1)
      if (transactionalId === '') return answer('INVALID_REQUEST', -1)
      if (transactionalId !== null) return answer('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', -1)
      try {
        return answer('NONE', await cluster.allocateProducerId())
      } catch {
        return answer('COORDINATOR_NOT_AVAILABLE', -1)
      }
    },
  }
}

function answer(error: ErrorName, producerId: number): InitProducerIdResponse {
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(error),
    producerId,
    producerEpoch: error === 'NONE' ? 0 : -1,
  }
}
