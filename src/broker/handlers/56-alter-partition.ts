import { alterPartitionsCall } from '../cluster/calls.ts'
import type { Handler } from './handler.ts'
import { askOffice, callHandler, type Service } from './brokers-calls.ts'

const timeoutMs = 5_000

/** AlterPartition: v2-3, of the controller, and for brokers only (KIP-497). */
export function alterPartitionHandler(service: Service): Handler {
  return callHandler(alterPartitionsCall, service, (peers, command, { connectionId }) => {
    peers.office?.heard(command.brokerId, connectionId)
    return askOffice(peers, command, timeoutMs)
  })
}
