import { expect, test } from 'vitest'
import { eventually } from '../../helpers/eventually.ts'
import { productRepository, productVersion } from '../node/product-image.ts'
import { describeOnNodes, sharedCluster } from './shared.ts'

const image = `${productRepository}:${productVersion}`

describeOnNodes("the product's image", () => {
  test('is on each node under the name that pods give it', async () => {
    for (const node of sharedCluster().nodes) expect(await node.images()).toContain(image)
  })

  test('runs as who it says, with nothing that it may write', async () => {
    const { plane } = sharedCluster()
    await plane.kubectl(['create', 'namespace', 'image'])
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'version' },
      spec: {
        restartPolicy: 'Never',
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'main',
            image,
            imagePullPolicy: 'IfNotPresent',
            args: ['version'],
            securityContext: {
              readOnlyRootFilesystem: true,
              allowPrivilegeEscalation: false,
              capabilities: { drop: ['ALL'] },
            },
          },
        ],
      },
    }
    await plane.apply([pod], 'image')
    await eventually(
      'the end of the pod',
      async () => {
        const asked = ['-n', 'image', 'get', 'pod', 'version', '-o', 'jsonpath={.status.phase}']
        return (await plane.kubectl(asked)).stdout
      },
      phase => phase === 'Succeeded' || phase === 'Failed',
    )
    const said = (await plane.kubectl(['-n', 'image', 'logs', 'version'])).stdout
    expect(said).toContain(productVersion)
  })
})
