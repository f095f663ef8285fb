import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { Clock } from '../env/clock.ts'
import { closeIdle, exchange, type HttpAnswer } from '../env/real/http-exchange.ts'
import {
  NoAnswer,
  type Found,
  type KeyValues,
  type RangeWish,
  type Transaction,
} from './key-values.ts'

export interface HttpKeyValuesOptions {
  /** `http://host:port` of each member; at least one. */
  readonly urls: readonly string[]
  readonly clock: Clock
  /** Milliseconds that a request has on its connection (`HttpBounds`). Default 2,000. */
  readonly timeoutMs?: number
}

/** All records after a snapshot, in base64. */
const answerBytesMax = 512 * 1_048_576

/**
 * etcd's JSON gateway over `node:http`: keys and values are base64, 64-bit numbers are text. One member is asked as long as
 * it answers, then the next.
 */
export class HttpKeyValues implements KeyValues {
  readonly #options: HttpKeyValuesOptions
  #connections: Promise<Connections> | null = null
  #member = 0

  constructor(options: HttpKeyValuesOptions) {
    this.#options = options
  }

  async range({ from, to, atRevision }: RangeWish): Promise<Found> {
    const { header, kvs = [] } = await this.#ask('/v3/kv/range', {
      key: base64(from),
      ...(to === undefined ? {} : { range_end: base64(to) }),
      ...(atRevision === undefined ? {} : { revision: String(atRevision) }),
    })
    const values = kvs.map(({ key, value = '', mod_revision: revision }) => ({
      key: Buffer.from(key, 'base64').toString(),
      value: Buffer.from(value, 'base64'),
      revision: Number(revision),
    }))
    return { values, revision: Number(header.revision) }
  }

  async commit({ ifRevisions, puts, deletes }: Transaction): Promise<number | null> {
    const compare = ifRevisions.map(({ key, revision }) => ({
      key: base64(key),
      target: 'MOD',
      result: 'EQUAL',
      mod_revision: String(revision),
    }))
    const success = [
      ...deletes.map(({ from, to }) => ({
        request_delete_range: {
          key: base64(from),
          ...(to === undefined ? {} : { range_end: base64(to) }),
        },
      })),
      ...puts.map(({ key, value }) => ({
        request_put: { key: base64(key), value: Buffer.from(value).toString('base64') },
      })),
    ]
    const { header, succeeded } = await this.#ask('/v3/kv/txn', { compare, success })
    // The gateway leaves out what is false.
    return succeeded === true ? Number(header.revision) : null
  }

  close(): void {
    this.#connections?.then(
      ({ agent }) => agent.destroy(),
      () => {},
    )
    this.#connections = null
  }

  async #ask(path: string, body: object): Promise<Answer> {
    const { urls } = this.#options
    const member = this.#member
    const url = urls[member % urls.length]!
    try {
      this.#connections ??= connect()
      const connections = await this.#connections
      return answerIn(await this.#exchange(new URL(path, url), JSON.stringify(body), connections))
    } catch (error) {
      // Others may have failed at that member too, and gone to the next.
      if (this.#member === member) this.#member += 1
      const { code, message } = error as NodeJS.ErrnoException
      throw new NoAnswer(`POST ${url}${path}: ${message === '' ? code : message}`, { cause: error })
    }
  }

  async #exchange(url: URL, body: string, { agent, request }: Connections): Promise<HttpAnswer> {
    const { clock, timeoutMs = 2_000 } = this.#options
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    const asked = request(url, { method: 'POST', agent, headers })
    const bounds = { clock, timeoutMs, bytesMax: answerBytesMax }
    try {
      return await exchange(asked, body, bounds)
    } catch (error) {
      closeIdle(agent)
      throw error
    }
  }
}

/** What is read of an answer to either request. */
interface Answer {
  readonly header: { readonly revision: string }
  readonly kvs?: readonly {
    readonly key: string
    readonly value?: string
    readonly mod_revision: string
  }[]
  readonly succeeded?: boolean
}

interface Connections {
  readonly agent: Agent
  readonly request: (
    url: URL,
    options: RequestOptions,
    callback?: (response: IncomingMessage) => void,
  ) => ClientRequest
}

/** A broker whose metadata are elsewhere does without the module. */
async function connect(): Promise<Connections> {
  const http = await import('node:http')
  return { agent: new http.Agent({ keepAlive: true, maxSockets: 4 }), request: http.request }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** @throws Error where it is not etcd's: what else stands at its address may answer with any JSON, and `{}` would be an empty log */
function answerIn({ status, text }: HttpAnswer): Answer {
  if (status !== 200) throw new Error(`${status} ${text.slice(0, 200)}`)
  const answer: unknown = JSON.parse(text)
  if (isAnswer(answer)) return answer
  throw new Error(`200, and not what etcd answers: ${text.slice(0, 200)}`)
}

function isAnswer(content: unknown): content is Answer {
  const { header, kvs = [] } = (content ?? {}) as Partial<Answer>
  return isRevision(header?.revision) && Array.isArray(kvs) && kvs.every(isKeyValue)
}

function isKeyValue(content: unknown): boolean {
  const { key, value = '', mod_revision: revision } = (content ?? {}) as Record<string, unknown>
  return typeof key === 'string' && typeof value === 'string' && isRevision(revision)
}

/** etcd counts from 1. */
function isRevision(content: unknown): boolean {
  return typeof content === 'string' && /^[1-9]\d*$/.test(content)
}
