import { concat } from '../../src/lib/bytes.ts'
import type { Api, Draft, Fields, Infer } from '../../src/broker/wire/field.ts'
import { readResponse, requestFrame, responseFrame } from '../../src/broker/wire/frame.ts'
import { RawClient } from '../helpers/raw-client.ts'

/** One thing that a session did, and all the bytes that came back, in hex; `closed` where the broker closed instead. */
export interface Step {
  readonly what: string
  readonly answer: string
}

/** What legitimately differs between two brokers, made equal. The rest of the answer is compared as it came. */
export type Mask<Response> = (response: Response) => Response

/** Speaks to one broker, and keeps every byte that it answers. Correlation ids are counted, so two runs ask the same. */
export class Recorder implements Disposable {
  readonly steps: Step[] = []
  /** All error codes that came, wherever in an answer. */
  readonly errorCodes = new Set<number>()
  readonly #port: number
  #client: RawClient | null = null
  #correlationId = 0

  constructor(port: number) {
    this.#port = port
  }

  async ask<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    request: Draft<Request>,
    mask?: Mask<Infer<Response>>,
  ): Promise<Infer<Response>> {
    const frame = this.frame(api, version, request)
    const correlationId = this.#correlationId
    const client = await this.#connected()
    const answer = await client.exchange(frame)
    const { value } = readResponse(api, version, answer)
    JSON.stringify(value, (key, each: unknown) => {
      if (key === 'errorCode') this.errorCodes.add(each as number)
      return each instanceof Uint8Array ? null : each
    })
    const what = `${api.name} v${version} ${JSON.stringify(request, shortened)}`
    if (mask === undefined) {
      this.#note(what, answer)
    } else {
      const parts = responseFrame(
        api,
        version,
        correlationId,
        mask(value) as unknown as Draft<Response>,
      )
      this.#note(`${what}: ${answer.length} bytes`, concat(parts as Uint8Array[]))
    }
    return value
  }

  /** A request that is not answered. */
  async tell<Request extends Fields>(
    api: Api<Request>,
    version: number,
    request: Draft<Request>,
  ): Promise<void> {
    const client = await this.#connected()
    client.send(this.frame(api, version, request))
  }

  /** Sends bytes in pieces of `pieceBytes`, and waits for `answerCount` answers, or for the end of the connection. */
  async exchange(
    what: string,
    bytes: Uint8Array,
    options: { readonly answerCount?: number; readonly pieceBytes?: number } = {},
  ): Promise<void> {
    const { answerCount = 1, pieceBytes = bytes.length } = options
    const client = await this.#connected()
    const answers = Array.from({ length: answerCount }, () =>
      client.answerOrClose(new Uint8Array(0)),
    )
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      client.send(bytes.subarray(at, at + pieceBytes))
      // A turn of the event loop for each piece, or they would leave together.
      if (pieceBytes < bytes.length) await new Promise(resolve => setImmediate(resolve))
    }
    for (const answer of await Promise.all(answers)) this.#note(what, answer)
    if (!client.isOpen) this.#client = null
  }

  frame<Request extends Fields>(
    api: Api<Request>,
    version: number,
    request: Draft<Request>,
  ): Uint8Array {
    const header = { correlationId: ++this.#correlationId, clientId: 'recorder' }
    return concat(requestFrame(api, version, header, request) as Uint8Array[])
  }

  [Symbol.dispose](): void {
    this.#client?.close()
  }

  async #connected(): Promise<RawClient> {
    this.#client ??= await RawClient.connect(this.#port, { timeoutMs: 30_000 })
    return this.#client
  }

  #note(what: string, answer: Uint8Array | null): void {
    this.steps.push({
      what,
      answer: answer === null ? 'closed' : Buffer.from(answer).toString('hex'),
    })
  }
}

function shortened(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? `${value.length} bytes` : value
}

/** No topic's id. */
export const noUuid = 'AAAAAAAAAAAAAAAAAAAAAA'
