import type { OutPart } from '../../env/env.ts'
import { readInt16 } from '../../lib/bytes.ts'
import { refusalOfStranger } from '../handlers/brokers-only.ts'
import {
  ConnectionFault,
  type Answer,
  type Handler,
  type HandlerTable,
} from '../handlers/handler.ts'
import type { ApiMeter, Metrics } from '../telemetry/metrics.ts'
import { absentApis } from '../handlers/absent-apis.ts'
import { decodeRequest } from '../wire/codec.ts'
import { errorCode } from '../wire/errors.ts'
import type { Draft, Fields } from '../wire/field.ts'
import { readRequestHeader, responseFrame } from '../wire/frame.ts'
import type { Door } from '../security/door.ts'
import { apiVersions } from '../wire/messages/index.ts'
import { UnsupportedVersionError, WireError } from '../wire/wire-error.ts'
import { errorFinder, type FindErrors } from './answer-errors.ts'
import type { OpenRequest, Outcome, RequestFacts } from './open-request.ts'

/** A handler with what is counted of it. */
export interface Route {
  readonly handler: Handler
  readonly meter: ApiMeter
  readonly findErrors: FindErrors
}

/** What a frame turned out to be. */
export type Dispatch =
  | {
      readonly kind: 'request'
      readonly facts: RequestFacts
      readonly route: Route
      readonly bodyAt: number
    }
  /** ApiVersions in a version that we do not speak: answered without a look at its body (G1). */
  | { readonly kind: 'fallback'; readonly facts: RequestFacts; readonly meter: ApiMeter }
  | { readonly kind: 'fault'; readonly facts: RequestFacts | null; readonly fault: ConnectionFault }

/** Tells requests by their headers, and turns answers into frames. Knows no connection. */
export class Dispatcher {
  readonly #handlers: HandlerTable
  readonly #metrics: Metrics
  readonly #apiByKey: Door['apiByKey']
  readonly #routes = new Map<number, Route>()

  constructor(handlers: HandlerTable, metrics: Metrics, door: Door) {
    this.#handlers = handlers
    this.#metrics = metrics
    this.#apiByKey = key => door.apiByKey(key)
  }

  /** Reads the header of a frame. Throws nothing for what a client can send. */
  dispatch(bytes: Uint8Array): Dispatch {
    try {
      const header = readRequestHeader(bytes, this.#apiByKey)
      const { api, apiKey, apiVersion, correlationId, clientId, bodyAt } = header
      const route = this.#route(apiKey)
      const facts = { apiKey, api: api.name, apiVersion, correlationId, clientId }
      if (route !== undefined) return { kind: 'request', facts, route, bodyAt }
      const fault = new ConnectionFault('unserved-api', 'this broker does not serve the API')
      return { kind: 'fault', facts, fault }
    } catch (error) {
      if (error instanceof UnsupportedVersionError) return this.#unsupported(error)
      if (error instanceof WireError) {
        return { kind: 'fault', facts: null, fault: malformed(error) }
      }
      throw error
    }
  }

  /**
   * Decodes the body and calls the handler.
   * @throws ConnectionFault, InvariantError, or whatever else a handler fails with
   */
  handle(
    { route, bodyAt }: Dispatch & { kind: 'request' },
    bytes: Uint8Array,
    request: OpenRequest,
  ): Answer | Promise<Answer> {
    const { handler } = route
    let decoded: unknown
    try {
      decoded = decodeRequest(handler.api, request.apiVersion, bytes, bodyAt)
    } catch (error) {
      throw error instanceof WireError ? malformed(error) : error
    }
    return refusalOfStranger(handler.api, decoded, request) ?? handler.handle(decoded, request)
  }

  #route(apiKey: number): Route | undefined {
    const known = this.#routes.get(apiKey)
    if (known !== undefined) return known
    const handler = this.#handlers.find(apiKey)
    if (handler === undefined) return undefined
    const route = {
      handler,
      meter: this.#metrics.api(this.#apiName(apiKey)),
      findErrors: errorFinder(handler.api),
    }
    this.#routes.set(apiKey, route)
    return route
  }

  #unsupported(error: UnsupportedVersionError): Dispatch {
    const { apiKey, apiVersion, correlationId, clientId } = error
    const facts = { apiKey, apiVersion, correlationId, clientId, api: this.#apiName(apiKey) }
    if (apiKey === apiVersions.key && this.#handlers.find(apiKey) !== undefined) {
      return { kind: 'fallback', facts, meter: this.#metrics.api(facts.api) }
    }
    const reason = this.#apiByKey(apiKey) === undefined ? 'unknown-api' : 'unsupported-version'
    const message = whyAbsent(apiKey) ?? error.message
    return { kind: 'fault', facts, fault: new ConnectionFault(reason, message) }
  }

  #apiName(apiKey: number): string {
    return this.#apiByKey(apiKey)?.name ?? absentApis.get(apiKey)?.name ?? String(apiKey)
  }
}

/** The frame of an answer. */
export function encodeAnswer(
  route: Route,
  facts: RequestFacts,
  answer: unknown,
): readonly OutPart[] {
  const { api } = route.handler
  const value = answer as Draft<Fields>
  return responseFrame(api, facts.apiVersion, facts.correlationId, value) as readonly OutPart[]
}

/** Version 0, error 35, and the versions that we speak (G1, KIP-511): the client asks again with one of them. */
export function encodeFallback(facts: RequestFacts): readonly OutPart[] {
  const [minVersion, maxVersion] = apiVersions.versions
  return responseFrame(apiVersions, 0, facts.correlationId, {
    errorCode: errorCode('UNSUPPORTED_VERSION'),
    apiKeys: [{ apiKey: apiVersions.key, minVersion, maxVersion }],
    throttleTimeMs: 0,
  }) as readonly OutPart[]
}

function sizeOf(parts: readonly OutPart[]): number {
  let bytes = 0
  for (const part of parts) bytes += part.length
  return bytes
}

/** For the log: an API of Kafka's that is not served, why, and how a client does without it. */
function whyAbsent(apiKey: number): string | null {
  const absent = absentApis.get(apiKey)
  if (absent === undefined) return null
  const { name, because, remedy } = absent
  return `this broker does not serve ${name}, because ${because}${remedy === '' ? '' : `: ${remedy}`}`
}

function malformed(error: WireError): ConnectionFault {
  return new ConnectionFault('malformed', error.message)
}

/** What every request begins with; null where it has no such thing, and is refused when it is taken. */
export function apiKeyOf(bytes: Uint8Array): number | null {
  return bytes.length < 2 ? null : readInt16(bytes, 0)
}

export function sending(parts: readonly OutPart[]): Outcome {
  return { kind: 'send', parts, bytes: sizeOf(parts) }
}
