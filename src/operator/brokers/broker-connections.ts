import { Alarm } from '../../env/alarm.ts'
import type { Random } from '../../env/env.ts'
import { present } from '../../lib/assert.ts'
import { WireClientError } from '../../broker/wire/client/client-error.ts'
import { WireClient, type WireClientEnv } from '../../broker/wire/client/client.ts'
import { scramLogin } from '../../broker/wire/client/scram-login.ts'
import { scramMechanism } from '../../broker/wire/sasl/scram-mechanisms.ts'
import type { BrokerAccess } from './brokers.ts'

export type BrokerEnv = WireClientEnv & { readonly random: Random }

export interface ConnectionTimes {
  /** Milliseconds for a connection, and for each answer. */
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  /** Milliseconds without a request after which a connection is closed. */
  readonly idleMs: number
}

interface Held {
  readonly client: Promise<WireClient>
  usedAtMs: number
}

const mechanism = present(scramMechanism('SCRAM-SHA-256'), 'the mechanism is known')

/**
 * One connection for each broker and principal, mostly `operator`: made when it is first used, kept while it is, and closed when
 * it is idle. A connection outlives a change of the password; the next one is made with the new.
 */
export class BrokerConnections {
  readonly #env: BrokerEnv
  readonly #times: ConnectionTimes
  /** Of each broker the one that is used, by its address. */
  readonly #used = new Map<string, Held>()
  /** Those, and such that are only waited on for their last answers. */
  readonly #held = new Set<Held>()
  readonly #alarm: Alarm
  #isClosed = false

  constructor(env: BrokerEnv, times: ConnectionTimes) {
    this.#env = env
    this.#times = times
    this.#alarm = new Alarm(env.clock, () => this.#closeIdle())
  }

  /** Rejects as `WireClient.connect` and `scramLogin` do, and with a `local` error once `close` was called. */
  use(broker: BrokerAccess): Promise<WireClient> {
    if (this.#isClosed) {
      return Promise.reject(new WireClientError('local', 'the connections were closed here'))
    }
    const key = keyOf(broker)
    let held = this.#used.get(key)
    if (held === undefined) {
      held = { client: this.#connect(broker), usedAtMs: 0 }
      this.#hold(key, held)
    }
    held.usedAtMs = this.#env.clock.monotonic()
    this.#alarm.ringBy(held.usedAtMs + this.#times.idleMs)
    return held.client
  }

  /** The next use makes a new connection; this one goes when it is idle, since others may wait for answers on it. */
  async leave(broker: BrokerAccess, client: WireClient): Promise<void> {
    const key = keyOf(broker)
    const held = this.#used.get(key)
    if (held === undefined || (await held.client) !== client) return
    if (this.#used.get(key) === held) this.#used.delete(key)
  }

  close(): void {
    this.#isClosed = true
    this.#alarm.cancel()
    for (const held of this.#held) end(held)
  }

  /** Held until it breaks; one that could not be made is no longer held when that is told. */
  #hold(key: string, held: Held): void {
    this.#used.set(key, held)
    this.#held.add(held)
    const forget = (): void => {
      this.#held.delete(held)
      if (this.#used.get(key) === held) this.#used.delete(key)
    }
    held.client.then(client => client.closed.then(forget), forget)
  }

  #connect({ host, port, password, user = 'operator' }: BrokerAccess): Promise<WireClient> {
    const { random } = this.#env
    const { connectTimeoutMs, requestTimeoutMs } = this.#times
    return WireClient.connect(
      this.#env,
      { host, port },
      {
        clientId: 'logcluster-operator',
        connectTimeoutMs,
        requestTimeoutMs,
        authenticate: scramLogin({ random, mechanism, user, password }),
      },
    )
  }

  #closeIdle(): void {
    const nowMs = this.#env.clock.monotonic()
    for (const held of this.#held) {
      const dueMs = held.usedAtMs + this.#times.idleMs
      if (dueMs <= nowMs) end(held)
      else this.#alarm.ringBy(dueMs)
    }
  }
}

/** It is forgotten as it closes. */
function end({ client }: Held): void {
  client.then(
    open => open.close(),
    () => {},
  )
}

function keyOf({ host, port, user = 'operator' }: BrokerAccess): string {
  return `${user} ${host}:${port}`
}
