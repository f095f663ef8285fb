import { readFile } from 'node:fs/promises'
import type { Agent, request } from 'node:https'
import type { Clock } from '../env/clock.ts'
import { closeIdle, exchange, type HttpAnswer } from '../env/real/http-exchange.ts'
import { assert } from '../lib/assert.ts'
import {
  getReplyOf,
  updateReplyOf,
  type GetReply,
  type KubernetesObject,
  type NamedObjects,
  type NoReply,
  type ObjectKind,
  type UpdateReply,
} from './named-objects.ts'

export interface HttpsObjectsOptions {
  /** `https://host:port`, without a path. */
  readonly url: string
  readonly namespace: string
  /** The projected token of the pod's ServiceAccount; read again as it rotates. */
  readonly tokenFile: string
  /** PEM, of the API server's issuer; read again when a certificate is not trusted. */
  readonly caFile: string
  readonly clock: Clock
  /** Milliseconds that a request has on its connection (`HttpBounds`). Default 2,000. */
  readonly timeoutMs?: number
}

/** kubelet writes a new token at four fifths of the old one's life, which is ten minutes at least. */
const tokenAgeMsMax = 60_000
/** A ConfigMap holds 1 MiB; as JSON, with base64, that is less than this. */
const answerBytesMax = 4 * 1_048_576
const connectionCountMax = 16
/** Whoever asks for more is asked again after this: nothing can be changed meanwhile. */
const retryAfterMsMax = 10_000

const places: Readonly<Record<ObjectKind, { readonly path: string; readonly apiVersion: string }>> =
  {
    ConfigMap: { path: '/api/v1', apiVersion: 'v1' },
    Lease: { path: '/apis/coordination.k8s.io/v1', apiVersion: 'coordination.k8s.io/v1' },
  }

/**
 * The Kubernetes API over `node:https`: connections are kept, and each request has an end. @kubernetes/client-node would
 * cost a broker 0.7 s and 90 MB at its import.
 */
export class HttpsObjects implements NamedObjects {
  readonly #options: HttpsObjectsOptions
  readonly #url: URL
  #connections: Promise<Connections> | null = null
  #token: { readonly text: string; readonly readAtMs: number } | null = null

  constructor(options: HttpsObjectsOptions) {
    this.#options = options
    this.#url = new URL(options.url)
  }

  async get(kind: ObjectKind, name: string): Promise<GetReply> {
    const answer = await this.#ask('GET', kind, name)
    if ('type' in answer) return answer
    if (answer.status === 200) return { type: 'found', object: answer.object! }
    return getReplyOf(answer)
  }

  async update(kind: ObjectKind, object: KubernetesObject): Promise<UpdateReply> {
    const { name, resourceVersion } = object.metadata
    // ConfigMaps may be written without one: then whatever is there is overwritten.
    assert(resourceVersion !== '', 'an update says which version it replaces')
    const answer = await this.#ask('PUT', kind, name, object)
    if ('type' in answer) return answer
    if (answer.status === 200) return { type: 'stored', object: answer.object! }
    return updateReplyOf(answer)
  }

  close(): void {
    this.#forgetConnections()
  }

