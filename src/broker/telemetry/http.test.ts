import { connect, type Socket } from 'node:net'
import express, { type Response as Answer } from 'express'
import { afterEach, expect, test } from 'vitest'
import { eventually } from '../../../test/helpers/eventually.ts'
import { httpApp, serveHttp, type HttpLimits, type HttpServer } from './http.ts'
import { Metrics } from './metrics.ts'

let server: HttpServer | null = null
let isReady = false
let isHealthy = true

async function get(path: string, method = 'GET'): Promise<Response> {
  server ??= await serveHttp(
    httpApp(new Metrics(), {
      health: () => ({ isHealthy, detail: { storage: isHealthy ? 'good' : 'EIO' } }),
      readiness: () => ({ isReady, detail: { logsDone: 1, logsTotal: 4 } }),
      status: () => ({ brokerId: 7 }),
      restartRisk: () => ({ brokers: [] }),
    }),
    '127.0.0.1',
    0,
  )
  return fetch(`http://127.0.0.1:${server.port}${path}`, { method })
}

afterEach(async () => {
  await server?.close()
  server = null
})

test('readiness tells the progress of recovery until it is done', async () => {
  isReady = false
  const early = await get('/readyz')
  expect(early.status).toBe(503)
  expect(await early.json()).toEqual({ status: 'not ready', logsDone: 1, logsTotal: 4 })
  isReady = true
  expect((await get('/readyz')).status).toBe(200)
})

test('health follows its source', async () => {
  expect((await get('/healthz')).status).toBe(200)
  isHealthy = false
  const failed = await get('/healthz')
  expect(failed.status).toBe(503)
  expect(await failed.json()).toEqual({ status: 'failed', storage: 'EIO' })
  isHealthy = true
})

test('the status is JSON, and is asked for anew each time', async () => {
  const response = await get('/v1/status')
  expect(await response.json()).toEqual({ brokerId: 7 })
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect((await get('/v1/status', 'POST')).status).toBe(405)
})

test('the risk of a restart is JSON, and is asked for anew each time', async () => {
  const response = await get('/v1/restart-risk')
  expect(await response.json()).toEqual({ brokers: [] })
  expect(response.headers.get('cache-control')).toBe('no-store')
})

test('metrics come in the text format', async () => {
  const response = await get('/metrics')
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0.0.4/)
  expect(await response.text()).toContain('# TYPE logcluster_requests_total counter')
})

test('a source that fails is an error without a stack', async () => {
  const metrics = new Metrics()
  metrics.attach({
    connections: () => {
      throw new Error('source broke')
    },
  })
  const probes = {
    health: () => ({ isHealthy: true, detail: {} }),
    readiness: () => ({ isReady: true, detail: {} }),
    status: () => ({}),
    restartRisk: () => ({}),
  }
  server = await serveHttp(httpApp(metrics, probes), '127.0.0.1', 0)
  const response = await get('/metrics')
  expect(response.status).toBe(500)
  expect(await response.json()).toEqual({ status: 'failed', reason: 'source broke' })
})

test('nothing else is there, and nothing can be changed', async () => {
  expect((await get('/')).status).toBe(404)
  expect((await get('/metrics', 'POST')).status).toBe(405)
})

test('an address that is taken is told', async () => {
  await get('/healthz')
  const app = httpApp(new Metrics(), {
    health: () => ({ isHealthy: true, detail: {} }),
    readiness: () => ({ isReady: true, detail: {} }),
    status: () => ({}),
    restartRisk: () => ({}),
  })
  await expect(serveHttp(app, '127.0.0.1', server!.port)).rejects.toThrow(/EADDRINUSE/)
})

const silent = {
  health: () => ({ isHealthy: true, detail: {} }),
  readiness: () => ({ isReady: true, detail: {} }),
  status: () => ({}),
  restartRisk: () => ({}),
}

/** A client that reads nothing of what it is sent. */
function dial(request: string): Socket {
  const socket = connect(server!.port, '127.0.0.1')
  socket.pause()
  socket.on('error', () => {})
  if (request !== '') socket.write(request)
  return socket
}

const scrape = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'

/** Metrics of more bytes than the kernel takes for a client that does not read, made when the test lets them. */
async function large(limits?: HttpLimits) {
  const arrived: Answer[] = []
  const gate = Promise.withResolvers<void>()
  const made = { count: 0 }
  const text = async (): Promise<string> => {
    made.count++
    await gate.promise
    return 'x'.repeat(largeBytes)
  }
  const app = express()
  app.use((_request, response, next) => {
    arrived.push(response)
    next()
  })
  app.use(httpApp(Object.assign(new Metrics(), { text }), silent))
  server = await serveHttp(app, '127.0.0.1', 0, limits)
  const requests = (count: number) =>
    eventually(
      'requests',
      () => arrived.length,
      seen => seen === count,
    )
  return { made, arrived, requests, letMake: gate.resolve }
}

const largeBytes = 32 * 1024 * 1024

test('who does not read its answer is not kept', async () => {
  const world = await large({ stallMs: 200, connectionsMax: 256 })
  world.letMake()
  const socket = dial(scrape)
  await world.requests(1)
  await new Promise(resolve => world.arrived[0]!.once('close', resolve))
  expect(world.arrived[0]!.writableFinished).toBe(false)
  const closed = new Promise(resolve => socket.once('close', resolve))
  // What the kernel had taken is there, and then the end.
  socket.resume()
  await closed
  expect(socket.bytesRead).toBeLessThan(largeBytes)
})

test('one answer of metrics is made at a time, for all who ask meanwhile', async () => {
  const world = await large()
  const asked = [1, 2, 3].map(async () => (await (await get('/metrics')).text()).length)
  await world.requests(3)
  world.letMake()
  expect(await Promise.all(asked)).toEqual([largeBytes, largeBytes, largeBytes])
  expect(world.made.count).toBe(1)
  await (await get('/metrics')).text()
  expect(world.made.count).toBe(2)
})

test('a probe gets through where others hold all connections', async () => {
  const world = await large({ stallMs: 60_000, connectionsMax: 4 })
  const held = [scrape, '', scrape, ''].map(dial)
  const ends = held.map(socket => new Promise(resolve => socket.once('close', resolve)))
  await world.requests(2)
  expect((await get('/healthz')).status).toBe(200)
  // Who never asked, and came first of those.
  held[1]!.resume()
  await ends[1]
  for (const socket of held) socket.destroy()
})
