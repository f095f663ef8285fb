import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LogBroker } from '../../../src/operator/crd/broker.ts'
import type { Pod } from '../../../src/operator/kubernetes/objects.ts'
import { eventually } from '../../helpers/eventually.ts'
import { TruthChecker, truthful } from '../truth-checker.ts'
import { productRepository, productVersion } from '../node/product-image.ts'
import { installChart } from './installed.ts'
import { Orders } from './orders.ts'
import { describeOnNodes, sharedAccess } from './shared.ts'

function truthOf({ namespace }: Orders): TruthChecker {
  const { plane, names } = sharedAccess()
  return new TruthChecker({ plane, names, namespace, name: 'orders' })
}

async function items<Object>(orders: Orders, kind: string): Promise<readonly Object[]> {
  const text = await orders.kubectl('get', kind, '-o', 'json')
  return (JSON.parse(text) as { items: Object[] }).items
}

describeOnNodes('three brokers', () => {
  const orders = new Orders('three', 'three-brokers.yaml')

  beforeAll(async () => {
    await installChart()
    await sharedAccess().plane.kubectl(['create', 'namespace', orders.namespace])
  })

  afterAll(() => orders.remove())

  test('are ready within seconds of their creation, each on a node of its own, and say so when they are', async () => {
    const truth = truthOf(orders)
    const began = performance.now()
    await orders.apply()
    await orders.kubectl('wait', '--for=condition=Ready', 'logcluster/orders', '--timeout=90s')
    const readyMs = Math.round(performance.now() - began)
    console.log(`From apply to Ready: ${readyMs} ms`)
    console.log(await orders.kubectl('get', 'lc,lb,pods', '-o', 'wide'))
    expect((await orders.cluster()).status.columns?.brokers).toBe('3/3')
    const pods = await items<Pod>(orders, 'pods')
    expect(new Set(pods.map(({ spec }) => spec?.nodeName)).size).toBe(3)
    const brokers = await items<LogBroker>(orders, 'logbrokers')
    expect(brokers.map(({ spec }) => spec.brokerId).toSorted((a, b) => a - b)).toEqual([0, 1, 2])
    await eventually('50 records that came back', () => truth.succeeded.fetch >= 50)
    truthful(await truth.stop(), { longestWaitMsMax: readyMs + 10_000 })
  })

  test('serve a pod of the cluster, whose topic has three copies of each record', async () => {
    const container = {
      name: 'main',
      image: `${productRepository}:${productVersion}`,
      args: ['try', 'orders-bootstrap:9092'],
    }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'try' } }
    await sharedAccess().plane.apply(
      [{ ...pod, spec: { restartPolicy: 'Never', containers: [container] } }],
      orders.namespace,
    )
    const phase = await eventually(
      'the end of the pod',
      () => orders.kubectl('get', 'pod', 'try', '-o', 'jsonpath={.status.phase}'),
      now => now === 'Succeeded' || now === 'Failed',
    )
    const said = await orders.kubectl('logs', 'try')
    console.log(said)
    expect([phase, said]).toEqual(['Succeeded', expect.anything()])
  })
})

describeOnNodes('one broker that becomes three', () => {
  const orders = new Orders('grows')

  beforeAll(async () => {
    await installChart()
    await orders.make()
  })

  afterAll(() => orders.remove())

  test('loses nothing under load, and has three copies of what is made after it', async () => {
    const truth = truthOf(orders)
    await eventually('records before', () => truth.succeeded.fetch >= 10)
    const { spec } = await orders.cluster()
    await orders.patch({ pools: [{ ...spec.pools[0], brokers: 3 }] })
    await orders.until('Stable', 'True Stable')
    console.log(await orders.kubectl('get', 'lc,lb,pods', '-o', 'wide'))
    expect((await orders.cluster()).status.columns).toEqual({ brokers: '3/3', status: 'Running' })
    const after = truth.succeeded.fetch
    await eventually('records after', () => truth.succeeded.fetch >= after + 10)
    truthful(await truth.stop(), { longestWaitMsMax: 60_000 })
  })
})