  async #ask(
    method: 'GET' | 'PUT',
    kind: ObjectKind,
    name: string,
    object?: KubernetesObject,
  ): Promise<Answer | NoReply> {
    const { path, apiVersion } = places[kind]
    const resource = kind === 'ConfigMap' ? 'configmaps' : 'leases'
    const { namespace } = this.#options
    const target = `${path}/namespaces/${namespace}/${resource}/${name}`
    const what = `${method} ${this.#url.origin}${target}`
    try {
      const headers = {
        authorization: `Bearer ${await this.#bearer()}`,
        accept: 'application/json',
      }
      const connections = await this.#connected()
      const body = object === undefined ? null : JSON.stringify({ ...object, apiVersion, kind })
      const answer = await this.#exchange({ method, path: target, headers, connections }, body)
      return answerOf({ ...answer, what, name })
    } catch (error) {
      return this.#failed(what, error as NodeJS.ErrnoException)
    }
  }

  async #exchange(options: Options, body: string | null): Promise<HttpAnswer> {
    const { clock, timeoutMs = 2_000 } = this.#options
    const { hostname, port } = this.#url
    const sent = body === null ? {} : { 'content-type': 'application/json' }
    const { connections, ...asking } = options
    const asked = connections.request({
      ...asking,
      agent: connections.agent,
      // IPv6 stands in brackets in a URL, and without them here.
      hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port === '' ? 443 : port,
      headers: { ...options.headers, ...sent },
    })
    const bounds = { clock, timeoutMs, bytesMax: answerBytesMax }
    try {
      const answer = await exchange(asked, body, bounds)
      if (answer.status === 401) this.#token = null
      return answer
    } catch (error) {
      closeIdle(connections.agent)
      throw error
    }
  }

  /** Nobody knows what became of a request that was sent; one that could not be sent is rare enough to be treated alike. */
  #failed(what: string, error: NodeJS.ErrnoException): NoReply {
    // The issuer may have changed; the next request reads its file again.
    if (/CERT|SELF_SIGNED|VERIFY|ISSUER/.test(error.code ?? '')) this.#forgetConnections()
    const reason = `${what}: ${error.message === '' ? error.code : error.message}`
    return { type: 'unavailable', isUnknown: true, reason, retryAfterMs: null }
  }

  async #bearer(): Promise<string> {
    const nowMs = this.#options.clock.monotonic()
    if (this.#token === null || nowMs - this.#token.readAtMs > tokenAgeMsMax) {
      const text = (await readFile(this.#options.tokenFile, 'utf8')).trim()
      this.#token = { text, readAtMs: nowMs }
    }
    return this.#token.text
  }

  /** What could not be made is made anew for the next request. */
  #connected(): Promise<Connections> {
    if (this.#connections !== null) return this.#connections
    const made = this.#connect()
    this.#connections = made
    made.catch(() => {
      if (this.#connections === made) this.#connections = null
    })
    return made
  }

  /** A broker whose metadata are in files does without the 5 MB that the module takes. */
  async #connect(): Promise<Connections> {
    const [https, ca] = await Promise.all([import('node:https'), readFile(this.#options.caFile)])
    const agent = new https.Agent({ keepAlive: true, maxSockets: connectionCountMax, ca })
    return { agent, request: https.request }
  }

  #forgetConnections(): void {
    // Those that could not be made have told so to whoever wanted to use them.
    this.#connections?.then(
      ({ agent }) => agent.destroy(),
      () => {},
    )
    this.#connections = null
  }
}

interface Options {
  readonly method: 'GET' | 'PUT'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly connections: Connections
}

interface Connections {
  readonly agent: Agent
  readonly request: typeof request
}

interface Answer {
  readonly status: number
  /** Of an answer 200. */
  readonly object: KubernetesObject | null
  readonly reason: string
  readonly retryAfterMs: number | null
}

interface RawAnswer extends HttpAnswer {
  readonly what: string
  readonly name: string
}

/** @throws Error where 200 is not what it seems */
function answerOf({ status, headers, text, what, name }: RawAnswer): Answer {
  if (status === 200)
    return { status, object: objectIn(text, name), reason: '', retryAfterMs: null }
  const seconds = Number(headers['retry-after'] ?? Number.NaN)
  return {
    status,
    object: null,
    reason: `${what}: ${status} ${messageOf(text)}`,
    retryAfterMs: seconds >= 0 ? Math.min(seconds * 1_000, retryAfterMsMax) : null,
  }
}

/** @throws Error where it is not the object of that name: something else may stand where the API was. */
function objectIn(text: string, name: string): KubernetesObject {
  const object = JSON.parse(text) as Partial<KubernetesObject> | null
  const { name: told, resourceVersion } = object?.metadata ?? {}
  const isRight = told === name && typeof resourceVersion === 'string' && resourceVersion !== ''
  if (!isRight) throw new Error(`200 without the object: ${text.slice(0, 200)}`)
  return object as KubernetesObject
}

/** The sentence of a `Status`, or the beginning of whatever came. */
function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    if (typeof message === 'string') return message
  } catch {
    // No JSON: a proxy's page.
  }
  return text.slice(0, 200)
}
