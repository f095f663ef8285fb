import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Pod } from '../../../src/operator/kubernetes/objects.ts'
import { eventually } from '../../helpers/eventually.ts'
import type { Node } from '../node/node.ts'
import { installChart } from './installed.ts'
import { Orders, pod } from './orders.ts'
import { describeOnNodes, sharedCluster } from './shared.ts'

const orders = new Orders('node-faults')

/** The node that the broker is on; its disk is there, so it goes nowhere else. */
async function nodeOfBroker(): Promise<Node> {
  const { spec } = await orders.read<Pod>('pod', pod)
  return sharedCluster().node(spec?.nodeName ?? '')
}

function isNotReady(condition: string): boolean {
  return condition.startsWith('False ') || condition.startsWith('Unknown ')
}

describeOnNodes('a broker whose node fails', () => {
  beforeAll(async () => {
    await installChart()
    await orders.make()
  })

  afterAll(() => orders.remove())

  test.each([
    ['loses its power', (node: Node) => node.kill(), (node: Node) => node.start()],
    ['is cut off', async (node: Node) => node.pullCable(), async (node: Node) => node.plugCable()],
  ])('is not ready while its node %s, and has every record when it is back', (_, fail, mend) =>
    orders.truthfully(120_000, async () => {
      const [identity, node] = [await orders.identity(), await nodeOfBroker()]
      await fail(node)
      try {
        await eventually('a cluster that is not ready', () => orders.condition('Ready'), isNotReady)
      } finally {
        await mend(node)
      }
      await orders.until('Stable', 'True Stable')
      expect(await orders.identity()).toEqual(identity)
    }),
  )
})
