import { createServer } from 'node:http'
import express, { type ErrorRequestHandler, type Express, type Response } from 'express'
import type { Metrics } from './metrics.ts'

/** What the broker tells of itself. */
export interface Probes {
  /** Alive: false asks for a restart. */
  health(): { readonly isHealthy: boolean; readonly detail: Readonly<Record<string, unknown>> }
  /** Serving clients: until then the detail tells how far recovery is. */
  readiness(): { readonly isReady: boolean; readonly detail: Readonly<Record<string, unknown>> }
  /** Whatever is known, for tools (docs/http.md). */
  status(): Readonly<Record<string, unknown>>
  /** What a restart of each broker of the cluster would risk (docs/http.md). */
  restartRisk(): Readonly<Record<string, unknown>>
}

/** A running HTTP server. */
export interface HttpServer {
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

/** `/metrics`, `/healthz`, `/readyz`, `/v1/status`, `/v1/restart-risk`: read only, so it needs no protection against what it could do. */
export function httpApp(metrics: Metrics, probes: Probes): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.get('/metrics', async (_request, response) => {
    const text = await metrics.text()
    response.set('Content-Type', metrics.contentType).send(text)
  })
  app.get('/healthz', (_request, response) => {
    const { isHealthy, detail } = probes.health()
    probe(response, isHealthy, { status: isHealthy ? 'healthy' : 'failed', ...detail })
  })
  app.get('/readyz', (_request, response) => {
    const { isReady, detail } = probes.readiness()
    probe(response, isReady, { status: isReady ? 'ready' : 'not ready', ...detail })
  })
  app.get('/v1/status', (_request, response) => {
    response.set('Cache-Control', 'no-store').json(probes.status())
  })
  app.get('/v1/restart-risk', (_request, response) => {
    response.set('Cache-Control', 'no-store').json(probes.restartRisk())
  })
  app.use((request, response) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    response.status(isRead ? 404 : 405).json({ paths })
  })
  app.use(failed)
  return app
}

const paths = ['/metrics', '/healthz', '/readyz', '/v1/status', '/v1/restart-risk']

/** Starts to serve `app`. Rejects with the error of listen(2) where the address is taken. */
export function serveHttp(app: Express, host: string, port: number): Promise<HttpServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, app)
  server.maxConnections = 256
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const bound = server.address()
      resolve({
        host,
        port: typeof bound === 'object' && bound !== null ? bound.port : port,
        close: () =>
          new Promise(closed => {
            server.close(() => closed())
            server.closeAllConnections()
          }),
      })
    })
  })
}

/** A source that fails must show: Prometheus then counts the broker as down. Express tells it by four parameters. */
const failed: ErrorRequestHandler = (error, _request, response, _next) => {
  const reason = error instanceof Error ? error.message : String(error)
  response.status(500).json({ status: 'failed', reason })
}

function probe(response: Response, isGood: boolean, body: Readonly<Record<string, unknown>>): void {
  response
    .status(isGood ? 200 : 503)
    .set('Cache-Control', 'no-store')
    .json(body)
}
