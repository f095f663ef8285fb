import { beforeAll, expect, test } from 'vitest'
import { eventually } from '../../helpers/eventually.ts'
import { productRepository, productVersion } from '../node/product-image.ts'
import { TruthChecker, truthful } from '../truth-checker.ts'
import { example, installChart } from './installed.ts'
import { describeOnCluster, sharedAccess } from './shared.ts'

const namespace = 'streaming'

async function kubectl(...args: readonly string[]): Promise<string> {
  return (await sharedAccess().plane.kubectl(['-n', namespace, ...args])).stdout
}

describeOnCluster('a LogCluster that is applied', () => {
  beforeAll(async () => {
    await installChart()
    await sharedAccess().plane.kubectl(['create', 'namespace', namespace])
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

  test('serves a pod of the cluster by the name of its Service', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'try' },
      spec: {
        restartPolicy: 'Never',
        containers: [
          {
            name: 'main',
            image: `${productRepository}:${productVersion}`,
            args: ['try', 'orders-bootstrap:9092'],
          },
        ],
      },
    }
    await sharedAccess().plane.apply([pod], namespace)
    const phase = await eventually(
      'the end of the pod',
      () => kubectl('get', 'pod', 'try', '-o', 'jsonpath={.status.phase}'),
      now => now === 'Succeeded' || now === 'Failed',
    )
    expect([phase, await kubectl('logs', 'try')]).toEqual(['Succeeded', expect.anything()])
  })
})
