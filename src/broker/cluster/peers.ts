import type { Address, Env } from '../../env/env.ts'
import { WireClient, type WireClientEnv, type WireClientOptions } from '../wire/client/client.ts'
import { WireClientError } from '../wire/client/client-error.ts'
import { isLoginRefusal, scramLogin } from '../wire/client/scram-login.ts'
import { present } from '../../lib/assert.ts'
import { SaltedPasswords } from '../wire/sasl/salted-passwords.ts'
import { ScramError } from '../wire/sasl/scram-messages.ts'
import { scramMechanism } from '../wire/sasl/scram-mechanisms.ts'

export interface PeersOptions {
  readonly env: WireClientEnv & Pick<Env, 'random'>
  readonly brokerId: number
  /** Of the software. */
  readonly version: string
  /** Of the principal `broker`, as it is now; null where there is none. */
  readonly password: () => string | null
  /** A peer's password is another one: told once, and again when it was taken meanwhile. */
  readonly warn?: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** As whom brokers log in to each other, and what their private listeners let in as that. */
export const brokerPrincipal = 'broker'

const mechanism = present(scramMechanism('SCRAM-SHA-256'), 'the mechanism is known')

/** What is sent among brokers on one connection. Answers keep the order of requests, so what may wait long has one of its own. */
export type Lane = 'heartbeats' | 'metadata' | 'gossip' | 'commands' | 'in-sync sets'

/** What of a connection those need who share it. */
export type PeerClient = Pick<WireClient, 'request' | 'closed'>

/** The way to other brokers. */
export interface PeerConnections {
  /** A connection of the caller's own. */
  connect(address: Address): Promise<WireClient>
  /** The one of a lane, which is made when it is first asked for, and again after it broke. */
  at(address: Address, lane: Lane): Promise<PeerClient>
  /** Ends all of them, and makes none any more. */
  close(): void
}

/**
 * Connections to the private listeners of other brokers, logged in as a broker: `connect` makes one that is the caller's,
 * `at` gives the one of a lane, made again when it is asked for after it broke. It makes no pause: whoever asks again does.
 */
export class Peers implements PeerConnections {
  readonly #options: PeersOptions
  readonly #lanes = new Map<string, Promise<WireClient>>()
  readonly #open = new Set<WireClient>()
  readonly #salted = new SaltedPasswords()
  /** Where this broker was turned away when it came last. */
  readonly #strangers = new Set<string>()
  #isClosed = false

  constructor(options: PeersOptions) {
    this.#options = options
  }

  /** Rejects as `WireClient.connect` does; where the login fails, with an AnsweredError or a ScramError. */
  async connect(address: Address, options: WireClientOptions = {}): Promise<WireClient> {
    const { env, brokerId, version, password } = this.#options
    const secret = password()
    if (this.#isClosed) throw closedHere()
    if (secret === null) throw new WireClientError('local', noPassword)
    const user = brokerPrincipal
    const login = { random: env.random, mechanism, salt: this.#salted.salt }
    const client = await this.#noting(
      address,
      WireClient.connect(env, address, {
        clientId: `broker-${brokerId}`,
        software: { name: 'logcluster', version },
        connectTimeoutMs,
        // For the login: whoever asks for more says how long it may take.
        requestTimeoutMs: connectTimeoutMs,
        // A batch comes whole, and may be as large as topics allow: whatever a frame can have.
        frameSizeMax: 0x7fff_ffff,
        authenticate: scramLogin({ ...login, user, password: secret }),
        ...options,
      }),
    )
    if (this.#isClosed) {
      client.close()
      throw closedHere()
    }
    this.#open.add(client)
    void client.closed.then(() => this.#open.delete(client))
    return client
  }

  async #noting(address: Address, connecting: Promise<WireClient>): Promise<WireClient> {
    const peer = `${address.host}:${address.port}`
    try {
      const client = await connecting
      this.#strangers.delete(peer)
      return client
    } catch (error) {
      const isStranger = isLoginRefusal(error) || error instanceof ScramError
      if (isStranger && !this.#strangers.has(peer)) {
        this.#strangers.add(peer)
        this.#options.warn?.(otherPassword, { peer })
      }
      throw error
    }
  }

  /** The lane's connection to `address`. Rejects as `connect` does, for everybody who asked meanwhile. */
  at(address: Address, lane: Lane): Promise<WireClient> {
    const key = `${lane} ${address.host}:${address.port}`
    const known = this.#lanes.get(key)
    if (known !== undefined) return known
    const connecting = this.connect(address)
    this.#lanes.set(key, connecting)
    const forget = (): boolean => this.#lanes.delete(key)
    connecting.then(client => client.closed.then(forget), forget)
    return connecting
  }

  /** Ends all connections, and makes none any more. */
  close(): void {
    this.#isClosed = true
    for (const client of this.#open) client.close()
  }
}

/** Whoever does not answer within it is not there, for the next seconds. */
const connectTimeoutMs = 2_000

const otherPassword =
  'A broker and this one have different passwords for `broker` (private.credentials.dir), so this one is no part of the ' +
  'cluster. Give both the same one'

const noPassword =
  'this broker has no password for others: put it into the file `broker` of private.credentials.dir'

function closedHere(): WireClientError {
  return new WireClientError('local', 'the broker stops')
}
