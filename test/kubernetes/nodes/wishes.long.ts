import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { LogCluster } from '../../../src/operator/crd/cluster.ts'
import type { PersistentVolume } from '../../../src/operator/kubernetes/objects.ts'
import { encodeBatch } from '../../../src/broker/log/batch/batch.ts'
import { eventually } from '../../helpers/eventually.ts'
import { truthful } from '../truth-checker.ts'
import { installChart } from './installed.ts'
import { connectToNode } from './orders.ts'
import { longMs, Several } from './several.ts'
import { describeOnNodes, sharedAccess, sharedCluster } from './shared.ts'

let orders: Several
let serial = 0

function another(exampleName: string): void {
  orders = new Several(`wishes-${++serial}`, exampleName)
}

/** The LogCluster of the example, with another spec of its pool. */
async function applyPool(changes: object): Promise<void> {
  const { plane } = sharedAccess()
  const asked = ['create', '--dry-run=client', '-o', 'json', '-f', orders.file]
  const draft = JSON.parse((await plane.kubectl(asked)).stdout) as LogCluster
  const [pool] = draft.spec.pools
  const spec = { ...draft.spec, pools: [{ ...pool, ...changes }] }
  const { apiVersion, kind, metadata } = draft
  await plane.apply(
    [{ apiVersion, kind, metadata: { name: metadata.name }, spec }],
    orders.namespace,
  )
}

/** Labels and annotations that a claim needs, as the sentence says that tells of its absence. */
async function marksTold(): Promise<object> {
  const { status } = await orders.cluster()
  const { message } = status.conditions!.find(({ type }) => type === 'StorageHealthy')!
  const marks = Array.from(message.matchAll(/([\w./-]+): "([^"]*)"/g), ([, key, value]) => [
    key,
    value,
  ])
  expect(marks).toHaveLength(4)
  return {
    labels: Object.fromEntries(marks.slice(0, 3)),
    annotations: Object.fromEntries(marks.slice(3)),
  }
}

function storage(changes: object): object {
  return { storage: { volumes: [{ name: 'data', size: '10Gi', ...changes }] } }
}

describeOnNodes('a wish that only the world can refute', () => {
  beforeAll(installChart)

  beforeEach(async () => {
    another('minimal.yaml')
    await sharedAccess().plane.kubectl(['create', 'namespace', orders.namespace])
  })

  afterEach(() => orders.remove(), longMs)

  test('for a StorageClass that is not there is told, and another one is taken after it', async () => {
    await orders.truthfullyFromBirth(180_000, async () => {
      await applyPool(storage({ storageClassName: 'no-such-class' }))
      await orders.until('Degraded', 'True StorageClassMissing')
      await orders.kubectl('delete', 'lc', 'orders', '--timeout=60s')
      await applyPool(storage({ storageClassName: 'local-nvme' }))
      await orders.until('Stable', 'True Stable')
    })
  })

  test('for more memory than any node has is told, and served once it is less', async () => {
    await orders.truthfullyFromBirth(120_000, async () => {
      await applyPool({ resources: { requests: { memory: '4000Gi' } } })
      await orders.until('Ready', 'False Unschedulable')
      await applyPool({ resources: { requests: { memory: '128Mi' } } })
      await orders.until('Stable', 'True Stable')
    })
  })

  test('for a larger volume than can be had is told, and the broker is left alone', async () => {
    await orders.apply()
    await orders.until('Stable', 'True Stable')
    await orders.truthfully(10_000, async () => {
      const uid = await orders.podUid()
      await applyPool(storage({ size: '20Gi' }))
      await orders.until('Degraded', 'True ExpansionRefused')
      expect(await orders.condition('Ready')).toBe('True Serving')
      await applyPool(storage({ size: '10Gi' }))
      await orders.until('Stable', 'True Stable')
      expect(await orders.podUid()).toBe(uid)
    })
  })
})

