import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { processNumbers } from '../../src/broker/process-numbers.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { WorkQueue } from '../../src/operator/kubernetes/work-queue.ts'
import { OperatorMetrics } from '../../src/operator/metrics.ts'

const controllers = ['LogCluster', 'LogTopic']

/**
 * The metrics of an operator that has work, over HTTP, without a Kubernetes: what it counts is what its own controllers
 * and requests would have told.
 */
export class BusyOperator {
  /** `host:port` */
  readonly address: string
  readonly #metrics: OperatorMetrics
  readonly #server: ReturnType<typeof createServer>
  readonly #queues = new Map(controllers.map(name => [name, new WorkQueue(() => 0.5)]))

  static async start(): Promise<BusyOperator> {
    const metrics = new OperatorMetrics(controllers)
    const server = createServer((_, response) => {
      void metrics.text().then(text => {
        response.setHeader('content-type', metrics.contentType)
        response.end(text)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new BusyOperator(metrics, server)
  }

  private constructor(metrics: OperatorMetrics, server: ReturnType<typeof createServer>) {
    this.#metrics = metrics
    this.#server = server
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    metrics.attach({
      build: { version: '0.1.0', node: process.version },
      process: processNumbers,
      isLeading: () => true,
      leaseName: 'logcluster-operator',
      objects: () => [{ kind: 'LogCluster', count: 3 }],
      conditions: () =>
        Object.entries({ Ready: 'False', Degraded: 'True', Progressing: 'True' }).map(
          ([type, status]) => ({ kind: 'LogCluster', type, status }),
        ),
    })
    for (const [name, queue] of this.#queues) {
      metrics.controller(name).attach(queue, realClock, 4)
      const nowMs = realClock.monotonic()
      // One is being worked on for ever, one failed, one waits for a worker.
      for (const key of ['a/stuck', 'a/failing', 'a/due']) queue.add(key, nowMs)
      queue.take(nowMs)
      queue.take(nowMs)
      queue.failed('a/failing', nowMs)
    }
  }

  /** A second's work. */
  work(): void {
    for (const [name, queue] of this.#queues) {
      const nowMs = realClock.monotonic()
      queue.add('a/busy', nowMs)
      queue.failed('a/failing', nowMs)
      const pass = { seconds: 0.2, waitedSeconds: 0.1, atMs: realClock.now() - 5000 }
      this.#metrics.controller(name).passed({ ...pass, result: 'success' })
      this.#metrics.controller(name).passed({ ...pass, result: 'error' })
    }
    this.#metrics.request('apply', '200', 0.01)
    this.#metrics.request('list', '403', 0.01)
    this.#metrics.request('list', 'unreachable', 0.01)
    this.#metrics.watchFailed('Pod')
    this.#metrics.eventDropped()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
