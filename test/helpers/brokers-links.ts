import type { PeerService } from '../../src/broker/cluster/peer-service.ts'
import type { Lane, PeerClient, PeerConnections } from '../../src/broker/cluster/peers.ts'
import type { Handler, RequestContext } from '../../src/broker/handlers/handler.ts'
import {
  WireClientError,
  type ClientErrorReason,
} from '../../src/broker/wire/client/client-error.ts'
import type { RequestOptions, WireClient } from '../../src/broker/wire/client/client.ts'
import { decodeRequest } from '../../src/broker/wire/codec.ts'
import type { Api, Draft, Fields, Infer } from '../../src/broker/wire/field.ts'
import {
  type FramePart,
  readRequestHeader,
  readResponse,
  requestFrame,
  responseFrame,
} from '../../src/broker/wire/frame.ts'
import { privateApiByKey } from '../../src/broker/wire/private/index.ts'
import type { Address, Clock } from '../../src/env/env.ts'
import { nextConnectionId } from '../../src/env/connection-id.ts'
import { concat } from '../../src/lib/bytes.ts'
import { deferred } from '../../src/lib/deferred.ts'

/** What happens to a request on its way; `lose`: it is done, and its answer does not come. */
export type LinkFault = 'pass' | 'drop' | 'lose'

/** A request or an answer on its way. */
export interface OnItsWay {
  readonly from: number
  readonly to: number
  readonly api: Api
  readonly value: any
}

interface LinkNode {
  readonly id: number
  readonly isUp: boolean
  readonly life: number
  readonly links: Set<Link>
  readonly handlers: ReadonlyMap<number, Handler>
  readonly service: PeerService | null
}

interface LinkWorld {
  readonly clock: Clock
  readonly cuts: ReadonlySet<string>
  readonly rejections: ReadonlySet<string>
  readonly fault: (asked: OnItsWay) => LinkFault
  readonly answered: (answer: OnItsWay) => unknown
  node(id: number): LinkNode
}

/** One broker's way to the others. */
export class WorldPeers implements PeerConnections {
  readonly #world: LinkWorld
  readonly #node: LinkNode
  readonly #life: number
  readonly #lanes = new Map<string, Link>()
  #isClosed = false

  constructor(world: LinkWorld, node: LinkNode) {
    this.#world = world
    this.#node = node
    this.#life = node.life
  }

  /** Only to be closed again. */
  async connect(address: Address): Promise<WireClient> {
    const link = await this.#link(address)
    return { close: () => link.reset('local') } as WireClient
  }

  async at(address: Address, lane: Lane): Promise<PeerClient> {
    const key = `${lane} ${address.port}`
    const known = this.#lanes.get(key)
    if (known !== undefined && known.isOpen) return known
    const link = await this.#link(address)
    this.#lanes.set(key, link)
    return link
  }

  async #link(address: Address): Promise<Link> {
    const world = this.#world
    const target = world.node(address.port - 9_000)
    if (this.#isClosed || this.#life !== this.#node.life) throw unreachable('it is over')
    if (world.cuts.has(`${this.#node.id}>${target.id}`)) {
      await new Promise<void>(resolve => world.clock.after(2_000, resolve))
      throw unreachable('no answer', 'ETIMEDOUT')
    }
    const isRejected = world.rejections.has(`${this.#node.id}>${target.id}`)
    if (!target.isUp || isRejected) throw unreachable('nobody listens', 'ECONNREFUSED')
    return new Link(world, this.#node, target)
  }

  close(): void {
    this.#isClosed = true
    for (const link of this.#lanes.values()) link.reset()
  }
}

function unreachable(message: string, code = 'ECONNREFUSED'): WireClientError {
  return new WireClientError('unreachable', message, {
    cause: Object.assign(new Error(), { code }),
  })
}

/** One connection; requests and answers are encoded, as on any. */
export class Link implements PeerClient {
  isOpen = true
  readonly #id = nextConnectionId()
  readonly #world: LinkWorld
  readonly #from: LinkNode
  readonly #to: LinkNode
  readonly #closed = deferred<WireClientError>()
  readonly #waiting = new Set<(error: WireClientError) => void>()
  readonly #served = new Set<() => void>()

  constructor(world: LinkWorld, from: LinkNode, to: LinkNode) {
    this.#world = world
    this.#from = from
    this.#to = to
    from.links.add(this)
    to.links.add(this)
  }

  get closed(): Promise<WireClientError> {
    return this.#closed.promise
  }

  reset(reason: ClientErrorReason = 'closed'): void {
    if (!this.isOpen) return
    this.isOpen = false
    const error = new WireClientError(reason, 'the connection is gone')
    this.#from.links.delete(this)
    this.#to.links.delete(this)
    for (const fail of this.#waiting) fail(error)
    for (const end of this.#served) end()
    const isCut = this.#world.cuts.has(`${this.#from.id}>${this.#to.id}`)
    if (!isCut) this.#to.service?.office?.connectionClosed(this.#id)
    this.#closed.resolve(error)
  }

  request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    value: Draft<Request>,
    { timeoutMs = 30_000 }: RequestOptions = {},
  ): Promise<Infer<Response>> {
    return new Promise((resolve, reject) => {
      const fail = (error: WireClientError): void => {
        this.#waiting.delete(fail)
        timer.cancel()
        reject(error)
      }
      const timer = this.#world.clock.after(timeoutMs, () => this.reset('timeout'))
      this.#waiting.add(fail)
      void this.#exchange(api, value).then(answer => {
        if (answer === null || !this.#waiting.delete(fail)) return
        timer.cancel()
        resolve(answer)
      })
    })
  }

  async #exchange<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    draft: Draft<Request>,
  ): Promise<Infer<Response> | null> {
    const [, version] = api.versions
    const header = { correlationId: 1, clientId: null }
    const bytes = joined(requestFrame(api, version, header, draft))
    const { bodyAt } = readRequestHeader(bytes, privateApiByKey)
    const value = decodeRequest(api, version, bytes, bodyAt)
    const ids = { from: this.#from.id, to: this.#to.id, api: api as Api }
    await Promise.resolve()
    const fault = this.#world.fault({ ...ids, value })
    const isCut = (): boolean => this.#world.cuts.has(`${ids.from}>${ids.to}`)
    if (fault === 'drop' || isCut() || !this.isOpen) return null
    const handler = this.#to.handlers.get(api.key)!
    const ends = new Set<() => void>()
    const answer = await handler.handle(value, this.#context(ends))
    for (const end of ends) this.#served.delete(end)
    if (fault === 'lose' || this.#world.cuts.has(`${ids.to}>${ids.from}`)) return null
    const response = joined(responseFrame(api, version, 1, answer as Draft<Response>))
    const read = readResponse(api, version, response).value
    return this.#world.answered({ ...ids, value: read }) as Infer<Response>
  }

  #context(ends: Set<() => void>): RequestContext {
    const context = {
      session: { principal: 'broker' },
      connectionId: this.#id,
      onStopping: () => {},
      onClosed: (act: () => void) => {
        ends.add(act)
        this.#served.add(act)
      },
    }
    return context as unknown as RequestContext
  }
}

/** Without the length before it. */
function joined(parts: readonly FramePart[]): Uint8Array {
  return concat(parts as Uint8Array[]).subarray(4)
}
