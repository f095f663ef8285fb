import { readFileSync } from 'node:fs'
import { createLogger } from '../../../../src/broker/telemetry/logger.ts'
import { processNumbers } from '../../../../src/broker/process-numbers.ts'
import { serveHttp } from '../../../../src/broker/telemetry/http.ts'
import { realClock } from '../../../../src/env/real/clock.ts'
import { returnMemoryWhenIdle } from '../../../../src/env/real/idle-memory.ts'
import { realRandom } from '../../../../src/env/real/random.ts'
import { operatorHttp } from '../../../../src/operator/http.ts'
import { Transport } from '../../../../src/operator/kubernetes/transport.ts'
import { OperatorMetrics } from '../../../../src/operator/metrics.ts'
import { controllerNames, Operator } from '../../../../src/operator/operator.ts'
import type { Draft } from '../../../../src/operator/kubernetes/objects.ts'
import type { Ring } from '../../../../src/operator/plan/observed.ts'
import { clusterReconcile } from '../../../../src/operator/reconcile/reconcile.ts'
import { reconcilers } from '../../../../src/operator/reconcilers.ts'
import { ringOf } from '../../../../src/operator/ring.ts'
import { remoteBrokers } from './remote-brokers.ts'

/**
 * The operator as it is in a pod, but for its brokers, which are stubs in another process, and for its credentials:
 * `scale-driver.ts KUBECONFIG BROKERS`. Its first line is the port of its HTTP.
 */
const [kubeconfig = '', brokers = ''] = process.argv.slice(2)

interface Kubeconfig {
  readonly clusters: readonly [
    {
      readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string }
    },
  ]
  readonly users: readonly [
    {
      readonly user: {
        readonly 'client-certificate-data': string
        readonly 'client-key-data': string
      }
    },
  ]
}

/** As written by the harness. client-node, which is not loaded in a pod either, would take 85 MB. */
function read() {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig
  const { server, 'certificate-authority-data': ca } = clusters[0].cluster
  const { 'client-certificate-data': cert, 'client-key-data': key } = users[0].user
  const text = (base64: string): string => Buffer.from(base64, 'base64').toString()
  return {
    server,
    tls: {
      ca: text(ca),
      cert: text(cert),
      key: text(key),
      rejectUnauthorized: true,
      servername: null,
    },
    authorization: null,
  }
}

/** The first objects of the ring: fifty whole ones are 5,000 writes, which no broker reads here. */
function beginOfRing(namespace: string, cluster: string): Ring {
  const ring = ringOf(namespace, cluster)
  const { names } = ring
  const configMaps = names.configMaps.slice(0, 4)
  const kept = new Set([...configMaps, ...names.leases])
  const isKept = ({ metadata }: Draft): boolean => kept.has(metadata.name)
  return {
    names: { ...names, configMaps },
    objects: (clusterId, from) => ring.objects(clusterId, from).filter(isKept),
  }
}

returnMemoryWhenIdle(realClock)
const metrics = new OperatorMetrics(controllerNames)
metrics.attach({ process: processNumbers })
const operator = new Operator({
  env: { clock: realClock, random: realRandom },
  sender: new Transport({
    source: { read: async () => read() },
    clock: realClock,
    userAgent: 'scale',
  }),
  brokers: remoteBrokers(brokers),
  logger: createLogger({
    level: 'warn',
    clock: realClock,
    stream: { write: line => process.stderr.write(line) },
  }),
  metrics,
  watchNamespaces: [],
  version: '0.1.0',
  defaultImage: 'registry.example/logcluster:0.1.0',
  lease: { namespace: 'default', name: 'scale' },
  instance: 'scale',
  reconcilers: {
    ...reconcilers,
    logcluster: parts => clusterReconcile({ ...parts, ringOf: beginOfRing }),
  },
  fatal: error => {
    console.error(error)
    process.exit(1)
  },
})
const probes = { missing: () => operator.missing(), isLeading: () => operator.isLeading }
const http = await serveHttp(operatorHttp(metrics, probes), '127.0.0.1', 0)
console.log(http.port)
operator.start()
process.on('SIGTERM', () => void operator.stop().then(() => process.exit(0)))
