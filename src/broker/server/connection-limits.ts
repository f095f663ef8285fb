/** Which setting a connection met. */
export type ConnectionLimit = 'max.connections' | 'max.connections.per.ip'

/** Counts open connections, all and by address. */
export class ConnectionLimits {
  readonly #connectionsMax: number
  readonly #perAddressMax: number
  readonly #byAddress = new Map<string, number>()
  #count = 0

  constructor(connectionsMax: number, perAddressMax: number) {
    this.#connectionsMax = connectionsMax
    this.#perAddressMax = perAddressMax
  }

  /** Counts one more of `host`, or tells the limit that forbids it. Each that is counted must `leave`. */
  enter(host: string): ConnectionLimit | null {
    if (this.#count >= this.#connectionsMax) return 'max.connections'
    const ofHost = this.#byAddress.get(host) ?? 0
    if (ofHost >= this.#perAddressMax) return 'max.connections.per.ip'
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
