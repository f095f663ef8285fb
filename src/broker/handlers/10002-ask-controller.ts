import { otherCall } from '../cluster/calls.ts'
import { askOffice, callHandler, type Service } from './brokers-calls.ts'
import type { Handler } from './handler.ts'

/** AskController: v0, of the controller, and for brokers only. */
export function askControllerHandler(service: Service): Handler {
  return callHandler(otherCall, service, (peers, command, { request }) =>
    askOffice(peers, command, request.timeoutMs),
  )
}