describeOnNodes('a broker whose claim is gone', () => {
  beforeAll(installChart)

  beforeEach(async () => {
    another('minimal.yaml')
    await orders.make()
  })

  afterEach(() => orders.remove(), longMs)

  test('has every record again by a new claim of that name, bound to the volume that was kept', async () => {
    const { plane } = sharedCluster()
    const truth = orders.truth()
    await eventually('records', () => truth.succeeded.fetch >= 10)
    const identity = await orders.identity()
    const { volume } = (await orders.broker()).status
    const [claim, name] = [volume!.claim!, volume!.persistentVolume!]
    await orders.kubectl('delete', 'pvc', claim, '--wait=false')
    await orders.kubectl('delete', 'pod', 'orders-main-0-0')
    await orders.until('StorageHealthy', 'False ClaimMissing')
    await eventually('a volume that was kept', async () => {
      const { stdout } = await plane.kubectl(['get', 'pv', name, '-o', 'json'])
      return (JSON.parse(stdout) as PersistentVolume).status?.phase === 'Released'
    })
    const free = JSON.stringify({ spec: { claimRef: null } })
    await plane.kubectl(['patch', 'pv', name, '--type=merge', '-p', free])
    const spec = {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'local-nvme',
      volumeName: name,
      resources: { requests: { storage: '10Gi' } },
    }
    const kind = { apiVersion: 'v1', kind: 'PersistentVolumeClaim' }
    const metadata = { name: claim, ...(await marksTold()) }
    await plane.apply([{ ...kind, metadata, spec }], orders.namespace)
    await orders.until('Stable', 'True Stable')
    expect(await orders.identity()).toEqual(identity)
    truthful(await truth.stop(), { longestWaitMsMax: 60_000 })
  })
})

describeOnNodes('three brokers with racks and ports at their nodes', () => {
  const label = 'example.com/rack'

  beforeAll(async () => {
    await installChart()
    const { plane, nodes } = sharedCluster()
    for (const [at, { name }] of nodes.entries()) {
      await plane.kubectl(['label', 'node', name, `${label}=rack-${at + 1}`, '--overwrite'])
    }
  })

  beforeEach(async () => {
    another('three-brokers.yaml')
    await orders.make()
  })

  afterEach(() => orders.remove(), longMs)

  test(
    'tell clients from outside both, after a roll that gives them to each',
    { timeout: longMs },
    async () => {
      const truth = orders.truth()
      await eventually('records', () => truth.succeeded.fetch >= 10)
      const { spec } = await orders.cluster()
      const expose = { type: 'NodePort', nodePort: { bootstrapPort: 31_294 } }
      const listeners = [...spec.listeners, { name: 'outside', port: 9094, expose }]
      await orders.patch({ listeners, rack: { nodeLabel: label } })
      await orders.until('Stable', 'True Stable', longMs)
      truthful(await truth.stop(), { longestWaitMsMax: 10_000 })
      await orders.makeTopic('outside', 6)
      const { nodes } = sharedCluster()
      // By any node, also one that has no broker.
      for (const { address } of nodes) {
        using client = await connectToNode(address, 31_294)
        const { brokers, topics } = await client.metadata(['outside'])
        const placed = await orders.placed()
        expect(brokers).toHaveLength(3)
        for (const { nodeId, host, port, rack } of brokers) {
          const { node } = placed.find(({ broker }) => broker === `orders-main-${nodeId}`)!
          expect(host).toBe(node.address)
          expect(rack).toBe(`rack-${nodes.findIndex(({ name }) => name === node.name) + 1}`)
          using leader = await connectToNode(host, port)
          const led = topics[0]!.partitions.filter(({ leaderId }) => leaderId === nodeId)
          for (const { partitionIndex: partition } of led) {
            const batch = encodeBatch({ records: [{ value: address }], baseTimestamp: Date.now() })
            expect((await leader.produce({ topic: 'outside', partition }, batch)).errorCode).toBe(0)
          }
        }
      }
    },
  )
})
