import { join } from 'node:path'
import { clearInterval, setInterval } from 'node:timers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Draft, Stored } from '../../../../src/operator/kubernetes/objects.ts'
import type { Resource } from '../../../../src/operator/kubernetes/resources.ts'
import { logClusters } from '../../../../src/operator/own-kinds.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { startControlPlane } from '../../cluster.ts'
import { apiClient, type ApiClient } from './api-client.ts'
import { serveBrokers } from './remote-brokers.ts'
import { buildDriver, mebibytes, startDriver } from './scale-process.ts'
import { StubNodes } from './stub-nodes.ts'

const clusterCount = 20
const patienceMs = 600_000
/** The goal; 124 to 149 MiB were seen. */
const residentMax = 200 * 2 ** 20
/** Passes of all clusters come every 30 seconds. */
const restMs = 45_000
const namespace = 'threes'

let plane: Awaited<ReturnType<typeof startControlPlane>>
let admin: ApiClient
let brokers: Awaited<ReturnType<typeof serveBrokers>>
let kubelet: NodeJS.Timeout
let driver: ReturnType<typeof buildDriver>

beforeAll(async () => {
  driver = buildDriver()
  plane = await startControlPlane({
    controllers: ['statefulset-controller'],
    // Pods need no account here: nobody runs them.
    apiServerArgs: ['--disable-admission-plugins=ServiceAccount'],
  })
  const crds = join(import.meta.dirname, '../../../../charts/logcluster/files/crds')
  await plane.kubectl(['apply', '--server-side', '-f', crds])
  await plane.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
  await plane.kubectl(['create', 'namespace', namespace])
  admin = apiClient(plane.kubeconfig)
  const nodes = new StubNodes(admin.api)
  brokers = await serveBrokers(nodes.brokers)
  let ticking: Promise<void> | null = null
  kubelet = setInterval(() => {
    ticking ??= nodes
      .tick()
      .catch(() => {})
      .finally(() => {
        ticking = null
      })
  }, 200)
})

afterAll(async () => {
  clearInterval(kubelet)
  brokers?.server.close()
  await admin?.[Symbol.asyncDispose]()
  await plane?.[Symbol.asyncDispose]()
  driver?.[Symbol.dispose]()
})

async function readyCount(): Promise<number> {
  const all = await admin.api.list(logClusters, { namespace })
  return all.filter(({ status }) =>
    status.conditions?.some(it => it.type === 'Ready' && it.status === 'True'),
  ).length
}

test(`the operator of ${clusterCount} clusters of three stays within ${mebibytes(residentMax)}`, async () => {
  const kubeconfig = plane.kubeconfigOf('/O=system:masters/CN=operator-of-threes')
  await using operator = await startDriver(driver, [kubeconfig, brokers.url])
  console.log(`before any cluster ${mebibytes(operator.residentBytes())}`)
  const start = performance.now()
  const { apiVersion, kind } = logClusters
  const volumes = [{ name: 'data', size: '1Gi' }]
  const spec = { version: '0.1.0', pools: [{ name: 'main', brokers: 3, storage: { volumes } }] }
  for (let at = 0; at < clusterCount; at++) {
    const metadata = { namespace, name: `orders-${at}` }
    await admin.api.create(
      logClusters as Resource<Stored>,
      { apiVersion, kind, metadata, spec } as Draft,
    )
  }
  await eventually(`${clusterCount} are ready`, readyCount, it => it === clusterCount, patienceMs)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const used = (await operator.metrics()).get('process_cpu_seconds_total')
  console.log(`all ready after ${seconds} s and ${used} s of a processor`)
  let most = 0
  // What a start took is given back a few seconds later.
  await sleep(15_000)
  for (const end = performance.now() + restMs; performance.now() < end; await sleep(1000)) {
    most = Math.max(most, operator.residentBytes())
  }
  const cpu = await operator.cpuShare()
  console.log(
    `at rest at most ${mebibytes(most)}, ${cpu} of a processor; ever ${mebibytes(operator.peakBytes())}`,
  )
  expect(most).toBeLessThanOrEqual(residentMax)
}, 1_200_000)
