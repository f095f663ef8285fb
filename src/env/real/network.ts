import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { acceptBacklog, keepAliveSeconds } from '../admission.ts'
import { DuplexNetwork, type Ends } from '../duplex/network.ts'
import {
  NetworkError,
  plainHost,
  type Connection,
  type ConnectionEvents,
  type ConnectOptions,
  type Listener,
  type ListenerEvents,
  type ListenOptions,
  type Network,
} from '../network.ts'
import { realClock } from './clock.ts'

const socketOptions = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 1000 * keepAliveSeconds,
} as const

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

  /** Of a name's addresses the first that answers; each has a part of the time (RFC 8305). */
  connect(options: ConnectOptions, events: ConnectionEvents): Promise<Connection> {
    const { promise, resolve, reject } = Promise.withResolvers<Connection>()
    const { host, port, timeoutMs } = options
    const socket = connect({ ...socketOptions, host, port })
    const fail = (code: string): void => {
      timeout.cancel()
      socket.destroy()
      reject(new NetworkError(`cannot connect to ${host}:${port}: ${code}`, code))
    }
    const failed = (error: NodeJS.ErrnoException): void => fail(error.code ?? 'EIO')
    const timeout = realClock.after(timeoutMs, () => fail('ETIMEDOUT'))
    socket.once('error', failed)
    socket.once('connect', () => {
      timeout.cancel()
      socket.off('error', failed)
      resolve(this.attachDialled({ duplex: socket, limits: options, ...endsOf(socket) }, events))
    })
    return promise
  }

  #accept(socket: Socket, options: ListenOptions, events: ListenerEvents): void {
    this.attach({ duplex: socket, limits: options, ...endsOf(socket) }, each =>
      events.accepted(each),
    )
  }
}

function endsOf(socket: Socket): Ends {
  return {
    remote: { host: plainHost(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 },
    local: { host: plainHost(socket.localAddress ?? ''), port: socket.localPort ?? 0 },
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
  server.listen({ host, port, backlog: acceptBacklog, exclusive: true }, () => {
    server.off('error', failed)
    resolve()
  })
  return promise
}

/** `close` waits for the connections, which live on: so it is not waited for. The port is free at once. */
async function stopAccepting(server: Server): Promise<void> {
  server.close()
}
