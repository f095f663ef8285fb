import { beforeAll, expect, test } from 'vitest'
import { encodeBatch } from '../../../src/broker/log/batch/batch.ts'
import type { Pod } from '../../../src/operator/kubernetes/objects.ts'
import { eventually } from '../../helpers/eventually.ts'
import { productRepository, productVersion } from '../node/product-image.ts'
import { TruthChecker, truthful } from '../truth-checker.ts'
import { example, installChart } from './installed.ts'
import { connectToNode, Orders, pod } from './orders.ts'
import { describeOnCluster, sharedAccess } from './shared.ts'

const namespace = 'streaming'
const bootstrapPort = 31_394
const internalAddresses = '{.items[*].status.addresses[?(@.type=="InternalIP")].address}'
const records = encodeBatch({ records: [{ value: 'an order' }] })

async function kubectl(...args: readonly string[]): Promise<string> {
  return (await sharedAccess().plane.kubectl(['-n', namespace, ...args])).stdout
}

describeOnCluster('a LogCluster that is applied', () => {
  beforeAll(async () => {
    await installChart()
    await sharedAccess().plane.restrictedNamespace(namespace)
  })

  test('is ready within seconds, and says so when it is', async () => {
    const { plane, names } = sharedAccess()
    const truth = new TruthChecker({ plane, names, namespace, name: 'orders' })
    const began = performance.now()
    await kubectl('apply', '-f', example('minimal.yaml'))
    await kubectl('wait', '--for=condition=Ready', 'logcluster/orders', '--timeout=60s')
    const readyMs = Math.round(performance.now() - began)
    console.log(`From apply to Ready: ${readyMs} ms`)
    await eventually('100 records that came back', () => truth.succeeded.fetch >= 100)
    truthful(await truth.stop(), { longestWaitMsMax: readyMs + 10_000 })
  })

  test('serves clients outside by a port of any node, and tells them the node of the broker', async () => {
    const orders = new Orders(namespace)
    const { spec } = await orders.cluster()
    const expose = { type: 'NodePort', nodePort: { bootstrapPort } }
    const listeners = [...spec.listeners, { name: 'outside', port: 9094, expose }]
    await orders.patch({ listeners })
    await orders.until('Stable', 'True Stable')
    const nodeOfBroker = (await orders.read<Pod>('pod', pod)).status!.hostIP
    const addresses = await kubectl('get', 'nodes', '-o', `jsonpath=${internalAddresses}`)
    for (const host of addresses.split(' ')) {
      using first = await connectToNode(host, bootstrapPort)
      const { brokers } = await first.metadata()
      expect(brokers.map(broker => broker.host)).toEqual([nodeOfBroker])
      const [{ port, host: told }] = brokers as [(typeof brokers)[0]]
      using leader = await connectToNode(told, port)
      await leader.createTopics([{ name: 'outside' }])
      const produced = await leader.produce({ topic: 'outside', partition: 0 }, records)
      expect(produced.errorCode).toBe(0)
    }
  })

  test('serves a pod of the cluster by the name of its Service', async () => {
    const client = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'try' },
      spec: {
        restartPolicy: 'Never',
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'main',
            image: `${productRepository}:${productVersion}`,
            args: ['try', 'orders-bootstrap:9092'],
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
      },
    }
    await sharedAccess().plane.apply([client], namespace)
    const phase = await eventually(
      'the end of the pod',
      () => kubectl('get', 'pod', 'try', '-o', 'jsonpath={.status.phase}'),
      now => now === 'Succeeded' || now === 'Failed',
    )
    expect([phase, await kubectl('logs', 'try')]).toEqual(['Succeeded', expect.anything()])
  })
})
