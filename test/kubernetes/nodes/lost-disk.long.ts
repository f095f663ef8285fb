import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Node as KubernetesNode, Pod } from '../../../src/operator/kubernetes/objects.ts'
import { quantityOf } from '../../../src/operator/plan/quantity.ts'
import { eventually } from '../../helpers/eventually.ts'
import { truthful, type TruthChecker } from '../truth-checker.ts'
import type { Disk } from '../node/disk.ts'
import type { Node } from '../node/node.ts'
import { nodeImage } from '../node/images.ts'
import { Filling } from './filling.ts'
import { installChart } from './installed.ts'
import {
  boot,
  deleteNode,
  longMs,
  nodeOfOperator,
  type Placed,
  Several,
  uncordon,
} from './several.ts'
import { describeOnNodes, sharedCluster } from './shared.ts'

const partitions = 12
let orders: Several
let serial = 0

async function load(): Promise<TruthChecker> {
  const truth = orders.truth()
  await eventually('records before', () => truth.succeeded.fetch >= 10)
  return truth
}

async function bearable(truth: TruthChecker, longestWaitMsMax = 10_000): Promise<void> {
  const report = await truth.stop()
  console.log(JSON.stringify(report))
  truthful(report, { longestWaitMsMax })
}

/** The disk that a broker has now. */
async function diskOf({ broker, node }: Placed): Promise<Disk> {
  const { volume } = (await orders.broker(broker)).status
  return node.disks.find(each => each.volume === volume!.persistentVolume)!
}

/** The node that has no broker. */
async function spare(): Promise<Node> {
  const taken = (await orders.placed()).map(({ node }) => node)
  return sharedCluster().nodes.find(({ name }) => taken.every(node => node.name !== name))!
}

async function cordon({ name }: Node): Promise<void> {
  await sharedCluster().plane.kubectl(['cordon', name])
}

async function whole(): Promise<void> {
  await orders.until('Stable', 'True Stable', longMs)
  await orders.untilReplicated()
}

