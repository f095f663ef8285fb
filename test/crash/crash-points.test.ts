import { expect, test } from 'vitest'
import { runCrashPoints } from './crash-points.ts'
import { plantedBugNames, type PlantedBugName } from './planted-bugs.ts'

test('500 crash points: nothing promised is lost, nothing else appears, and the log goes on', async () => {
  const result = await runCrashPoints({ count: 500, seed: 1 })
  expect(result.violations).toEqual([])
  expect(result.crashPoints).toBe(500)
  expect(result.machineCrashes).toBeGreaterThanOrEqual(1500)
  expect(result.duringThreadWrites).toBeGreaterThan(25)
})

/** Of bugs that another seed shows within fewer points. */
const seeds: Partial<Record<PlantedBugName, number>> = { 'growth-trusted': 31 }

for (const bug of plantedBugNames) {
  test(`the planted bug ${bug} is found`, async () => {
    const seed = seeds[bug] ?? 3
    const planted = { count: 2000, seed, bug, bail: true }
    const { violations, crashPoints } = await runCrashPoints(planted)
    expect(violations.length).toBeGreaterThan(0)
    // The same points without the bug: it was the bug that was found. Some do not even take a crash.
    const without = await runCrashPoints({ count: Math.max(1, crashPoints), seed })
    expect(without.violations).toEqual([])
  })
}
