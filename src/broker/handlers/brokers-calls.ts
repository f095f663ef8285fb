import { type Call, CallError } from '../cluster/calls.ts'
import type { Answer, Command, Refusal } from '../cluster/controller/commands.ts'
import type { PeerService } from '../cluster/peer-service.ts'
import { brokerPrincipal } from '../cluster/peers.ts'
import type { Draft, Fields, Infer } from '../wire/field.ts'
import type { Handler, RequestContext } from './handler.ts'

/** What this broker does for others; null while it does nothing yet. */
export type Service = () => PeerService | null

/** Whether the request is from another broker: nobody else may speak as one. */
export function isFromBroker({ session }: RequestContext): boolean {
  return session.principal === brokerPrincipal
}

/** Asks whoever this broker is for others. */
type Ask<C extends Command, Request extends Fields> = (
  service: PeerService,
  command: C,
  by: { readonly request: Infer<Request>; readonly connectionId: number },
) => Promise<Answer>

/** What other brokers ask of the controller, as the message that carries it. */
export function callHandler<C extends Command, Request extends Fields, Response extends Fields>(
  call: Call<C, Request, Response>,
  service: Service,
  ask: Ask<C, Request>,
): Handler<Infer<Request>, Draft<Response>> {
  return {
    api: call.api,
    async handle(request, context) {
      if (!isFromBroker(context)) return call.toResponse(notABroker, 0)
      const peers = service()
      if (peers === null) return call.toResponse(notYet, 0)
      peers.heard(request as unknown as PeerService['claim'])
      const { connectionId } = context
      const answer = await answerOf(call, peers, { by: { request, connectionId }, ask })
      return { ...call.toResponse(answer, peers.image.sequence), ...peers.claim }
    },
  }
}

async function answerOf<C extends Command, Request extends Fields, Response extends Fields>(
  call: Call<C, Request, Response>,
  service: PeerService,
  { by, ask }: { readonly by: Parameters<Ask<C, Request>>[2]; readonly ask: Ask<C, Request> },
): Promise<Answer> {
  try {
    return await ask(service, call.toCommand(by.request), by)
  } catch (error) {
    if (error instanceof CallError) return refusal('INVALID_REQUEST', error.message)
    // The office was lost meanwhile.
    return refusal(
      'REQUEST_TIMED_OUT',
      `Nobody knows what became of it: ${(error as Error).message}`,
    )
  }
}

/** Asks the controller that this broker is. */
export async function askOffice(
  { office }: PeerService,
  command: Command,
  timeoutMs: number,
): Promise<Answer> {
  return office === null ? notController : office.ask(command, timeoutMs)
}

export function refusal(error: Refusal['error'], message: string): Refusal {
  return { type: 'refused', error, message }
}

const notController = refusal('NOT_CONTROLLER', 'This broker is not the controller.')
const notYet = refusal('NOT_CONTROLLER', 'This broker is starting.')
export const notABroker = refusal(
  'CLUSTER_AUTHORIZATION_FAILED',
  'Only brokers may ask this: log in as `broker` on the private listener.',
)
