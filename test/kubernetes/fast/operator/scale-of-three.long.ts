import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Draft, Stored } from '../../../../src/operator/kubernetes/objects.ts'
import type { Resource } from '../../../../src/operator/kubernetes/resources.ts'
import { logClusters } from '../../../../src/operator/own-kinds.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { mebibytes } from './scale-process.ts'
import { scaleWorld, type ScaleWorld } from './scale-world.ts'

const clusterCount = 20
const patienceMs = 600_000
/** The goal, also for the moment in which they are made. */
const residentMax = 200 * 2 ** 20
/** Passes of all clusters come every 30 seconds. */
const restMs = 45_000
const namespace = 'threes'

let world: ScaleWorld

beforeAll(async () => {
  world = await scaleWorld([namespace])
})

afterAll(() => world?.[Symbol.asyncDispose]())

async function readyCount(): Promise<number> {
  const all = await world.admin.api.list(logClusters, { namespace })
  return all.filter(({ status }) =>
    status.conditions?.some(it => it.type === 'Ready' && it.status === 'True'),
  ).length
}

test(`the operator of ${clusterCount} clusters of three stays within ${mebibytes(residentMax)}`, async () => {
  await using operator = await world.startOperator('operator-of-threes')
  console.log(`before any cluster ${mebibytes(operator.residentBytes())}`)
  const start = performance.now()
  const { apiVersion, kind } = logClusters
  const volumes = [{ name: 'data', size: '1Gi' }]
  const spec = { version: '0.1.0', pools: [{ name: 'main', brokers: 3, storage: { volumes } }] }
  for (let at = 0; at < clusterCount; at++) {
    const metadata = { namespace, name: `orders-${at}` }
    await world.admin.api.create(
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
  const ever = operator.peakBytes()
  console.log(`at rest at most ${mebibytes(most)}, ${cpu} of a processor; ever ${mebibytes(ever)}`)
  expect(ever).toBeLessThanOrEqual(residentMax)
}, 1_200_000)
