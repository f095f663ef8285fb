import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Pod } from '../../../src/operator/kubernetes/objects.ts'
import { eventually } from '../../helpers/eventually.ts'
import { installChart, operatorNamespace } from './installed.ts'
import { Orders, pod } from './orders.ts'
import { describeOnNodes, sharedCluster } from './shared.ts'

const orders = new Orders('life')

/** The operator is away for the time of `act`. */
async function withoutOperator(act: () => Promise<void>): Promise<void> {
  const { plane } = sharedCluster()
  const inOperators = (...args: readonly string[]) =>
    plane.kubectl(['-n', operatorNamespace, ...args])
  const scale = (replicas: number) =>
    inOperators('scale', 'deployment/logcluster', `--replicas=${replicas}`)
  await scale(0)
  try {
    await inOperators('wait', '--for=delete', 'pod', '--all', '--timeout=60s')
    await act()
  } finally {
    await scale(1)
  }
}

/** The broker's pod, where it is another one than that and serves. */
async function nextPod(uid: string): Promise<boolean> {
  const { metadata, status } = await orders.read<Pod>('pod', pod)
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return metadata.uid !== uid && ready?.status === 'True'
}

describeOnNodes('the life of a broker', () => {
  beforeAll(async () => {
    await installChart()
    await orders.make()
  })

  afterAll(() => orders.remove())

  test('settings that brokers take while they run restart nobody, others restart once, after a check', async () => {
    await orders.truthfully(60_000, async () => {
      const first = await orders.podUid()
      await orders.patch({ config: { 'log.retention.hours': 5 } })
      await orders.until('Stable', 'True Stable')
      expect(await orders.podUid()).toBe(first)
      const { status } = await orders.broker()
      expect(status.appliedConfig).toEqual({ 'log.retention.ms': '18000000' })
      expect(status.cachestatSource).toBe('mincore')
      await orders.patch({ config: { 'log.level': 'debug' } })
      await orders.until('Stable', 'True Stable')
      const second = await orders.podUid()
      expect(second).not.toBe(first)
      expect(await orders.kubectl('get', 'pods', '-o', 'name')).toBe(`pod/${pod}\n`)
      await orders.patch({ restartedAt: new Date().toISOString() })
      await orders.until('Stable', 'True Stable')
      expect(await orders.podUid()).not.toBe(second)
    })
  })

  test('what would fail is found beforehand: the running broker is left alone, and a sentence says why', async () => {
    await orders.truthfully(10_000, async () => {
      const before = await orders.podUid()
      const { status, spec } = await orders.cluster()
      await orders.patch({ version: 'nowhere' })
      await orders.until('Degraded', 'True CheckFailed')
      expect(await orders.condition('Ready')).toBe('True Serving')
      await orders.patch({ version: status.version })
      await orders.until('Stable', 'True Stable')
      const [pool] = spec.pools
      const env = [{ name: 'NODE_OPTIONS', value: '--no-such-option' }]
      await orders.patch({ pools: [{ ...pool, template: { pod: { spec: { env } } } }] })
      await orders.until('Degraded', 'True CheckFailed')
      expect(await orders.condition('Ready')).toBe('True Serving')
      await orders.patch({ pools: [pool] })
      await orders.until('Stable', 'True Stable')
      expect(await orders.podUid()).toBe(before)
    })
  })

  test('a hibernated cluster has no pods, and comes back with its disk', async () => {
    await orders.truthfully(120_000, async () => {
      const before = await orders.identity()
      await orders.patch({ state: 'Hibernated' })
      await orders.until('Ready', 'False Hibernated')
      expect(await orders.kubectl('get', 'pods', '-o', 'name')).toBe('')
      await orders.patch({ state: 'Running' })
      await orders.until('Stable', 'True Stable')
      expect(await orders.identity()).toEqual(before)
    })
  })

  test('a pod that goes while no operator runs is made again without one, and has every record', async () => {
    const [uid, identity] = [await orders.podUid(), await orders.identity()]
    await orders.truthfullyAfter(60_000, () =>
      withoutOperator(async () => {
        await orders.kubectl('delete', 'pod', pod)
        await eventually('another pod', () => nextPod(uid).catch(() => false))
      }),
    )
    expect(await orders.identity()).toEqual(identity)
    await orders.until('Stable', 'True Stable')
  })

  test('a disk that was emptied while no operator ran is refused, never formatted, and replaced by name', async () => {
    const { status } = await orders.broker()
    const volume = status.volume?.persistentVolume
    const disk = sharedCluster()
      .nodes.flatMap(({ disks }) => disks)
      .find(each => each.volume === volume)!
    await orders.truthfully(180_000, async truth => {
      await truth.whileVoiceless(async () => {
        await withoutOperator(async () => {
          disk.empty()
          await orders.kubectl('delete', 'pod', pod, '--grace-period=0', '--force')
          await eventually(
            'a broker that refused to start',
            async () => {
              const seen = await orders.read<Pod>('pod', pod).catch(() => null)
              return seen?.status?.containerStatuses?.[0]?.restartCount ?? 0
            },
            count => count > 0,
          )
        })
        await orders.until('Ready', 'False DiskEmpty')
      })
      expect(await orders.identity()).toMatchObject({ incarnation: '1', mayFormat: 'false' })
      truth.giveUp()
      await orders.patchBroker({ replace: { incarnation: 1, dataLoss: 'Accept' } })
      await orders.until('Stable', 'True Stable')
      expect(await orders.identity()).toMatchObject({ incarnation: '2', mayFormat: 'false' })
      expect(await orders.kubectl('get', 'pvc', '-o', 'name')).toContain('data-orders-main-0-1')
    })
  })
})
