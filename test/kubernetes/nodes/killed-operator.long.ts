import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../helpers/eventually.ts'
import { truthful } from '../truth-checker.ts'
import { isExpectedInRoll } from '../truth-failures.ts'
import { DownCounter, Killer } from './killer.ts'
import { boot, deleteNode, drain, longMs, Several, uncordon } from './several.ts'
import { describeOnNodes } from './shared.ts'

const orders = new Several('killed')
/** Of those that stay through all of it. */
const pods = [0, 1, 2].map(slot => `orders-main-${slot}-0`)

/**
 * An operation under load, whose operator is killed after each of its acts: `begin` wishes it, and it has to end. One broker may be
 * away at a time. Where no Lease is left, each of its acts is one after which it is ended, however fast the rest goes.
 */
async function killedThrough(
  name: string,
  begin: () => Promise<unknown>,
  isLeaseLeft = true,
): Promise<void> {
  const truth = orders.truth()
  await eventually('records before', () => truth.succeeded.fetch >= 10)
  const down = new DownCounter(orders.namespace, pods)
  const killer = new Killer({ truth, isLeaseLeft })
  const began = performance.now()
  let kills: readonly string[] = []
  try {
    await begin()
    await orders.until('Stable', 'True Stable', 2 * longMs)
  } finally {
    kills = await killer.stop()
  }
  const seconds = Math.round((performance.now() - began) / 1_000)
  await orders.until('Stable', 'True Stable', longMs)
  await orders.untilReplicated()
  const [most, report] = [await down.stop(), await truth.stop()]
  console.log(`${name}, ${seconds} s, ${kills.length} operators killed:`, kills)
  console.log(`followed by the end of the Lease, in ms: ${killer.followedMs.join(' ')}`)
  console.log(`down at most: ${most.join(' ')}`, JSON.stringify(report))
  truthful(report, { longestWaitMsMax: 10_000, isExpected: isExpectedInRoll })
  expect(most.length).toBeLessThanOrEqual(1)
  expect(kills.length).toBeGreaterThan(0)
  expect(killer.followedMs.length > 0, 'followed when a Lease had run out').toBe(isLeaseLeft)
}

// One cluster goes through all of it, test by test.
describeOnNodes('three brokers whose operator is killed after each of its acts', () => {
  beforeAll(() => orders.begin())

  afterAll(() => orders.remove(), longMs)

  test('are restarted one by one', { timeout: 3 * longMs }, async () => {
    const before = await orders.uids()
    await killedThrough('roll', () => orders.patch({ restartedAt: new Date().toISOString() }))
    expect((await orders.uids()).filter(uid => before.includes(uid))).toEqual([])
  })

  // Kubernetes goes on with a drain by itself, so that one is over before a Lease has run out.
  test.each([
    ['by an operator that is followed at once', false],
    ['while nobody has followed the operator yet', true],
  ])('let a node be drained %s', { timeout: 3 * longMs }, async (_, isLeaseLeft) => {
    const [placed] = await orders.placed()
    const drained = async () => {
      try {
        await drain(placed!.node)
      } finally {
        await uncordon(placed!.node)
      }
    }
    await killedThrough('drain', drained, isLeaseLeft)
  })

  test('grow to four, and one of them leaves again', { timeout: 5 * longMs }, async () => {
    const { spec } = await orders.cluster()
    const scale = (brokers: number) => orders.patch({ pools: [{ ...spec.pools[0], brokers }] })
    await killedThrough('scale-up', () => scale(4))
    await killedThrough('scale-down', () => scale(3))
    const counts = await orders.replicaCounts()
    expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2])
  })

  test('have a disk replaced whose node is gone', { timeout: 4 * longMs }, async () => {
    const [lost] = await orders.expendable()
    await killedThrough('replacement', async () => {
      await lost!.node.kill()
      await deleteNode(lost!.node)
      await orders.untilGivenUp(lost!.broker)
    })
    await boot(lost!.node)
    expect(await orders.identity(lost!.broker)).toMatchObject({ mayFormat: 'false' })
  })
})
