import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PersistentVolume } from '../../../src/operator/kubernetes/objects.ts'
import { eventually } from '../../helpers/eventually.ts'
import { truthful, type TruthChecker } from '../truth-checker.ts'
import { isExpectedInRoll } from '../truth-failures.ts'
import { installChart } from './installed.ts'
import { boot, deleteNode, drain, longMs, Several, uncordon } from './several.ts'
import { describeOnNodes, sharedAccess } from './shared.ts'

const orders = new Several('three')

/** Load, of which some has come through. */
async function load(): Promise<TruthChecker> {
  const truth = orders.truth()
  await eventually('records before', () => truth.succeeded.fetch >= 10)
  return truth
}

/** Ends the load, and holds it against what clients must not notice. A leader that moves is found again by a new attempt. */
async function unnoticed(truth: TruthChecker): Promise<void> {
  const report = await truth.stop()
  console.log(JSON.stringify(report))
  truthful(report, { longestWaitMsMax: 10_000, isExpected: isExpectedInRoll })
}

// One cluster goes through all of it, test by test.
describeOnNodes('three brokers under load', () => {
  beforeAll(async () => {
    await installChart()
    await sharedAccess().plane.kubectl(['create', 'namespace', orders.namespace])
  })

  afterAll(() => orders.remove())

  test('are ready within seconds of their creation, each on a node of its own, and say so when they are', async () => {
    const truth = orders.truth()
    const began = performance.now()
    await orders.apply()
    await orders.kubectl('wait', '--for=condition=Ready', 'logcluster/orders', '--timeout=90s')
    const readyMs = Math.round(performance.now() - began)
    console.log(`From apply to Ready: ${readyMs} ms`)
    expect((await orders.cluster()).status.columns?.brokers).toBe('3/3')
    const placed = await orders.placed()
    expect(placed.map(({ broker }) => broker)).toEqual([0, 1, 2].map(id => `orders-main-${id}`))
    expect(new Set(placed.map(({ node }) => node.name)).size).toBe(3)
    const ids = await Promise.all(placed.map(({ broker }) => orders.broker(broker)))
    expect(ids.map(({ spec }) => spec.brokerId)).toEqual([0, 1, 2])
    await orders.makeTopic('many', 12)
    await eventually('records that came back', () => truth.succeeded.fetch >= 10)
    truthful(await truth.stop(), { longestWaitMsMax: readyMs + 10_000 })
  })

  test('are restarted one by one, and no client notices', { timeout: longMs }, async () => {
    const before = await orders.uids()
    const epochs = await orders.electionCounts()
    const truth = await load()
    await orders.patch({ restartedAt: new Date().toISOString() })
    await orders.until('Stable', 'True Stable', longMs)
    expect((await orders.uids()).filter(uid => before.includes(uid))).toEqual([])
    await unnoticed(truth)
    // Away from who prefers it, and back, whatever else of the roll.
    for (const [partition, count] of await orders.electionCounts()) {
      expect(count - (epochs.get(partition) ?? 0), partition).toBeLessThanOrEqual(2)
    }
    const told = await orders.events()
    for (const reason of ['LeadershipDrained', 'LeadershipGivenBack', 'BrokerRestarted']) {
      expect(told).toContain(reason)
    }
  })

  test(
    'are drained node by node: each drain ends by itself, once the broker before is back in sync',
    { timeout: longMs },
    async () => {
      const [first, ...rest] = await orders.placed()
      const truth = await load()
      try {
        await drain(first!.node)
        let away = first!
        for (const next of rest) {
          const { audit } = sharedAccess().plane
          const mark = audit.mark()
          const drained = drain(next.node)
          // Who fails before is told by the wait for it.
          drained.catch(() => {})
          await eventually('an eviction that waits', () =>
            audit
              .since(mark)
              .some(
                ({ objectRef, responseStatus }) =>
                  objectRef?.subresource === 'eviction' &&
                  objectRef.name === `${next.broker}-0` &&
                  responseStatus?.code === 429,
              ),
          )
          await orders.until('Ready', 'True ServingWithout')
          await uncordon(away.node)
          await drained
          const pods = await orders.pods()
          const back = pods.find(({ metadata }) => metadata.name === `${away.broker}-0`)
          expect(back?.status?.conditions).toContainEqual(
            expect.objectContaining({ type: 'Ready', status: 'True' }),
          )
          away = next
        }
      } finally {
        for (const { node } of [first!, ...rest]) await uncordon(node)
      }
      await orders.until('Stable', 'True Stable', longMs)
      await unnoticed(truth)
    },
  )

  test(
    'have every copy again on another node when one dies and its Node object is deleted, by themselves',
    { timeout: 2 * longMs },
    async () => {
      const [lost] = await orders.expendable()
      const { broker, node } = lost!
      const retired = (await orders.broker(broker)).status
      const truth = await load()
      const began = performance.now()
      await node.kill()
      await deleteNode(node)
      try {
        await orders.untilGivenUp(broker)
        await orders.until('Stable', 'True Stable', longMs)
        await orders.untilReplicated()
        console.log(`Replaced after ${Math.round(performance.now() - began)} ms`)
        expect(await orders.identity(broker)).toMatchObject({ mayFormat: 'false' })
        const placed = await orders.placed()
        const next = placed.find(each => each.broker === broker)!
        expect(next.node.name).not.toBe(node.name)
      } finally {
        await boot(node)
      }
      await unnoticed(truth)
      // Whoever wants to look for something on the old disk finds it.
      const { retiredVolumes } = (await orders.broker(broker)).status
      const persistentVolume = retired.volume!.persistentVolume!
      const { directoryId } = retired
      expect(retiredVolumes).toMatchObject([{ persistentVolume, directoryId, reason: 'NodeGone' }])
      const volume = await orders.read<PersistentVolume>('pv', persistentVolume)
      expect(volume.spec?.persistentVolumeReclaimPolicy).toBe('Retain')
      const told = await orders.events()
      for (const reason of ['DiskLost', 'DiskReplaced', 'DiskRecorded', 'DiskReplacementDone']) {
        expect(told).toContain(reason)
      }
    },
  )
})
