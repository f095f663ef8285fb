import type { Random } from '../../env/env.ts'
import { ScramError, nonceBytes, nonceOf } from '../wire/sasl/scram-messages.ts'
import { scramMechanism, type ScramMechanism } from '../wire/sasl/scram-mechanisms.ts'
import { ScramServer, type TakenCredential } from '../wire/sasl/scram-server.ts'
import { apiVersions, saslAuthenticate, saslHandshake } from '../wire/messages/index.ts'
import type { AuthenticateAnswer, HandshakeAnswer, Session } from './session.ts'

export interface SaslSessionOptions {
  readonly random: Random
  /** Those that can be used here, by Kafka's names. */
  readonly mechanisms: readonly ScramMechanism['name'][]
  /** null: there is no such user, or none that may log in by the mechanism. */
  readonly credentialOf: (user: string, mechanism: ScramMechanism['name']) => TakenCredential | null
  /** Who is a broker of this cluster. Default: nobody, whatever he is called. */
  readonly brokerUser?: string
}

/** `stranger`: has said nothing that matters. `token`: has chosen a mechanism. The others are ends. */
type State = 'stranger' | 'token' | 'known' | 'failed'

const mayCome: Readonly<Record<Exclude<State, 'known'>, readonly number[]>> = {
  stranger: [apiVersions.key, saslHandshake.key],
  token: [saslAuthenticate.key],
  failed: [],
}

const nothing = new Uint8Array(0)

/**
 * A connection that must log in by SASL, in the order in which Kafka's brokers want it: whatever else comes before
 * closes the connection. (They take ApiVersions once, and here it may come again before the handshake.) SaslHandshake v0, after which tokens come without headers, is not spoken: every client that
 * knows ApiVersions speaks v1. Who has logged in stays so, whatever becomes of his password.
 */
export class SaslSession implements Session {
  readonly #options: SaslSessionOptions
  #state: State = 'stranger'
  #exchange: { readonly mechanism: string; readonly server: ScramServer } | null = null
  #principal: string | null = null
  #failure: string | null = null

  constructor(options: SaslSessionOptions) {
    this.#options = options
  }

  get principal(): string | null {
    return this.#principal
  }

  get isBroker(): boolean {
    return this.#principal !== null && this.#principal === this.#options.brokerUser
  }

  get failure(): string | null {
    return this.#failure
  }

  admits(apiKey: number): boolean {
    return this.#state === 'known' || mayCome[this.#state].includes(apiKey)
  }

  handshake(name: string, version: number): HandshakeAnswer {
    if (this.#state === 'known') return { error: 'ILLEGAL_SASL_STATE', mechanisms: [] }
    const { mechanisms, credentialOf, random } = this.#options
    const mechanism = scramMechanism(name)
    if (mechanism === undefined || !mechanisms.includes(mechanism.name)) {
      this.#fail(`the mechanism ${JSON.stringify(name)} is not served`)
      return { error: 'UNSUPPORTED_SASL_MECHANISM', mechanisms }
    }
    if (version < 1) {
      this.#fail('SaslHandshake v0 is not spoken')
      return { error: 'UNSUPPORTED_VERSION', mechanisms }
    }
    const server = new ScramServer({
      hash: mechanism.hash,
      credentialOf: user => credentialOf(user, mechanism.name),
      nonce: nonceOf(random.bytes(nonceBytes)),
    })
    this.#exchange = { mechanism: mechanism.name, server }
    this.#state = 'token'
    return { error: 'NONE', mechanisms }
  }

  authenticate(token: Uint8Array): AuthenticateAnswer {
    if (this.#state !== 'token' || this.#exchange === null) {
      const message = 'This connection has logged in already.'
      return { error: 'ILLEGAL_SASL_STATE', message, token: nothing }
    }
    const { server, mechanism } = this.#exchange
    try {
      const reply = server.step(token)
      if (reply.user !== null) {
        this.#principal = reply.user
        this.#state = 'known'
        this.#exchange = null
      }
      return { error: 'NONE', message: null, token: reply.token }
    } catch (error) {
      if (!(error instanceof ScramError)) throw error
      this.#fail(error.message)
      // Whoever cannot log in does not learn why: that would tell which users there are.
      const message = `There is no such user, or his password for ${mechanism} is another one.`
      return { error: 'SASL_AUTHENTICATION_FAILED', message, token: nothing }
    }
  }

  #fail(why: string): void {
    this.#state = 'failed'
    this.#failure = why
    this.#exchange = null
  }
}
