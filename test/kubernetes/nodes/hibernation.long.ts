import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Secret } from '../../../src/operator/kubernetes/objects.ts'
import { eventually } from '../../helpers/eventually.ts'
import { InSyncWatch } from './in-sync-watch.ts'
import { boot, longMs, Several, timed } from './several.ts'
import { describeOnNodes } from './shared.ts'

const orders = new Several('hibernation')

async function restartCounts(): Promise<readonly number[]> {
  return (await orders.pods()).flatMap(
    ({ status }) => status?.containerStatuses?.map(each => each.restartCount ?? 0) ?? [],
  )
}

/** Resolves when the cluster has new passwords alone; kubelet brings each of three states in its own time. */
async function rotate(): Promise<void> {
  const passwordsRotatedAt = `${new Date().toISOString().slice(0, 19)}Z`
  await orders.patch({ passwordsRotatedAt })
  await eventually(
    'passwords that are new',
    async () => (await orders.read<Secret>('secret', 'orders-private')).metadata.annotations,
    marks =>
      marks?.['logcluster.dev/passwords-rotated-at'] === passwordsRotatedAt &&
      marks['logcluster.dev/passwords-overlap'] === undefined,
    2 * longMs,
  )
}

// One cluster goes through all of it, test by test.
describeOnNodes('three brokers under load', () => {
  beforeAll(() => orders.begin())

  afterAll(() => orders.remove(), longMs)

  test(
    'sleep with all replicas in sync, and wake with them, leading what they are to lead',
    { timeout: 2 * longMs },
    async () => {
      await orders.untilLedAsPreferred()
      await orders.truthfully(120_000, async () => {
        const watch = new InSyncWatch(orders)
        await eventually('a look', () => watch.lookCount > 0)
        await orders.patch({ state: 'Hibernated' })
        await timed('From the wish to the end of the last pod', async () => {
          await orders.until('Ready', 'False Hibernated', longMs)
          await eventually('no pods', async () => (await orders.pods()).length === 0)
        })
        const asleep = watch.lookCount
        await orders.patch({ state: 'Running' })
        await timed('From the wish to a cluster at rest', () =>
          orders.until('Stable', 'True Stable', longMs),
        )
        await eventually('looks after it', () => watch.lookCount > asleep + 10)
        expect(await watch.stop()).toEqual([])
      })
      await orders.untilLedAsPreferred()
      const told = await orders.events()
      for (const reason of ['ClusterFrozen', 'ClusterThawed']) expect(told).toContain(reason)
    },
  )

  test('have new passwords, and no request fails', { timeout: 3 * longMs }, async () => {
    const before = await orders.uids()
    await orders.truthfully(10_000, async truth => {
      // To make a topic takes some attempts.
      const failed = { ...truth.failed }
      await timed('From the wish to new passwords', rotate)
      expect(truth.failed).toEqual(failed)
    })
    expect(await orders.events()).toContain('PasswordsRotated')
    expect(await orders.uids()).toEqual(before)
    expect(await restartCounts()).toEqual([0, 0, 0])
  })

  test(
    'sleep, wake and have new passwords without one whose node is silent, once its absence is accepted',
    { timeout: 4 * longMs },
    async () => {
      const [lost] = await orders.expendable()
      const { broker, node } = lost!
      await orders.truthfully(2 * longMs, async () => {
        await node.kill()
        try {
          await orders.patch({ state: 'Hibernated' })
          await eventually(
            'a sleep that waits for the broker',
            () => orders.message('Progressing'),
            told => told.includes(`broker ${broker} does not serve in sync`),
          )
          await orders.patchBroker({ absence: 'Accepted' }, broker)
          await timed('From its acceptance to sleep', () =>
            orders.until('Ready', 'False Hibernated', longMs),
          )
          // Whatever Kubernetes still has of the pod that nobody can end.
          await orders.until('Progressing', 'False Idle')
          await orders.patch({ state: 'Running' })
          await timed('From the wish to be served without it', () =>
            orders.until('Ready', 'True ServingWithout', longMs),
          )
          await timed('From the wish to new passwords', rotate)
        } finally {
          await boot(node)
        }
        await orders.until('Stable', 'True Stable', longMs)
        await orders.untilReplicated()
        await orders.patchBroker({ absence: 'Awaited' }, broker)
      })
    },
  )
})
