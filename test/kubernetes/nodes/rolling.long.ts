import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Pod } from '../../../src/operator/kubernetes/objects.ts'
import { eventually } from '../../helpers/eventually.ts'
import { TruthChecker, truthful } from '../truth-checker.ts'
import { installChart } from './installed.ts'
import { Orders } from './orders.ts'
import { describeOnNodes, sharedAccess, sharedCluster } from './shared.ts'

const orders = new Orders('rolling', 'three-brokers.yaml')
const podNames = [0, 1, 2].map(id => `orders-main-${id}-0`)

function truthOf(): TruthChecker {
  const { plane, names } = sharedAccess()
  return new TruthChecker({ plane, names, namespace: orders.namespace, name: 'orders' })
}

/** Ends the load, and holds it against what clients must not notice. A leader that moves is found again by a new attempt. */
async function unnoticed(truth: TruthChecker): Promise<void> {
  const report = await truth.stop()
  console.log(JSON.stringify(report))
  truthful(report, { longestWaitMsMax: 10_000 })
}

function pods(): Promise<readonly Pod[]> {
  return Promise.all(podNames.map(name => orders.read<Pod>('pod', name)))
}

async function uids(): Promise<readonly string[]> {
  return (await pods()).map(({ metadata }) => metadata.uid)
}

async function nodeOf(name: string): Promise<string> {
  return (await orders.read<Pod>('pod', name)).spec!.nodeName!
}

/** kubectl's own, of the brokers alone: the operator and others stay where they are. */
function drain(node: string, timeout: string): Promise<unknown> {
  const only = ['--pod-selector=logcluster.dev/cluster=orders', `--timeout=${timeout}`]
  return sharedCluster().plane.kubectl(['drain', node, '--delete-emptydir-data', ...only])
}

function uncordon(node: string): Promise<unknown> {
  return sharedCluster().plane.kubectl(['uncordon', node])
}

describeOnNodes('a cluster of three brokers under load', () => {
  beforeAll(async () => {
    await installChart()
    await orders.make()
    const topic = {
      apiVersion: 'logcluster.dev/v1beta1',
      kind: 'LogTopic',
      metadata: { name: 'many' },
      spec: { clusterRef: { name: 'orders' }, partitions: 12 },
    }
    await sharedAccess().plane.apply([topic], orders.namespace)
    await orders.kubectl('wait', '--for=condition=Ready', 'logtopic/many', '--timeout=60s')
  })

  beforeEach(async () => {
    await orders.until('Stable', 'True Stable')
  })

  afterAll(() => orders.remove())

  test('is restarted broker by broker, and no client notices', async () => {
    const before = await uids()
    const truth = truthOf()
    await eventually('records before', () => truth.succeeded.fetch >= 10)
    await orders.patch({ restartedAt: new Date().toISOString() })
    await orders.until('Stable', 'True Stable')
    const after = await uids()
    expect(after.filter(uid => before.includes(uid))).toEqual([])
    await unnoticed(truth)
    const told = await orders.events()
    for (const reason of ['LeadershipDrained', 'LeadershipGivenBack', 'BrokerRestarted']) {
      expect(told).toContain(reason)
    }
  })

  test('stops at the first broker that does not come up, and goes on with what is repaired', async () => {
    const { spec } = await orders.cluster()
    const [pool] = spec.pools
    const before = await uids()
    const truth = truthOf()
    await eventually('records before', () => truth.succeeded.fetch >= 10)
    const resources = { requests: { memory: '4000Gi' } }
    await orders.patch({ pools: [{ ...pool, resources }] })
    await orders.until('Degraded', 'True RolloutStopped')
    expect(await orders.condition('Ready')).toMatch(/^True/)
    const stopped = await uids()
    expect(stopped.filter(uid => before.includes(uid))).toHaveLength(2)
    await orders.patch({ pools: [pool] })
    await orders.until('Stable', 'True Stable')
    expect((await uids()).filter(uid => before.includes(uid))).toHaveLength(2)
    await unnoticed(truth)
  })

  test('is drained node by node: a second drain waits until the first broker is back in sync', async () => {
    const [first, second] = await Promise.all([nodeOf(podNames[0]!), nodeOf(podNames[1]!)])
    const truth = truthOf()
    await eventually('records before', () => truth.succeeded.fetch >= 10)
    try {
      await drain(first, '110s')
      await orders.until('Ready', 'True ServingWithout')
      const [, uid] = await uids()
      await expect(drain(second, '8s')).rejects.toThrow(/disruption budget|timeout|timed out/)
      expect((await uids())[1]).toBe(uid)
      await uncordon(first)
      await drain(second, '110s')
      const seen = await orders.read<Pod>('pod', podNames[0]!)
      expect(seen.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
    } finally {
      await Promise.all([uncordon(first), uncordon(second)])
    }
    await orders.until('Stable', 'True Stable')
    await unnoticed(truth)
  })
})
