import { expect, test } from 'vitest'
import { runCampaign } from '../simulation/campaign.ts'

/** Worlds that a seed makes, held against durability.md 5.1: the same seeds each time, so that nothing here is chance. */
const seeds = { first: 1, last: 300 }

// In processes of their own, two at a time: one test file of this project runs at a time, and mostly waits.
test(`${seeds.last} seeds of 60 virtual seconds are clean`, { timeout: 1_800_000 }, async () => {
  const failures: string[] = []
  const { totals } = await runCampaign({
    ...seeds,
    workers: 2,
    args: ['--seconds', '60'],
    ended(seed, outcome) {
      const again = `npm run qualify -- simulate --seed ${seed}`
      if (outcome === null) failures.push(`seed ${seed} hangs, or ended its process (${again})`)
      else for (const what of outcome.failures.slice(0, 1)) failures.push(`${what} (${again})`)
    },
  })
  expect(failures).toEqual([])
  expect(totals['acked']).toBeGreaterThan(100 * seeds.last)
  expect(totals['faults']).toBeGreaterThan(5 * seeds.last)
})
