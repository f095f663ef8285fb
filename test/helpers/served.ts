import { SimClock } from '../../sim/clock.ts'
import { Life, LifeClock } from '../../sim/cluster/life.ts'
import { resolveListeners } from '../../src/broker/config/listeners.ts'
import { defaultSettings, type Settings } from '../../src/broker/config/settings.ts'
import { saslHandshakeHandler } from '../../src/broker/handlers/17-sasl-handshake.ts'
import { saslAuthenticateHandler } from '../../src/broker/handlers/36-sasl-authenticate.ts'
import {
  HandlerTable,
  type Handler,
  type RequestContext,
} from '../../src/broker/handlers/handler.ts'
import type { Door } from '../../src/broker/security/door.ts'
import { Server } from '../../src/broker/server/server.ts'
import { createLogger } from '../../src/broker/telemetry/logger.ts'
import { Metrics } from '../../src/broker/telemetry/metrics.ts'
import { readResponse, requestFrame } from '../../src/broker/wire/frame.ts'
import {
  apiVersions,
  initProducerId,
  produce,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
  type ProduceRequest,
  type ProduceResponse,
} from '../../src/broker/wire/messages/index.ts'
import type { InvariantError } from '../../src/lib/assert.ts'
import { concat, writeInt16, writeInt32 } from '../../src/lib/bytes.ts'
import { deferred, type Deferred } from '../../src/lib/deferred.ts'
import { ScriptedNetwork, type ScriptedClient } from './scripted-network.ts'

const port = 9092

/**
 * A server on a scripted network, with handlers that the test holds: InitProducerId, asked with a number as its
 * transaction timeout, is answered with that number when the test says so.
 */
export class Served {
  readonly clock = new SimClock()
  /** To stop the process, and have it go on; its timers wait meanwhile. */
  readonly life = new Life()
  readonly network = new ScriptedNetwork()
  readonly metrics = new Metrics()
  readonly fatal: InvariantError[] = []
  readonly goneConnections: number[] = []
  readonly lines: Record<string, unknown>[] = []
  /** Requests that wait for `answer`, by number. */
  readonly held = new Map<number, Deferred<InitProducerIdResponse | null>>()
  /** What each Produce waits for, as long as it is given, before it is answered. */
  whenProduced: Promise<void> | null = null
  readonly contexts = new Map<number, RequestContext>()
  /** Numbers in the order in which the handler saw them. */
  readonly handled: number[] = []
  /** What the handler does with a number instead of holding it. */
  act: (number: number, context: RequestContext) => InitProducerIdResponse | null | undefined =
    () => undefined
  #server: Server | null = null

  get server(): Server {
    if (this.#server === null) throw new Error('not started')
    return this.#server
  }

  async start(
    changes: Partial<Settings> = {},
    listeners = `PLAINTEXT://127.0.0.1:${port}`,
    door?: Door,
  ): Promise<void> {
    this.#server = new Server({
      clock: new LifeClock(this.clock, this.life, { rate: 1, aheadMs: 0 }),
      network: this.network,
      settings: defaultSettings(changes),
      listeners: resolveListeners(defaultSettings({ listeners }), 'machine'),
      handlers: new HandlerTable([
        this.#holding(),
        this.#producing(),
        versions,
        saslHandshakeHandler,
        saslAuthenticateHandler,
      ]),
      ...(door === undefined ? {} : { door }),
      metrics: this.metrics,
      logger: createLogger({
        level: 'debug',
        clock: this.clock,
        stream: { write: line => void this.lines.push(JSON.parse(line)) },
      }),
      fatal: error => void this.fatal.push(error),
      connectionClosed: connectionId => void this.goneConnections.push(connectionId),
    })
    const server = this.#server
    this.metrics.attach({ connections: () => server.connectionCount })
    await server.start()
  }

  connect(host?: string): ScriptedClient {
    const client = this.network.dial(port, host)
    if (client === null) throw new Error('turned away')
    return client
  }

  /** Whether a client from `host` is let in. */
  isWelcome(host: string): boolean {
    return this.network.dial(port, host) !== null
  }

  async answer(number: number): Promise<void> {
    this.held.get(number)!.resolve(id(number))
    await this.clock.settle()
  }

  line(message: string): Record<string, unknown> | undefined {
    return this.lines.find(({ msg }) => msg === message)
  }

  /** The sample that begins with `start`. */
  async metric(start: string): Promise<string | undefined> {
    return (await this.metrics.text()).split('\n').find(text => text.startsWith(start))
  }

  #producing(): Handler<ProduceRequest, ProduceResponse> {
    const answer: ProduceResponse = { responses: [], throttleTimeMs: 0, nodeEndpoints: [] }
    return { api: produce, handle: () => this.whenProduced?.then(() => answer) ?? answer }
  }

  #holding(): Handler<InitProducerIdRequest, InitProducerIdResponse> {
    return {
      api: initProducerId,
      handle: (request, context) => {
        const number = request.transactionTimeoutMs
        this.handled.push(number)
        this.contexts.set(number, context)
        const done = this.act(number, context)
        if (done !== undefined) return done
        const later = deferred<InitProducerIdResponse | null>()
        this.held.set(number, later)
        return later.promise
      },
    }
  }
}

export function id(number: number, errorCode = 0): InitProducerIdResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    producerId: number,
    producerEpoch: 0,
    ongoingTxnProducerId: -1,
    ongoingTxnProducerEpoch: -1,
  }
}

export function ask(number: number, version = 1): Uint8Array {
  return body(
    requestFrame(initProducerId, version, from(number), {
      transactionalId: null,
      transactionTimeoutMs: number,
      producerId: -1,
      producerEpoch: -1,
      enable2Pc: false,
      keepPreparedTxn: false,
    }),
  )
}

export function askProduce(correlationId: number): Uint8Array {
  const value = { transactionalId: null, acks: 1, timeoutMs: 1000, topicData: [] }
  return body(requestFrame(produce, 9, from(correlationId), value))
}

/** A header and nothing else. */
export function header(apiKey: number, apiVersion: number, correlationId: number): Uint8Array {
  const bytes = new Uint8Array(10)
  writeInt16(bytes, 0, apiKey)
  writeInt16(bytes, 2, apiVersion)
  writeInt32(bytes, 4, correlationId)
  writeInt16(bytes, 8, -1)
  return bytes
}

/** A frame without its length. */
export function body(parts: readonly unknown[]): Uint8Array {
  return concat(parts as Uint8Array[]).subarray(4)
}

/** Correlation ids of what `client` was answered, in order. */
export function answered(client: ScriptedClient): number[] {
  return client.answers().map(bytes => readResponse(initProducerId, 1, bytes).correlationId)
}

function from(correlationId: number): { correlationId: number; clientId: string } {
  return { correlationId, clientId: 'tester' }
}

const versions: Handler = {
  api: apiVersions,
  handle: () => ({
    errorCode: 0,
    apiKeys: [],
    throttleTimeMs: 0,
    supportedFeatures: [],
    finalizedFeaturesEpoch: -1,
    finalizedFeatures: [],
    zkMigrationReady: false,
  }),
}
