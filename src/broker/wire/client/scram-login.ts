import type { Random } from '../../../env/env.ts'
import { saslAuthenticate, saslHandshake } from '../messages/index.ts'
import { ScramClient, type ScramClientOptions } from '../sasl/scram-client.ts'
import { nonceBytes, nonceOf } from '../sasl/scram-messages.ts'
import type { ScramMechanism } from '../sasl/scram-mechanisms.ts'
import { AnsweredError, refuseErrors } from './client-error.ts'
import type { WireClient } from './client.ts'

export interface ScramLogin {
  readonly random: Random
  readonly mechanism: ScramMechanism
  readonly user: string
  readonly password: string
  /** As of a ScramClient. */
  readonly salt?: ScramClientOptions['salt']
}

/**
 * Logs in, as a client's `authenticate`. It rejects with an AnsweredError where the broker does not believe us, and with
 * a ScramError where we do not believe it: it must know the password, too.
 */
export function scramLogin(login: ScramLogin): (client: WireClient) => Promise<void> {
  const { random, mechanism, user, password, salt } = login
  return async client => {
    const wish = { mechanism: mechanism.name }
    const { errorCode } = await client.request(saslHandshake, wish, { version: 1 })
    refuseErrors(errorCode, `SaslHandshake with ${mechanism.name}`)
    const nonce = nonceOf(random.bytes(nonceBytes))
    const exchange = new ScramClient({
      hash: mechanism.hash,
      user,
      password,
      nonce,
      ...(salt === undefined ? {} : { salt }),
    })
    const challenge = await send(client, user, exchange.first())
    exchange.finish(await send(client, user, exchange.prove(challenge)))
  }
}

async function send(client: WireClient, user: string, authBytes: Uint8Array): Promise<Uint8Array> {
  const answer = await client.request(saslAuthenticate, { authBytes })
  refuseErrors(answer.errorCode, `SaslAuthenticate as ${user}`)
  return answer.authBytes
}

/** Whether `error` says that it was the login which failed. */
export function isLoginRefusal(error: unknown): error is AnsweredError {
  return error instanceof AnsweredError && loginErrors.has(error.error)
}

const loginErrors: ReadonlySet<string> = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
])