// A cluster for each, since each takes a disk away.
describeOnNodes('a broker that loses its disk under load', () => {
  beforeAll(installChart)

  beforeEach(async () => {
    orders = new Several(`lost-${++serial}`)
    await orders.make()
    await orders.makeTopic('many', partitions)
  })

  afterEach(() => orders.remove(), longMs)

  test(
    'has 1 GiB again within three minutes of the death of its node, whose Node object is deleted',
    { timeout: 3 * longMs },
    async () => {
      const filling = new Filling(orders, 'many')
      const each = Math.ceil(1024 / partitions)
      await filling.write(each)
      const [lost] = await orders.expendable()
      const truth = await load()
      const began = performance.now()
      await lost!.node.kill()
      await deleteNode(lost!.node)
      try {
        await orders.untilGivenUp(lost!.broker)
        console.log(`Given up after ${Math.round(performance.now() - began)} ms`)
        await whole()
        const replicatedMs = Math.round(performance.now() - began)
        console.log(`1 GiB of ${partitions} partitions replicated again after ${replicatedMs} ms`)
        expect(replicatedMs).toBeLessThan(180_000)
      } finally {
        await boot(lost!.node)
      }
      await bearable(truth)
      expect(await filling.read()).toEqual(Array.from({ length: partitions }, () => each))
    },
  )

  test(
    'has another one, though the operator was on the same node',
    { timeout: 3 * longMs },
    async () => {
      const placed = await orders.placed()
      const beside = await nodeOfOperator()
      // Where it is on the node without a broker there is nothing to see: another test has that.
      const lost = placed.find(({ node }) => node.name === beside) ?? placed.at(-1)!
      const truth = await load()
      await truth.whileVoiceless(async () => {
        await lost.node.kill()
        await deleteNode(lost.node)
        try {
          await orders.untilGivenUp(lost.broker)
        } finally {
          await boot(lost.node)
        }
      })
      await whole()
      await bearable(truth)
    },
  )

  test(
    'has another one where its node comes back under the same name with an empty disk',
    { timeout: 3 * longMs },
    async () => {
      const [lost] = await orders.expendable()
      const disk = await diskOf(lost!)
      const other = await spare()
      const truth = await load()
      await cordon(other)
      try {
        await lost!.node.kill()
        await deleteNode(lost!.node)
        disk.empty()
        await orders.untilGivenUp(lost!.broker)
        expect(await orders.condition('Ready')).toBe('True ServingWithout')
      } finally {
        await boot(lost!.node)
        await uncordon(other)
      }
      await whole()
      expect(
        await diskOf((await orders.placed()).find(each => each.broker === lost!.broker)!),
      ).not.toEqual(disk)
      await bearable(truth)
    },
  )

  test(
    'is refused where the node is back with an empty disk before anybody noted its absence, until somebody names it',
    { timeout: 3 * longMs },
    async () => {
      const [lost] = await orders.expendable()
      const { broker, node } = lost!
      const disk = await diskOf(lost!)
      const truth = await load()
      await node.kill()
      await deleteNode(node)
      disk.empty()
      await boot(node)
      await orders.until('Degraded', 'True DiskEmpty', longMs)
      expect(await orders.condition('Ready')).toBe('True ServingWithout')
      expect(await orders.identity(broker)).toMatchObject({ incarnation: '1', mayFormat: 'false' })
      await orders.patchBroker({ replace: { incarnation: 1 } }, broker)
      await orders.untilGivenUp(broker)
      await whole()
      await bearable(truth)
    },
  )

  test(
    'is not served from the old one, where the kubelet lives on whose Node object is gone',
    { timeout: 3 * longMs },
    async () => {
      const [lost] = await orders.expendable()
      const { broker, node } = lost!
      const uid = (await orders.pods()).find(each => each.spec!.nodeName === node.name)!.metadata
        .uid
      const truth = await load()
      try {
        node.pullCable()
        await deleteNode(node)
        await orders.untilGivenUp(broker)
        await whole()
        const before = await orders.uids()
        // The old process is back among the others, and nobody ends it.
        await node.pauseKubelet()
        node.plugCable()
        await eventually(
          'the end of the old process',
          () => node.podLog(`${orders.namespace}_${broker}-0_${uid}`),
          said => said.includes(`Another process registered as broker`),
          longMs,
        )
        await orders.untilReplicated()
        expect(await orders.uids()).toEqual(before)
      } finally {
        node.plugCable()
        node.resumeKubelet()
        await boot(node)
      }
      await whole()
      await bearable(truth)
    },
  )

  test(
    'has another one by the out-of-service taint of a node that is only silent',
    { timeout: 3 * longMs },
    async () => {
      const [lost] = await orders.expendable()
      const { broker, node } = lost!
      const { plane } = sharedCluster()
      const taint = 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute'
      const truth = await load()
      await node.kill()
      try {
        await eventually('a broker that waits for its node', async () => {
          return (await orders.broker(broker)).status.columns?.status === 'WaitingForNode'
        })
        expect(await orders.identity(broker)).toMatchObject({ incarnation: '1' })
        await plane.kubectl(['taint', 'node', node.name, taint])
        await orders.untilGivenUp(broker)
        await whole()
      } finally {
        await plane.kubectl(['taint', 'node', node.name, `${taint}-`]).catch(() => {})
        await boot(node)
      }
      await bearable(truth)
    },
  )

  test(
    'is waited for where two nodes go at once, until one of them is back',
    { timeout: 3 * longMs },
    async () => {
      const [first, second] = await orders.placed()
      const truth = await load()
      await Promise.all([first!, second!].map(({ node }) => node.kill()))
      await Promise.all([first!, second!].map(({ node }) => deleteNode(node)))
      try {
        await orders.until('Degraded', 'True ReplacementDeferred', longMs)
        // Also after both are pods without a node.
        await eventually(
          'pods that no node takes',
          () => orders.pods(),
          pods => pods.filter(({ spec }) => spec?.nodeName === undefined).length === 2,
          longMs,
        )
        await orders.until('Degraded', 'True ReplacementDeferred', longMs)
        for (const { broker } of [first!, second!]) {
          expect(await orders.identity(broker)).toMatchObject({ incarnation: '1' })
        }
        await boot(second!.node)
        await orders.untilGivenUp(first!.broker)
        await whole()
        expect(await orders.identity(second!.broker)).toMatchObject({ incarnation: '1' })
      } finally {
        await Promise.all([first!, second!].map(({ node }) => boot(node)))
      }
      await whole()
      await bearable(truth, 2 * longMs)
    },
  )

  test('keeps it while its node has no memory for its pod', { timeout: 2 * longMs }, async () => {
    const [lost] = await orders.expendable()
    const { broker, node } = lost!
    const { plane } = sharedCluster()
    const truth = await load()
    try {
      await cordon(node)
      await orders.kubectl('delete', 'pod', `${broker}-0`)
      await plane.apply([await glutton(node)], orders.namespace)
      await orders.kubectl('wait', '--for=condition=Ready', 'pod/glutton', '--timeout=60s')
      await uncordon(node)
      await eventually('a broker for which there is no memory', async () => {
        const { conditions } = (await orders.broker(broker)).status
        return conditions?.some(each => each.message?.includes('Insufficient memory'))
      })
      expect(await orders.condition('Ready')).toBe('True ServingWithout')
      expect(await orders.identity(broker)).toMatchObject({ incarnation: '1' })
    } finally {
      await uncordon(node)
      await orders.kubectl('delete', 'pod', 'glutton', '--ignore-not-found')
    }
    await whole()
    expect(await orders.identity(broker)).toMatchObject({ incarnation: '1' })
    await bearable(truth)
  })
})

/** A pod that asks for all the memory that is left on a node. */
async function glutton({ name }: Node): Promise<object> {
  const { plane } = sharedCluster()
  const get = async <Of>(...args: readonly string[]): Promise<Of> =>
    JSON.parse((await plane.kubectl(['get', ...args, '-o', 'json'])).stdout) as Of
  const { status } = await get<KubernetesNode>('node', name)
  const on = `--field-selector=spec.nodeName=${name}`
  const { items } = await get<{ items: readonly Pod[] }>('pods', '--all-namespaces', on)
  const asked = items
    .flatMap(({ spec }) => spec!.containers)
    .map(({ resources }) => quantityOf(resources?.requests?.['memory']) ?? 0)
  const free = quantityOf(status!.allocatable!['memory'])! - asked.reduce((a, b) => a + b, 0)
  const container = {
    name: 'main',
    image: nodeImage,
    imagePullPolicy: 'Never',
    args: ['-e', 'setInterval(() => {}, 1000)'],
    resources: { requests: { memory: String(Math.floor(free)) } },
  }
  const spec = { nodeName: name, terminationGracePeriodSeconds: 1, containers: [container] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'glutton' }, spec }
}
