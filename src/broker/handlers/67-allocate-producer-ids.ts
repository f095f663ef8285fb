import { producerIdsCall } from '../cluster/calls.ts'
import { askOffice, callHandler, type Service } from './brokers-calls.ts'
import type { Handler } from './handler.ts'

const timeoutMs = 10_000

/** AllocateProducerIds: v0, of the controller, and for brokers only (KIP-730). */
export function allocateProducerIdsHandler(service: Service): Handler {
  return callHandler(producerIdsCall, service, (peers, command) =>
    askOffice(peers, command, timeoutMs),
  )
}
