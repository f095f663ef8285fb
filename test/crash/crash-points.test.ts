import { expect, test } from 'vitest'
import type { PlantedBug } from '../../src/broker/log/sabotage.ts'
import { runCrashPoints } from './crash-points.ts'

test('500 crash points: nothing promised is lost, nothing else appears, and the log goes on', async () => {
  const result = await runCrashPoints({ count: 500, seed: 1 })
  expect(result.violations).toEqual([])
  expect(result.crashPoints).toBe(500)
  expect(result.machineCrashes).toBeGreaterThanOrEqual(1500)
})

const bugs: readonly PlantedBug[] = [
  'crc-unchecked',
  'end-offset-before-write',
  'keep-torn-tail',
  'producer-state-not-rebuilt',
  'index-trusted',
  'growth-trusted',
]

for (const bug of bugs) {
  test(`the planted bug ${bug} is found`, async () => {
    const planted = { count: 2000, seed: 3, sabotage: new Set([bug]), bail: true }
    const { violations, crashPoints } = await runCrashPoints(planted)
    expect(violations.length).toBeGreaterThan(0)
    // The same points without the bug: it was the bug that was found.
    expect((await runCrashPoints({ count: crashPoints, seed: 3 })).violations).toEqual([])
  })
}
