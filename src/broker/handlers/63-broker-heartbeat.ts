import { heartbeatCall } from '../cluster/calls.ts'
import type { Answer } from '../cluster/controller/commands.ts'
import type { PeerService } from '../cluster/peer-service.ts'
import { askOffice, callHandler, type Service } from './brokers-calls.ts'
import type { Handler } from './handler.ts'

const timeoutMs = 2_000

/** BrokerHeartbeat: v0-2, of the controller, and for brokers only. */
export function brokerHeartbeatHandler(service: Service): Handler {
  return callHandler(heartbeatCall, service, async (peers, command, { connectionId }) => {
    const { office, brokerId, claim } = peers
    office?.heard(command.brokerId, connectionId)
    const isLimbo = office === null && claim.controllerId === brokerId
    return isLimbo ? limbo(peers, command) : askOffice(peers, command, timeoutMs)
  })
}

/**
 * A controller that gave its office up because the store does not answer, and has no successor: everything stays as it is,
 * for whoever is registered (durability.md 1.6).
 */
function limbo(
  { image }: PeerService,
  { brokerId, brokerEpoch }: { readonly brokerId: number; readonly brokerEpoch: number },
): Answer {
  const broker = image.brokers.get(brokerId)
  if (broker?.epoch !== brokerEpoch) {
    const message = 'Nobody can be registered while the metadata store does not answer.'
    return { type: 'refused', error: 'REQUEST_TIMED_OUT', message }
  }
  const { isFenced } = broker
  return { type: 'heartbeatTaken', isCaughtUp: true, isFenced, mayShutDown: false }
}
