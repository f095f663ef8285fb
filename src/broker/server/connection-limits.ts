import type { Settings } from '../config/settings.ts'

/** Which setting a connection met. */
export type ConnectionLimit = 'max.connections' | 'max.connections.per.ip'

/** Counts open connections, all and by address. */
export class ConnectionLimits {
  readonly #settings: Pick<Settings, 'maxConnections' | 'maxConnectionsPerIp'>
  readonly #byAddress = new Map<string, number>()
  #count = 0

  /** The limits are read at each connection: they may change. */
  constructor(settings: Pick<Settings, 'maxConnections' | 'maxConnectionsPerIp'>) {
    this.#settings = settings
  }

  /** Counts one more of `host`, or tells the limit that forbids it. Each that is counted must `leave`. */
  enter(host: string): ConnectionLimit | null {
    if (this.#count >= this.#settings.maxConnections) return 'max.connections'
    const ofHost = this.#byAddress.get(host) ?? 0
    if (ofHost >= this.#settings.maxConnectionsPerIp) return 'max.connections.per.ip'
    this.#byAddress.set(host, ofHost + 1)
    this.#count++
    return null
  }

  leave(host: string): void {
    const ofHost = this.#byAddress.get(host) ?? 0
    if (ofHost <= 1) this.#byAddress.delete(host)
    else this.#byAddress.set(host, ofHost - 1)
    this.#count--
  }
}
