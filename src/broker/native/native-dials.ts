import { lookup } from 'node:dns/promises'
import { answerSizeMin, keepAliveSeconds } from '../../env/admission.ts'
import type { Timer } from '../../env/clock.ts'
import { NetworkError } from '../../env/network.ts'
import type { Connection, ConnectionEvents, ConnectOptions } from '../../env/network.ts'
import { realClock } from '../../env/real/clock.ts'
import { present } from '../../lib/assert.ts'
import { deferred } from '../../lib/deferred.ts'
import type { Deferred } from '../../lib/deferred.ts'
import type { Binding } from './binding.ts'
import { errnoName } from './errno.ts'
import type { NativeConnection } from './native-connection.ts'

/** Attempts to connect, by the addon's numbers. */
export class NativeDials {
  readonly #binding: Pick<Binding, 'connect' | 'connectCancel'>
  readonly #resolve: (host: string) => Promise<readonly string[]>
  readonly #open = new Map<number, Dial>()

  constructor(binding: Pick<Binding, 'connect' | 'connectCancel'>, resolve = resolveHost) {
    this.#binding = binding
    this.#resolve = resolve
  }

  /**
   * Tries the addresses of a name one after the other; each has its part of the time that is left.
   * @throws NetworkError of the last
   */
  async connect(options: ConnectOptions, events: ConnectionEvents): Promise<Connection> {
    const { timeoutMs } = options
    const deadlineMs = realClock.monotonic() + timeoutMs
    const addresses = await within(options, this.#resolve(options.host))
    let failure = failureOf(options, 'ENOTFOUND')
    for (const [at, address] of addresses.entries()) {
      const leftMs = Math.max(0, deadlineMs - realClock.monotonic()) / (addresses.length - at)
      try {
        return await this.#dial(address, { ...options, timeoutMs: leftMs }, events)
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error
        failure = error
      }
    }
    throw failure
  }

  /** The addon's callbacks, from here on. */
  connected(handle: number, connection: NativeConnection): void {
    const { answer, events } = this.#take(handle)
    connection.open(events, null)
    answer.resolve(connection)
  }

  failed(handle: number, errno: number): void {
    const { answer, options } = this.#take(handle)
    answer.reject(failureOf(options, errnoName(errno)))
  }

  #dial(address: string, options: ConnectOptions, events: ConnectionEvents): Promise<Connection> {
    const { port, frameSizeMax, timeoutMs } = options
    const handle = this.#binding.connect(
      address,
      port,
      answerSizeMin,
      frameSizeMax,
      keepAliveSeconds,
    )
    if (handle < 0) return Promise.reject(failureOf(options, errnoName(handle)))
    const answer = deferred<Connection>()
    const timer = realClock.after(timeoutMs, () => {
      this.#take(handle)
      this.#binding.connectCancel(handle)
      answer.reject(failureOf(options, 'ETIMEDOUT'))
    })
    this.#open.set(handle, { options, events, answer, timer })
    return answer.promise
  }

  #take(handle: number): Dial {
    const dial = present(this.#open.get(handle), 'an attempt to connect')
    this.#open.delete(handle)
    dial.timer.cancel()
    return dial
  }
}

interface Dial {
  readonly options: ConnectOptions
  readonly events: ConnectionEvents
  readonly answer: Deferred<Connection>
  readonly timer: Timer
}

/** The addresses of a name, in the order that the system prefers. */
async function resolveHost(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

/** What a look-up comes to in time. It cannot be called off, and goes on for nobody. */
function within<T>(options: ConnectOptions, wanted: Promise<T>): Promise<T> {
  const answer = deferred<T>()
  const fail = (code: string): void => answer.reject(failureOf(options, code))
  const timer = realClock.after(options.timeoutMs, () => fail('ETIMEDOUT'))
  void wanted
    .then(
      value => answer.resolve(value),
      (error: unknown) => {
        fail(error instanceof Error && 'code' in error ? String(error.code) : 'ENOTFOUND')
      },
    )
    .finally(() => timer.cancel())
  return answer.promise
}

function failureOf({ host, port }: ConnectOptions, code: string): NetworkError {
  return new NetworkError(`cannot connect to ${host}:${port}: ${code}`, code)
}
