import { expect, test } from 'vitest'
import { runFuzz } from './fuzz.ts'

const seed = Number(process.env['LOGCLUSTER_TEST_SEED'] ?? 11)
const frames = Number(process.env['LOGCLUSTER_TEST_FRAMES'] ?? 5000)

test(`${frames} damaged frames of every API leave a broker as it was (seed ${seed})`, async () => {
  // A short run does not tell growth from the pages that a process takes while it warms up; 64 is the campaign's bar.
  const result = await runFuzz({ frames, seed, grownMiBMax: 128 })
  const { outcomes, neighbourRounds, before, after, scenarios } = result
  console.log(`Fuzz: ${JSON.stringify({ outcomes, neighbourRounds, before, after, scenarios })}`)
  expect(result.failures).toEqual([])
  expect(result.frames).toBe(frames)
  expect(Object.keys(result.apis).length).toBeGreaterThan(20)
  expect(outcomes.whole.answered).toBeGreaterThan(outcomes.whole.closed)
  expect(outcomes.cut.closed).toBeGreaterThan(outcomes.cut.answered)
  expect(outcomes.edge.closed).toBeGreaterThan(0)
  expect(neighbourRounds).toBeGreaterThan(50)
}, 300_000)
