import type { Api } from '../../src/broker/wire/field.ts'
import type { Message } from '../../src/broker/wire/shape.ts'
import { RawClient, RawClientError } from '../helpers/raw-client.ts'
import { decodeExactly, encodeExactly } from './exact-wire.ts'
import type { Json } from './json.ts'

/** Nothing that is asked here takes a broker longer, however busy the machine. */
const answerMsMax = 10_000

/** What came of a request: an answer, or the connection's end, or nothing at all. */
export type Outcome = Uint8Array | 'closed' | 'silence'

/** One connection to the broker that is asked; a new one is made where the broker closed the last. */
export class Connection {
  readonly #port: number
  #client: RawClient | null = null
  #lastCorrelationId = 0

  constructor(port: number) {
    this.#port = port
  }

  /** The answer as JSON, or `closed`, `silence`, or what does not decode about it. */
  async ask(api: Api, version: number, body: Message): Promise<Json> {
    const frame = encodeExactly(api, version, this.nextCorrelationId(), body)
    return readAnswer(api, version, await this.exchange(frame))
  }

  /** Sends a frame and takes the next that comes. */
  async exchange(frame: Uint8Array): Promise<Outcome> {
    if (this.#client?.isOpen !== true) await this.#connect()
    try {
      return await this.#client!.exchange(frame)
    } catch (error) {
      if (!(error instanceof RawClientError)) throw error
      return error.reason === 'late' ? 'silence' : 'closed'
    }
  }

  /** Sends a frame that is not answered. */
  async send(frame: Uint8Array): Promise<void> {
    if (this.#client?.isOpen !== true) await this.#connect()
    this.#client!.send(frame)
  }

  nextCorrelationId(): number {
    return ++this.#lastCorrelationId
  }

  async #connect(): Promise<void> {
    this.#client = await RawClient.connect(this.#port, { timeoutMs: answerMsMax })
  }

  close(): void {
    this.#client?.close()
    this.#client = null
  }
}

export function readAnswer(api: Api, version: number, outcome: Outcome): Json {
  if (typeof outcome === 'string') return outcome
  try {
    return decodeExactly(api, version, outcome)
  } catch (error) {
    return `does not decode: ${(error as Error).message}`
  }
}
