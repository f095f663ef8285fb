import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../helpers/eventually.ts'
import { truthful } from '../truth-checker.ts'
import { isExpectedInRoll } from '../truth-failures.ts'
import { longMs, Several } from './several.ts'
import { describeOnNodes } from './shared.ts'

const orders = new Several('rolling')

describeOnNodes('a cluster of three brokers whose spec is broken under load', () => {
  beforeAll(() => orders.begin())

  afterAll(() => orders.remove())

  test(
    'stops at the first broker that does not come up, and goes on with what is repaired',
    { timeout: 2 * longMs },
    async () => {
      const { spec } = await orders.cluster()
      const [pool] = spec.pools
      const before = await orders.uids()
      const truth = orders.truth()
      await eventually('records before', () => truth.succeeded.fetch >= 10)
      const resources = { requests: { memory: '4000Gi' } }
      await orders.patch({ pools: [{ ...pool, resources }] })
      await orders.until('Degraded', 'True RolloutStopped', longMs)
      expect(await orders.condition('Ready')).toMatch(/^True/)
      const stopped = await orders.uids()
      expect(stopped.filter(uid => before.includes(uid))).toHaveLength(2)
      await orders.patch({ pools: [pool] })
      await orders.until('Stable', 'True Stable', longMs)
      expect((await orders.uids()).filter(uid => before.includes(uid))).toHaveLength(2)
      const report = await truth.stop()
      console.log(JSON.stringify(report))
      truthful(report, { longestWaitMsMax: 10_000, isExpected: isExpectedInRoll })
    },
  )
})
