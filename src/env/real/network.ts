import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { DuplexNetwork } from '../duplex/network.ts'
import {
  NetworkError,
  type Listener,
  type ListenerEvents,
  type ListenOptions,
  type Network,
} from '../network.ts'

const backlog = 1024

const socketOptions = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
}

/**
 * The network over `node:net`: bytes pass through JavaScript, in chunks and in reads. The oracle for the addon's,
 * and what serves where the addon is not there. TLS sockets join by `attach`. Without a descriptor left libuv
 * accepts and closes at once, without telling: `acceptFailed` is for other errors.
 */
export class NodeNetwork extends DuplexNetwork implements Network {
  readonly kind = 'node'

  async listen(options: ListenOptions, events: ListenerEvents): Promise<Listener> {
    const server = createServer(socketOptions, socket => this.#accept(socket, options, events))
    await bound(server, options)
    server.on('error', error => events.acceptFailed((error as NodeJS.ErrnoException).code ?? 'EIO'))
    const { address, port } = server.address() as AddressInfo
    return { host: address, port, close: () => stopAccepting(server) }
  }

  #accept(socket: Socket, options: ListenOptions, events: ListenerEvents): void {
    const ends = {
      remote: { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
      local: { host: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    }
    this.attach({ duplex: socket, limits: options, ...ends }, each => events.accepted(each))
  }
}

function bound(server: Server, { host, port }: ListenOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const failed = (error: NodeJS.ErrnoException): void => {
    reject(
      new NetworkError(`cannot listen on ${host}:${port}: ${error.message}`, error.code ?? 'EIO'),
    )
  }
  server.once('error', failed)
  server.listen({ host, port, backlog, exclusive: true }, () => {
    server.off('error', failed)
    resolve()
  })
  return promise
}

/** `close` waits for the connections, which live on: so it is not waited for. The port is free at once. */
async function stopAccepting(server: Server): Promise<void> {
  server.close()
}
