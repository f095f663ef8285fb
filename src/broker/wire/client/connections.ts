import { sleep } from '../../../env/clock.ts'
import type { Address, Env } from '../../../env/env.ts'
import { Backoff, type BackoffOptions } from './backoff.ts'
import { WireClient, type WireClientEnv, type WireClientOptions } from './client.ts'
import { errorClassOf, WireClientError } from './client-error.ts'

export interface ConnectionsOptions {
  /** Where to begin; any one of them will do. */
  readonly bootstrap: readonly Address[]
  readonly client?: WireClientOptions
  readonly backoff?: BackoffOptions
}

/** What is known of one address. */
interface Place {
  readonly address: Address
  /** The open client, or the one that is being connected; null once it broke or could not be. */
  client: Promise<WireClient> | null
  backoff: Backoff
  /** Monotonic milliseconds before which nobody tries again. */
  notBeforeMs: number
}

/**
 * One client for each address, connected when it is first asked for and again when it is asked for after it broke,
 * with growing pauses while that fails. Whoever polls for long takes a WireClient of his own: answers keep the order of
 * the requests, so everybody on a connection waits for its slowest.
 */
export class Connections {
  readonly #env: WireClientEnv & Pick<Env, 'random'>
  readonly #options: ConnectionsOptions
  readonly #places = new Map<string, Place>()
  #isClosed = false

  constructor(env: WireClientEnv & Pick<Env, 'random'>, options: ConnectionsOptions) {
    this.#env = env
    this.#options = options
  }

  /** Rejects as `WireClient.connect` does, and with a `local` error once `close` was called. */
  at(address: Address): Promise<WireClient> {
    if (this.#isClosed) return Promise.reject(closedHere())
    const place = this.#place(address)
    place.client ??= this.#connect(place)
    return place.client
  }

  /** The first of the bootstrap addresses that can be reached; those that failed last are tried last. */
  async any(): Promise<WireClient> {
    const failures: string[] = []
    const places = this.#options.bootstrap.map(address => this.#place(address))
    for (const { address } of places.toSorted((a, b) => a.notBeforeMs - b.notBeforeMs)) {
      try {
        return await this.at(address)
      } catch (error) {
        if (errorClassOf(error) === 'final') throw error
        failures.push((error as Error).message)
      }
    }
    throw new WireClientError('unreachable', `no broker can be reached: ${failures.join('; ')}`)
  }

  /** Closes every client, and connects none any more. */
  close(): void {
    this.#isClosed = true
    for (const { client } of this.#places.values()) {
      client?.then(
        open => open.close(),
        () => {},
      )
    }
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #place(address: Address): Place {
    const key = `${address.host}:${address.port}`
    let place = this.#places.get(key)
    if (place === undefined) {
      place = { address, client: null, backoff: this.#freshBackoff(), notBeforeMs: -Infinity }
      this.#places.set(key, place)
    }
    return place
  }

  async #connect(place: Place): Promise<WireClient> {
    const { clock } = this.#env
    try {
      const waitMs = place.notBeforeMs - clock.monotonic()
      if (waitMs > 0) await sleep(clock, waitMs)
      if (this.#isClosed) throw closedHere()
      const client = await WireClient.connect(this.#env, place.address, this.#options.client)
      void client.closed.then(() => (place.client = null))
      place.backoff = this.#freshBackoff()
      return client
    } catch (error) {
      place.client = null
      place.notBeforeMs = clock.monotonic() + place.backoff.next()
      throw error
    }
  }

  #freshBackoff(): Backoff {
    return new Backoff(this.#env.random, this.#options.backoff)
  }
}

function closedHere(): WireClientError {
  return new WireClientError('local', 'the connections were closed here')
}
