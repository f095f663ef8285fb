import { createServer, type IncomingMessage, type Server } from 'node:http'
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
  serveMetrics(app, metrics)
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

/**
 * `/metrics` of `app`. One answer is made at a time, and who asks meanwhile gets the same bytes: it can be megabytes,
 * which everybody who asked would else hold a copy of.
 */
export function serveMetrics(app: Express, metrics: Pick<Metrics, 'text' | 'contentType'>): void {
  let making: Promise<Buffer> | null = null
  const made = async (): Promise<Buffer> => {
    try {
      return Buffer.from(await metrics.text())
    } finally {
      making = null
    }
  }
  app.get('/metrics', async (_request, response) => {
    const bytes = await (making ??= made())
    response.set('Content-Type', metrics.contentType).send(bytes)
  })
}

const paths = ['/metrics', '/healthz', '/readyz', '/v1/status', '/v1/restart-risk']

/** What a client can hold of the server. */
export interface HttpLimits {
  /** A connection on which nothing moves for so long is closed. */
  readonly stallMs: number
  readonly connectionsMax: number
}

const usual: HttpLimits = { stallMs: 10_000, connectionsMax: 256 }

/** Starts to serve `app`. Rejects with the error of listen(2) where the address is taken. */
export function serveHttp(
  app: Express,
  host: string,
  port: number,
  { stallMs, connectionsMax }: HttpLimits = usual,
): Promise<HttpServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, app)
  // Those two end with the request: who does not read its answer would be kept for good.
  server.timeout = stallMs
  boundConnections(server, connectionsMax)
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

/**
 * Beyond `max` the connection goes that has asked for nothing for longest. Not the one that comes: it may be a probe of
 * the kubelet, which kills the process where it is not answered.
 */
function boundConnections(server: Server, max: number): void {
  /** Who asked last comes last. */
  const open = new Set<IncomingMessage['socket']>()
  server.on('connection', socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    if (open.size <= max) return
    const [longest] = open
    open.delete(longest!)
    longest!.destroy()
  })
  server.on('request', ({ socket }) => {
    if (open.delete(socket)) open.add(socket)
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
