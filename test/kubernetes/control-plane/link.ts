import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * A way to the API server that can be cut: bytes are handed on as they are, so TLS and credentials stay those of
 * the two ends. What is behind it (an operator, a broker) sees a network that fails; others see nothing.
 */
export class Link {
  readonly #server: Server
  readonly #target: { readonly host: string; readonly port: number }
  readonly #sockets = new Set<Socket>()
  #state: 'open' | 'refused' | 'silent' = 'open'

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target
    // An end of one side is told to the other, which may still have something to say.
    this.#server = createServer({ allowHalfOpen: true }, socket => this.#accept(socket))
  }

  static async open(url: string): Promise<Link> {
    const { hostname: host, port } = new URL(url)
    const link = new Link({ host, port: Number(port) })
    await new Promise<void>(resolve => link.#server.listen(0, '127.0.0.1', resolve))
    return link
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the link is closed')
    return `https://127.0.0.1:${address.port}`
  }

  /** How many connections go through it now. */
  get connections(): number {
    return this.#sockets.size / 2
  }

  /** Breaks each connection, watches too, by a reset; new ones are welcome. Returns how many there were. */
  cut(): number {
    const { connections } = this
    for (const socket of this.#sockets) socket.resetAndDestroy()
    return connections
  }

  /** Cuts, and resets whoever comes, until `restore`. */
  refuse(): void {
    this.#state = 'refused'
    this.cut()
  }

  /** Nothing goes through any more and nobody is told, until `restore`. */
  silence(): void {
    this.#state = 'silent'
    for (const socket of this.#sockets) socket.pause()
  }

  restore(): void {
    this.#state = 'open'
    for (const socket of this.#sockets) socket.resume()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise(resolve => this.#server.close(resolve))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accept(socket: Socket): void {
    if (this.#state === 'refused') {
      socket.on('error', () => {})
      socket.resetAndDestroy()
      return
    }
    const beyond = connect({ ...this.#target, allowHalfOpen: true })
    this.#join(socket, beyond)
    this.#join(beyond, socket)
    if (this.#state === 'silent') for (const each of [socket, beyond]) each.pause()
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from)
    from.on('data', bytes => {
      if (!to.write(bytes)) from.pause()
    })
    to.on('drain', () => {
      if (this.#state !== 'silent') from.resume()
    })
    from.on('end', () => to.end())
    from.on('error', () => to.resetAndDestroy())
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
  }
}
