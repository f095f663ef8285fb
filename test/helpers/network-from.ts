import { connect } from 'node:net'
import type { Connection, ConnectionEvents, ConnectOptions } from '../../src/env/env.ts'
import { NodeNetwork } from '../../src/env/real/network.ts'

/**
 * Connects from an address that the test chooses: any of 127.0.0.0/8 will do, and tells its lines in the broker's log
 * from others.
 */
export class NetworkFrom extends NodeNetwork {
  readonly #localAddress: string

  constructor(localAddress: string) {
    super()
    this.#localAddress = localAddress
  }

  override connect(options: ConnectOptions, events: ConnectionEvents): Promise<Connection> {
    const { promise, resolve, reject } = Promise.withResolvers<Connection>()
    const { host, port } = options
    const socket = connect({
      host,
      port,
      localAddress: this.#localAddress,
      noDelay: true,
      allowHalfOpen: true,
    })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      const ends = {
        remote: { host, port },
        local: { host: this.#localAddress, port: socket.localPort ?? 0 },
      }
      resolve(this.attachDialled({ duplex: socket, limits: options, ...ends }, events))
    })
    return promise
  }
}
