import express, { type ErrorRequestHandler, type Express } from 'express'
import { serveMetrics } from '../broker/telemetry/http.ts'
import type { OperatorMetrics } from './metrics.ts'

/** What the probes tell. None of it asks the API server: its outage is no reason to restart the operator. */
export interface OperatorProbes {
  /** Kinds that are not listed yet; ready where none is left. */
  missing(): readonly string[]
  isLeading(): boolean
}

const paths = ['/metrics', '/healthz', '/readyz']

/** `/metrics`, `/healthz`, `/readyz`: read only. */
export function operatorHttp(
  metrics: Pick<OperatorMetrics, 'text' | 'contentType'>,
  probes: OperatorProbes,
): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  serveMetrics(app, metrics)
  app.get('/healthz', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'healthy' })
  })
  app.get('/readyz', (_request, response) => {
    const missing = probes.missing()
    const isReady = missing.length === 0
    response
      .status(isReady ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({
        status: isReady ? 'ready' : 'not ready',
        isLeading: probes.isLeading(),
        ...(isReady ? {} : { waitsFor: missing }),
      })
  })
  app.use((request, response) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    response.status(isRead ? 404 : 405).json({ paths })
  })
  app.use(failed)
  return app
}

/** Express tells a handler of errors by its four parameters. */
const failed: ErrorRequestHandler = (error, _request, response, _next) => {
  const reason = error instanceof Error ? error.message : String(error)
  response.status(500).json({ status: 'failed', reason })
}
