import { beforeEach, describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { ScriptedNetwork, type ScriptedClient } from '../../../test/helpers/scripted-network.ts'
import { InvariantError } from '../../lib/assert.ts'
import { concat, hex, writeInt16, writeInt32 } from '../../lib/bytes.ts'
import { deferred, type Deferred } from '../../lib/deferred.ts'
import { resolveListeners } from '../config/listeners.ts'
import { defaultSettings, type Settings } from '../config/settings.ts'
import {
  ConnectionFault,
  HandlerTable,
  type Handler,
  type RequestContext,
} from '../handlers/handler.ts'
import { createLogger } from '../telemetry/logger.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { requestFrame, readResponse } from '../wire/frame.ts'
import {
  apiVersions,
  initProducerId,
  metadata,
  produce,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from '../wire/messages/index.ts'
import { Server } from './server.ts'

/** Asked with a number as the transaction timeout, answers with it as the producer id. */
const id = (number: number, errorCode = 0): InitProducerIdResponse => ({
  throttleTimeMs: 0,
  errorCode,
  producerId: number,
  producerEpoch: 0,
  ongoingTxnProducerId: -1,
  ongoingTxnProducerEpoch: -1,
})

function ask(number: number, version = 1): Uint8Array {
  const header = { correlationId: number, clientId: 'tester' }
  const value = {
    transactionalId: null,
    transactionTimeoutMs: number,
    producerId: -1,
    producerEpoch: -1,
    enable2Pc: false,
    keepPreparedTxn: false,
  }
  return body(requestFrame(initProducerId, version, header, value))
}

function askProduce(correlationId: number): Uint8Array {
  const header = { correlationId, clientId: 'tester' }
  const value = { transactionalId: null, acks: 1, timeoutMs: 1000, topicData: [] }
  return body(requestFrame(produce, 9, header, value))
}

function body(parts: readonly unknown[]): Uint8Array {
  return concat(parts as Uint8Array[]).subarray(4)
}

/** A header and nothing else. */
function header(apiKey: number, apiVersion: number, correlationId: number): Uint8Array {
  const bytes = new Uint8Array(10)
  writeInt16(bytes, 0, apiKey)
  writeInt16(bytes, 2, apiVersion)
  writeInt32(bytes, 4, correlationId)
  writeInt16(bytes, 8, -1)
  return bytes
}

const port = 9092
let clock: SimClock
let network: ScriptedNetwork
let metrics: Metrics
let fatal: InvariantError[]
let goneConnections: number[]
let lines: Record<string, unknown>[]
let server: Server
/** Requests that handlers hold, by number. */
let held: Map<number, Deferred<InitProducerIdResponse | null>>
let contexts: Map<number, RequestContext>
let handled: number[]
/** What the handler does with a number instead of holding it. */
let act: (number: number, context: RequestContext) => InitProducerIdResponse | null | undefined

const holding: Handler<InitProducerIdRequest, InitProducerIdResponse> = {
  api: initProducerId,
  handle(request, context) {
    const number = request.transactionTimeoutMs
    handled.push(number)
    contexts.set(number, context)
    const done = act(number, context)
    if (done !== undefined) return done
    const later = deferred<InitProducerIdResponse | null>()
    held.set(number, later)
    return later.promise
  },
}

const producing: Handler = {
  api: produce,
  handle: () => ({ responses: [], throttleTimeMs: 0, nodeEndpoints: [] }),
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

async function start(changes: Partial<Settings> = {}, listeners = `PLAINTEXT://127.0.0.1:${port}`) {
  server = new Server({
    clock,
    network,
    settings: defaultSettings(changes),
    listeners: resolveListeners(listeners, ''),
    handlers: new HandlerTable([holding, producing, versions]),
    metrics,
    logger: createLogger({
      level: 'debug',
      clock,
      stream: { write: line => void lines.push(JSON.parse(line)) },
    }),
    fatal: error => void fatal.push(error),
    connectionClosed: connectionId => void goneConnections.push(connectionId),
  })
  await server.start()
}

function connect(host?: string): ScriptedClient {
  const client = network.connect(port, host)
  if (client === null) throw new Error('turned away')
  return client
}

async function answer(number: number): Promise<void> {
  held.get(number)!.resolve(id(number))
  await clock.settle()
}

function correlationIds(client: ScriptedClient): number[] {
  return client.answers().map(bytes => readResponse(initProducerId, 1, bytes).correlationId)
}

function line(message: string): Record<string, unknown> | undefined {
  return lines.find(({ msg }) => msg === message)
}

async function metric(start: string): Promise<string | undefined> {
  return (await metrics.text()).split('\n').find(text => text.startsWith(start))
}

beforeEach(() => {
  clock = new SimClock()
  network = new ScriptedNetwork()
  metrics = new Metrics()
  fatal = []
  goneConnections = []
  lines = []
  held = new Map()
  contexts = new Map()
  handled = []
  act = () => undefined
})

describe('order', () => {
  test('answers leave in request order, whatever the order in which they are ready (G13)', async () => {
    await start()
    const client = connect()
    client.arrive(ask(1), ask(2), ask(3))
    client.arrive(ask(4))
    expect(handled).toEqual([1, 2, 3, 4])
    await answer(3)
    await answer(2)
    expect(client.sends).toEqual([])
    await answer(1)
    expect(correlationIds(client)).toEqual([1, 2, 3])
    expect(client.sends).toHaveLength(1)
    await answer(4)
    expect(correlationIds(client)).toEqual([1, 2, 3, 4])
  })

  test('requests of one poll that are answered at once leave in one send', async () => {
    await start()
    act = number => id(number)
    const client = connect()
    client.arrive(ask(1), ask(2), ask(3))
    expect(client.sends).toHaveLength(1)
    expect(correlationIds(client)).toEqual([1, 2, 3])
  })

  test('a request without an answer (acks=0) holds up nobody', async () => {
    await start()
    act = number => (number === 2 ? null : undefined)
    const client = connect()
    client.arrive(ask(1), ask(2), ask(3))
    await answer(3)
    await answer(1)
    expect(correlationIds(client)).toEqual([1, 3])
  })

  test('one connection does not hold up another (G14)', async () => {
    await start()
    const [first, second] = [connect(), connect()]
    first.arrive(ask(1))
    second.arrive(ask(2))
    await answer(2)
    expect(correlationIds(second)).toEqual([2])
    expect(first.sends).toEqual([])
  })
})

describe('bounds', () => {
  test('above its requests in flight a connection is not read, and the rest of the poll waits', async () => {
    await start({ connectionsRequestsInFlightMax: 2 })
    const client = connect()
    client.arrive(ask(1), ask(2), ask(3), ask(4))
    expect(handled).toEqual([1, 2])
    expect(client.isPaused).toBe(true)
    await answer(2)
    expect(handled).toEqual([1, 2])
    await answer(1)
    expect(handled).toEqual([1, 2, 3, 4])
    expect(client.isPaused).toBe(true)
    await answer(3)
    expect(client.isPaused).toBe(false)
    await answer(4)
    expect(correlationIds(client)).toEqual([1, 2, 3, 4])
  })

  test('above its queued output a connection is not read until it was taken', async () => {
    await start({ connectionsQueuedOutputBytes: 40 })
    act = number => id(number)
    const client = connect()
    client.isStuck = true
    client.arrive(ask(1), ask(2), ask(3))
    expect(client.isPaused).toBe(true)
    const before = handled.length
    client.take()
    client.take()
    expect(handled.length).toBeGreaterThanOrEqual(before)
    expect(handled).toEqual([1, 2, 3])
    client.take()
    expect(client.isPaused).toBe(false)
  })

  test('answers that wait for an earlier one count as output', async () => {
    await start({ connectionsQueuedOutputBytes: 40 })
    act = number => (number === 1 ? undefined : id(number))
    const client = connect()
    client.arrive(...[1, 2, 3, 4, 5, 6].map(number => ask(number)))
    expect(handled).toEqual([1, 2, 3])
    expect(client.isPaused).toBe(true)
    await answer(1)
    expect(correlationIds(client)).toEqual([1, 2, 3, 4, 5, 6])
    expect(client.isPaused).toBe(false)
  })

  test('connections above the limits are turned away, and room comes back', async () => {
    await start({ maxConnections: 3, maxConnectionsPerIp: 2 })
    const first = connect('10.0.0.1')
    connect('10.0.0.1')
    expect(network.connect(port, '10.0.0.1')).toBeNull()
    connect('10.0.0.2')
    expect(network.connect(port, '10.0.0.3')).toBeNull()
    expect(
      await metric('logcluster_connections_refused_total{reason="max.connections.per.ip"}'),
    ).toMatch(/ 1$/)
    expect(await metric('logcluster_connections_refused_total{reason="max.connections"}')).toMatch(
      / 1$/,
    )
    first.leave()
    expect(goneConnections).toEqual([first.id])
    expect(network.connect(port, '10.0.0.1')).not.toBeNull()
    expect(await metric('logcluster_connections ')).toMatch(/ 3$/)
  })

  test('the bounds of frames and of memory go to the network', async () => {
    await start({ socketRequestMaxBytes: 5000, queuedMaxRequestBytes: 9_000_000 })
    expect(network.options).toMatchObject({ frameSizeMax: 5000, requestMemoryMax: 9_000_000 })
  })
})

describe('frames', () => {
  test('a frame is released when its handler returned, once', async () => {
    await start()
    const client = connect()
    client.arrive(ask(1))
    expect(client.releases).toEqual([1])
    await answer(1)
    expect(client.releases).toEqual([1])
  })

  test('a kept frame is released by whoever keeps it, even after the connection is gone', async () => {
    await start()
    let release = (): void => {}
    act = (_, context) => void (release = context.keepFrame())
    const client = connect()
    client.arrive(ask(1))
    await answer(1)
    expect(client.releases).toEqual([0])
    client.leave()
    expect(client.releases).toEqual([0])
    release()
    expect(client.releases).toEqual([1])
    expect(release).toThrow(InvariantError)
  })

  test('a frame cannot be kept when its handler has returned', async () => {
    await start()
    connect().arrive(ask(1))
    expect(() => contexts.get(1)!.keepFrame()).toThrow(InvariantError)
  })

  test('every frame is released whatever becomes of it', async () => {
    await start({ connectionsRequestsInFlightMax: 2 })
    const client = connect()
    client.arrive(ask(1), header(999, 0, 2), ask(3))
    client.arrive(ask(4))
    client.leave()
    expect(client.releases).toEqual([1, 1, 1, 1])
    const other = connect()
    other.arrive(ask(5), ask(6), ask(7))
    other.leave()
    expect(other.releases).toEqual([1, 1, 1])
  })
})

describe('faults', () => {
  test.each([
    ['an unknown API', header(999, 0, 7), 'unknown-api', { api: '999', version: 0 }],
    [
      'a known API that is not served',
      body(
        requestFrame(
          metadata,
          1,
          { correlationId: 7, clientId: 'tester' },
          {
            topics: null,
            allowAutoTopicCreation: true,
            includeClusterAuthorizedOperations: false,
            includeTopicAuthorizedOperations: false,
          },
        ),
      ),
      'unserved-api',
      { api: 'Metadata', version: 1 },
    ],
    [
      'an unknown version',
      header(22, 99, 7),
      'unsupported-version',
      { api: 'InitProducerId', version: 99 },
    ],
    ['a header without an end', new Uint8Array([0, 22, 0, 1, 0, 0, 0, 7]), 'malformed', {}],
    ['a body without an end', ask(7).subarray(0, 19), 'malformed', { api: 'InitProducerId' }],
    ['a body with too much', concat([ask(7), new Uint8Array(3)]), 'malformed', {}],
  ])('%s closes the connection, with one line', async (_, bytes, reason, facts) => {
    await start()
    const [client, other] = [connect(), connect()]
    client.arrive(bytes, ask(8))
    expect(client.closedBy?.kind).toBe('local')
    expect(client.sends).toEqual([])
    expect(handled).toEqual([])
    const told = lines.filter(({ msg }) => msg === 'Closed a connection for a fault')
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({
      level: 'warn',
      reason,
      remote: '10.0.0.1:40001',
      listener: 'PLAINTEXT',
      ...facts,
    })
    expect(await metric(`logcluster_connection_faults_total{reason="${reason}"}`)).toMatch(/ 1$/)
    other.arrive(ask(9))
    await answer(9)
    expect(correlationIds(other)).toEqual([9])
  })

  test('answers to earlier requests leave before the connection ends', async () => {
    await start()
    const client = connect()
    client.arrive(ask(1), header(999, 0, 2), ask(3))
    expect(client.closedBy).toBeNull()
    expect(client.isPaused).toBe(true)
    expect(handled).toEqual([1])
    await answer(1)
    expect(correlationIds(client)).toEqual([1])
    expect(client.closedBy?.kind).toBe('local')
  })

  test('ApiVersions in an unknown version gets a version 0 body with error 35 (G1)', async () => {
    await start()
    const client = connect()
    client.arrive(header(18, 99, 5))
    const [bytes] = client.answers()
    // Correlation id 5, error 35, one API: 18, versions 0 to 4; no throttle time, no tags.
    expect(hex(bytes!)).toBe('00000005' + '0023' + '00000001' + '0012' + '0000' + '0004')
    expect(client.closedBy).toBeNull()
    client.arrive(ask(6))
    await answer(6)
    expect(client.answers()).toHaveLength(2)
  })

  test('a ConnectionFault, thrown or later, closes; what else is open is dropped', async () => {
    await start()
    act = number => {
      if (number === 1) throw new ConnectionFault('acks-zero-refused', 'no')
      return undefined
    }
    const thrown = connect()
    thrown.arrive(ask(1))
    expect(thrown.closedBy?.kind).toBe('local')
    const later = connect()
    let isTold = false
    later.arrive(ask(2), ask(3))
    contexts.get(3)!.onClosed(() => (isTold = true))
    held.get(2)!.reject(new ConnectionFault('acks-zero-refused', 'no'))
    await clock.settle()
    expect(later.closedBy?.kind).toBe('local')
    expect(isTold).toBe(true)
    await answer(3)
    expect(later.sends).toEqual([])
    expect(fatal).toEqual([])
    expect(await metric('logcluster_connections_closed_total{reason="acks-zero-refused"}')).toMatch(
      / 2$/,
    )
  })

  test('a failure of a handler closes that connection only, with an error line', async () => {
    await start()
    act = number => {
      if (number === 1) throw new Error('bug')
      return undefined
    }
    const [client, other] = [connect(), connect()]
    client.arrive(ask(1))
    expect(client.closedBy).not.toBeNull()
    expect(line('Closed a connection for a failure of ours')).toMatchObject({
      level: 'error',
      clientId: 'tester',
      api: 'InitProducerId',
      err: { message: 'bug' },
    })
    expect(fatal).toEqual([])
    expect(other.closedBy).toBeNull()
  })

  test('a broken invariant is fatal, thrown, later, or after the connection is gone', async () => {
    await start()
    act = number => {
      if (number === 1) throw new InvariantError('one')
      return undefined
    }
    connect().arrive(ask(1))
    expect(fatal.map(({ message }) => message)).toEqual(['one'])
    const client = connect()
    client.arrive(ask(2), ask(3))
    held.get(2)!.reject(new InvariantError('two'))
    await clock.settle()
    held.get(3)!.reject(new InvariantError('three'))
    await clock.settle()
    expect(fatal.map(({ message }) => message)).toEqual(['one', 'two', 'three'])
  })

  test('errors in answers are counted, and told in a line with who asked', async () => {
    await start()
    act = number => id(number, 53)
    connect().arrive(ask(1))
    expect(line('Refused a request')).toMatchObject({
      level: 'info',
      clientId: 'tester',
      remote: '10.0.0.1:40001',
      api: 'InitProducerId',
      version: 1,
      reason: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    })
    const counted = await metric('logcluster_request_errors_total{api="InitProducerId"')
    expect(counted).toMatch(/error="TRANSACTIONAL_ID_AUTHORIZATION_FAILED"} 1$/)
  })

  test('lines that a client causes at will are limited', async () => {
    await start()
    act = number => id(number, 53)
    const client = connect()
    for (let number = 0; number < 50; number++) client.arrive(ask(number))
    expect(lines.filter(({ msg }) => msg === 'Refused a request')).toHaveLength(10)
    await clock.run(20_000)
    client.arrive(ask(51))
    expect(lines.at(-1)).toMatchObject({ msg: 'Refused a request', leftOut: 40 })
  })
})

describe('waiting', () => {
  test('whoever is parked is told that the connection closed, and its answer goes nowhere', async () => {
    await start()
    const client = connect()
    client.arrive(ask(1), ask(2))
    const told: number[] = []
    contexts.get(1)!.onClosed(() => told.push(1))
    contexts.get(2)!.onClosed(() => told.push(2))
    client.leave()
    expect(told).toEqual([1, 2])
    contexts.get(2)!.onClosed(() => told.push(3))
    expect(told).toEqual([1, 2, 3])
    await answer(1)
    expect(client.sends).toEqual([])
    expect(server.connectionCount).toBe(0)
  })

  test('an idle connection is closed; one that is owed an answer is not', async () => {
    await start({ connectionsMaxIdleMs: 1000 })
    const [idle, owed] = [connect(), connect()]
    idle.arrive(ask(1))
    await answer(1)
    owed.arrive(ask(2))
    await clock.run(900)
    expect(idle.closedBy).toBeNull()
    await clock.run(300)
    expect(idle.closedBy?.kind).toBe('local')
    expect(owed.closedBy).toBeNull()
    expect(await metric('logcluster_connections_closed_total{reason="idle"}')).toMatch(/ 1$/)
    await answer(2)
    await clock.run(1300)
    expect(owed.closedBy).not.toBeNull()
  })

  test('a frame that does not become complete closes its connection (slowloris)', async () => {
    await start({ connectionsFrameTimeoutMs: 1000 })
    const [slow, steady, paused] = [connect(), connect(), connect()]
    for (let step = 0; step < 20; step++) {
      slow.partialBytes++
      steady.partialBytes = 5
      if (step % 5 === 0) steady.arrive(ask(100 + step))
      paused.partialBytes = 0
      await clock.run(100)
    }
    expect(slow.closedBy?.kind).toBe('local')
    expect(line('Closed a connection for a fault')).toMatchObject({ reason: 'frame-timeout' })
    expect(steady.closedBy).toBeNull()
    expect(paused.closedBy).toBeNull()
  })

  test('a frame that we ourselves hold up is not blamed on the client', async () => {
    await start({ connectionsFrameTimeoutMs: 1000, connectionsRequestsInFlightMax: 1 })
    const client = connect()
    client.arrive(ask(1))
    client.partialBytes = 3
    await clock.run(5000)
    expect(client.closedBy).toBeNull()
    await answer(1)
    await clock.run(1300)
    expect(client.closedBy).not.toBeNull()
  })

  test('a peer that takes nothing for the idle time is closed; one that takes slowly is not', async () => {
    await start({ connectionsMaxIdleMs: 1000 })
    act = number => id(number)
    const [stuck, slow] = [connect(), connect()]
    for (const client of [stuck, slow]) {
      client.isStuck = true
      client.arrive(ask(1))
    }
    for (let step = 0; step < 20; step++) {
      slow.queuedBytes--
      await clock.run(100)
    }
    expect(stuck.closedBy?.kind).toBe('local')
    expect(line('Closed a connection for a fault')).toMatchObject({ reason: 'stuck-output' })
    expect(slow.closedBy).toBeNull()
  })
})

describe('pressure', () => {
  test('connections that have produced are not read while too much is dirty', async () => {
    await start()
    const [producer, consumer, fresh] = [connect(), connect(), connect()]
    producer.arrive(askProduce(1))
    consumer.arrive(ask(2))
    server.setPressure(true)
    expect(producer.isPaused).toBe(true)
    expect(consumer.isPaused).toBe(false)
    fresh.arrive(askProduce(3), askProduce(4))
    expect(fresh.isPaused).toBe(true)
    expect(fresh.answers()).toHaveLength(1)
    server.setPressure(false)
    expect(producer.isPaused).toBe(false)
    expect(fresh.isPaused).toBe(false)
    expect(fresh.answers()).toHaveLength(2)
    expect(await metric('logcluster_pressure_pauses_total')).toMatch(/ 1$/)
  })
})

describe('start and stop', () => {
  test('a stop answers what was taken, takes nothing more, and waits for the output', async () => {
    await start()
    const [busy, quiet, slow] = [connect(), connect(), connect()]
    busy.arrive(ask(1), ask(2))
    slow.isStuck = true
    slow.arrive(ask(3))
    await answer(3)
    let isStopped = false
    const stopped = server.stop().then(() => (isStopped = true))
    await clock.settle()
    expect(network.listening.size).toBe(0)
    expect(quiet.closedBy?.kind).toBe('local')
    expect(busy.isPaused).toBe(true)
    busy.arrive(ask(4))
    await answer(2)
    await answer(1)
    expect(correlationIds(busy)).toEqual([1, 2])
    expect(busy.closedBy?.kind).toBe('local')
    expect(handled).not.toContain(4)
    expect(isStopped).toBe(false)
    slow.take()
    await stopped
    expect(server.connectionCount).toBe(0)
    expect(clock.timerCount).toBe(0)
  })

  test('what takes longer than the setting is dropped', async () => {
    await start({ gracefulStopTimeoutMs: 1000 })
    const client = connect()
    client.arrive(ask(1))
    const stopped = server.stop()
    await clock.run(900)
    expect(client.closedBy).toBeNull()
    await clock.run(200)
    await stopped
    expect(client.closedBy?.kind).toBe('local')
    expect(line('Dropped requests that took too long')).toMatchObject({ connections: 1 })
  })

  test('a poll that waits for room is answered too before a stop ends', async () => {
    await start({ connectionsRequestsInFlightMax: 1 })
    const client = connect()
    client.arrive(ask(1), ask(2))
    const stopped = server.stop()
    await clock.settle()
    await answer(1)
    await answer(2)
    await stopped
    expect(correlationIds(client)).toEqual([1, 2])
  })

  test('a listener that cannot start takes the others down with it', async () => {
    network.taken.add(9093)
    await expect(start({}, 'A://127.0.0.1:9092,B://127.0.0.1:9093')).rejects.toThrow(/taken/)
    expect(network.listening.size).toBe(0)
  })

  test('a request knows by which listener it came', async () => {
    await start({}, 'A://127.0.0.1:9092,B://127.0.0.1:9093')
    network.connect(9093)!.arrive(ask(1))
    expect(contexts.get(1)).toMatchObject({
      listenerName: 'B',
      local: { port: 9093 },
      clientId: 'tester',
      apiVersion: 1,
    })
    expect(server.listeners.map(({ name }) => name)).toEqual(['A', 'B'])
  })
})
