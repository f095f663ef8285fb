import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LogBroker } from '../../../src/operator/crd/broker.ts'
import { eventually } from '../../helpers/eventually.ts'
import { truthful, type TruthChecker } from '../truth-checker.ts'
import { productRepository, productVersion } from '../node/product-image.ts'
import { installChart } from './installed.ts'
import type { Orders } from './orders.ts'
import { longMs, Several } from './several.ts'
import { describeOnNodes, sharedAccess } from './shared.ts'

async function load(orders: Orders): Promise<TruthChecker> {
  const truth = orders.truth()
  await eventually('records before', () => truth.succeeded.fetch >= 10)
  return truth
}

async function bearable(truth: TruthChecker, longestWaitMsMax: number): Promise<void> {
  const report = await truth.stop()
  console.log(JSON.stringify(report))
  truthful(report, { longestWaitMsMax })
}

// Five brokers on four nodes: two of them share one. One cluster goes through all of it, test by test.
describeOnNodes('a cluster that grows and shrinks under load', () => {
  const orders = new Several('scale', 'minimal.yaml')

  async function scale(brokers: number): Promise<void> {
    const { spec } = await orders.cluster()
    await orders.patch({ pools: [{ ...spec.pools[0], brokers }] })
    await orders.until('Stable', 'True Stable', longMs)
    expect((await orders.cluster()).status.columns?.brokers).toBe(`${brokers}/${brokers}`)
  }

  async function brokers(): Promise<readonly LogBroker[]> {
    const text = await orders.kubectl('get', 'logbrokers', '-o', 'json')
    return (JSON.parse(text) as { items: LogBroker[] }).items
  }

  beforeAll(async () => {
    await installChart()
    await orders.make()
    await orders.patch({ placement: { host: 'Preferred' } })
    await orders.makeTopic('old', 6)
    await orders.until('Stable', 'True Stable')
  })

  afterAll(() => orders.remove())

  test('from one broker to three, whose only one is restarted', { timeout: longMs }, async () => {
    const truth = await load(orders)
    await scale(3)
    await bearable(truth, 60_000)
    await orders.makeTopic('new', 12)
    await orders.untilReplicated()
  })

  test(
    'from three brokers to five and back, and no client notices',
    { timeout: 3 * longMs },
    async () => {
      const truth = await load(orders)
      await scale(5)
      await orders.untilReplicated()
      const five = await orders.replicaCounts()
      console.log('replicas at five brokers:', five)
      expect([...five.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4])
      await scale(3)
      await orders.untilReplicated()
      const three = await orders.replicaCounts()
      console.log('replicas at three brokers again:', three)
      expect([...three.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2])
      expect((await brokers()).map(({ spec }) => spec.brokerId)).toEqual([0, 1, 2])
      expect(await orders.pods()).toHaveLength(3)
      const claims = await orders.kubectl('get', 'pvc', '-o', 'name')
      for (const left of [3, 4]) expect(claims).toContain(`data-orders-main-${left}-1`)
      await bearable(truth, 10_000)
      expect(await orders.events()).toContain('BrokerLeft')
    },
  )

  test('serves a pod of the Kubernetes cluster', async () => {
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
    expect([phase, said]).toEqual(['Succeeded', expect.anything()])
  })
})
