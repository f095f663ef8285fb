import { expect, test } from 'vitest'
import { cleanerBugNames, runCleanerPoints } from './cleaner-points.ts'

test('600 crash points while a log is cleaned: each key keeps its last value, and offsets their place', async () => {
  const result = await runCleanerPoints({ count: 600, seed: 1 })
  expect(result.violations).toEqual([])
  expect(result.cleanings).toBeGreaterThan(5)
  expect(result.swapPoints).toBeGreaterThan(20)
})

for (const bug of cleanerBugNames) {
  test(`the planted bug ${bug} is found`, async () => {
    const planted = { count: 3000, seed: 2, bug, bail: true }
    const { violations, crashPoints } = await runCleanerPoints(planted)
    expect(violations.length).toBeGreaterThan(0)
    // The same points without the bug: it was the bug that was found.
    expect((await runCleanerPoints({ count: crashPoints, seed: 2 })).violations).toEqual([])
  })
}
