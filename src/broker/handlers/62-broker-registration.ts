import { registrationCall } from '../cluster/calls.ts'
import { askOffice, callHandler, refusal, type Service } from './brokers-calls.ts'
import type { Handler } from './handler.ts'

const timeoutMs = 10_000

/** BrokerRegistration: v0-4, of the controller, and for brokers only. */
export function brokerRegistrationHandler(service: Service): Handler {
  return callHandler(registrationCall, service, async (peers, command, by) => {
    const { office, image } = peers
    const { clusterId } = by.request
    if (office !== null && clusterId !== '' && clusterId !== image.clusterId) {
      const message = `This is cluster ${image.clusterId}, and broker ${command.brokerId} is of cluster ${clusterId}.`
      return refusal('INVALID_REQUEST', message)
    }
    office?.heard(command.brokerId, by.connectionId)
    return askOffice(peers, command, timeoutMs)
  })
}
