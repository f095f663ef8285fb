import { afterEach, expect, test } from 'vitest'
import { httpApp, serveHttp, type HttpServer } from './http.ts'
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
