import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resources, type Resource } from '../../../../src/operator/kubernetes/resources.ts'
import type { Draft, Stored } from '../../../../src/operator/kubernetes/objects.ts'
import { logClusters, logTopics } from '../../../../src/operator/own-kinds.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { mebibytes, type OperatorProcess } from './scale-process.ts'
import { scaleWorld, type ScaleWorld } from './scale-world.ts'

const clusterCount = 50
const topicsPerCluster = 20
const foreignPods = 2000
const foreignNodes = 500
/** For what hangs: a minute on an idle machine, and some on one with other work. */
const patienceMs = 600_000
const residentMax = 200 * 1024 * 1024
const user = 'operator-at-scale'
const namespaceOf = (at: number): string => `team-${at % 5}`
const clusterOf = (at: number): string => `orders-${at}`

let world: ScaleWorld

beforeAll(async () => {
  const namespaces = Array.from({ length: 5 }, (_, at) => namespaceOf(at))
  world = await scaleWorld([...namespaces, 'foreign'])
})

afterAll(() => world?.[Symbol.asyncDispose]())

async function create(
  resource: Resource<Stored>,
  count: number,
  draft: (at: number) => object,
): Promise<void> {
  const left = Array.from({ length: count }, (_, at) => at)
  const { apiVersion, kind } = resource
  const worker = async (): Promise<void> => {
    for (let at = left.pop(); at !== undefined; at = left.pop()) {
      await world.admin.api.create(resource, { apiVersion, kind, ...draft(at) } as Draft)
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}

async function readyCount(resource: typeof logClusters | typeof logTopics): Promise<number> {
  const all: {
    status: { conditions?: readonly { type: string; status: string }[] | undefined }
  }[] =
    resource === logClusters
      ? await world.admin.api.list(logClusters, {})
      : await world.admin.api.list(logTopics, {})
  return all.filter(({ status }) =>
    status.conditions?.some(it => it.type === 'Ready' && it.status === 'True'),
  ).length
}

/** Writes of the operator since a mark, Lease renewals excepted. */
function writesSince(mark: number): string[] {
  return world.plane.audit
    .since(mark)
    .filter(it => it.user.username === user && !['get', 'list', 'watch'].includes(it.verb))
    .filter(({ objectRef }) => objectRef?.resource !== 'leases')
    .map(it => `${it.verb} ${it.requestURI}`)
}

describe('fifty clusters with a thousand topics, among 2,000 foreign pods and 500 nodes', () => {
  test('come about, rest without a write, and are known again after a restart', async () => {
    await create(resources.nodes, foreignNodes, at => ({ metadata: { name: `node-${at}` } }))
    await create(resources.pods, foreignPods, at => ({
      metadata: { namespace: 'foreign', name: `pod-${at}` },
      spec: { containers: [{ name: 'c', image: 'none' }] },
    }))
    const volumes = [{ name: 'data', size: '1Gi' }]
    const pools = [{ name: 'main', brokers: 1, storage: { volumes } }]
    await create(logClusters, clusterCount, at => ({
      metadata: { namespace: namespaceOf(at), name: clusterOf(at) },
      spec: { version: '0.1.0', pools },
    }))
    await create(logTopics, clusterCount * topicsPerCluster, at => ({
      metadata: { namespace: namespaceOf(at), name: `topic-${at}` },
      spec: { clusterRef: { name: clusterOf(at % clusterCount) }, config: { 'retention.ms': at } },
    }))
    {
      await using first = await world.startOperator(user)
      const start = performance.now()
      const ofKind = (resource: typeof logClusters | typeof logTopics, count: number) =>
        eventually(
          `${count} are ready`,
          () => readyCount(resource),
          it => it === count,
          patienceMs,
        )
      await ofKind(logClusters, clusterCount)
      await ofKind(logTopics, clusterCount * topicsPerCluster)
      console.log(`all ready after ${Math.round(performance.now() - start)} ms`)
      await settled(first)
      const mark = world.plane.audit.mark()
      const before = await first.passes('logcluster')
      await eventually(
        'two passes of each',
        () => first.passes('logcluster'),
        it => it >= before + 2 * clusterCount,
        patienceMs,
      )
      expect(writesSince(mark)).toEqual([])
      const fits = (bytes: number): boolean => bytes <= residentMax
      const resident = await eventually(
        'what it needed is given back',
        first.residentBytes,
        fits,
        patienceMs,
      )
      console.log(`at rest ${mebibytes(resident)}, ${await first.cpuShare()} of a processor`)
      const all = await first.metrics()
      const count = (kind: string) => all.get(`logcluster_operator_objects{kind="${kind}"}`)
      expect(count('Pod')).toBe(clusterCount)
      // Of each its settings and its identity, and none of its metadata ring.
      expect(count('ConfigMap')).toBe(2 * clusterCount)
    }
    const mark = world.plane.audit.mark()
    const start = performance.now()
    await using second = await world.startOperator(user)
    await eventually(
      'every cluster had its pass',
      () => second.passes('logcluster'),
      it => it >= clusterCount,
      patienceMs,
    )
    await eventually(
      'and its topics',
      () => second.passes('logtopic'),
      it => it >= clusterCount,
      patienceMs,
    )
    const seconds = (performance.now() - start) / 1000
    console.log(
      `restarted: all looked at after ${seconds.toFixed(1)} s, ${mebibytes(second.residentBytes())}`,
    )
    // But for a status, where an answer took long on a busy machine.
    expect(writesSince(mark).filter(write => !write.includes('/status'))).toEqual([])
    const fits = (bytes: number): boolean => bytes <= residentMax
    await eventually('it stays small', second.residentBytes, fits, patienceMs)
  }, 1_500_000)
})

/** Until nothing was written while each cluster had a pass. */
async function settled({ passes }: OperatorProcess): Promise<void> {
  await eventually(
    'nothing is written any more',
    async () => {
      const mark = world.plane.audit.mark()
      const before = await passes('logcluster')
      await eventually(
        'a pass of each',
        () => passes('logcluster'),
        it => it >= before + clusterCount,
        patienceMs,
      )
      return writesSince(mark).length
    },
    count => count === 0,
    patienceMs,
  )
}
