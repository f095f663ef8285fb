import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Agent, request } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import { deferred } from '../../../../src/lib/deferred.ts'

/** What is kept back: a request on its way to the API server, or the answer on its way back. */
type Part = 'request' | 'answer'

interface Hold {
  readonly part: Part
  readonly matches: (method: string, path: string) => boolean
  readonly held: () => void
  readonly released: Promise<void>
}

/** One request that was kept back. */
export interface Held {
  /** Resolves when it has come. */
  readonly come: Promise<void>
  release(): void
}

/**
 * A way to the API server on which a single request can be kept back for as long as a test likes, as a network may do: who
 * sent it sees nothing of it. It speaks HTTP to whoever asks, and is the user of the kubeconfig to the API server.
 */
export class HoldingProxy {
  readonly #server: Server
  readonly #holds = new Set<Hold>()
  readonly #agent: Agent
  readonly #target: string

  private constructor(target: string, agent: Agent) {
    this.#target = target
    this.#agent = agent
    this.#server = createServer((asked, answer) => void this.#pass(asked, answer))
  }

  static async open(kubeconfig: string): Promise<HoldingProxy> {
    const config = new KubeConfig()
    config.loadFromFile(kubeconfig)
    const options: { ca?: string; cert?: string; key?: string } = {}
    await config.applyToHTTPSOptions(options)
    const { ca, cert, key } = options
    const agent = new Agent({ keepAlive: true, ca: ca!, cert: cert!, key: key! })
    const proxy = new HoldingProxy(config.getCurrentCluster()!.server, agent)
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed')
    return `http://127.0.0.1:${address.port}`
  }

  /** Keeps back the next that matches. */
  hold(part: Part, matches: Hold['matches']): Held {
    const [come, release] = [deferred<void>(), deferred<void>()]
    this.#holds.add({ part, matches, held: () => come.resolve(), released: release.promise })
    return { come: come.promise, release: () => release.resolve() }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy()
    this.#server.closeAllConnections()
    return new Promise(resolve => this.#server.close(() => resolve()))
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = asked
    const body = await bytesOf(asked)
    const hold = [...this.#holds].find(({ matches }) => matches(method, url))
    if (hold !== undefined) this.#holds.delete(hold)
    const wait = async (part: Part): Promise<void> => {
      if (hold?.part !== part) return
      hold.held()
      await hold.released
    }
    await wait('request')
    const { host: _, connection: __, ...passed } = headers
    const options = { method, headers: passed, agent: this.#agent }
    const onward = request(`${this.#target}${url}`, options, came => {
      void wait('answer').then(() => {
        answer.writeHead(came.statusCode ?? 502, came.headers)
        answer.flushHeaders()
        came.pipe(answer)
      })
    })
    onward.on('error', () => answer.destroy())
    answer.on('close', () => onward.destroy())
    onward.end(body)
  }
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
