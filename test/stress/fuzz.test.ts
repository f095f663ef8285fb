import { expect, test } from 'vitest'
import { runFuzz, type FuzzResult } from './fuzz.ts'
import type { Outcome } from './outcome.ts'

const seed = Number(process.env['LOGCLUSTER_TEST_SEED'] ?? 11)
const frames = Number(process.env['LOGCLUSTER_TEST_FRAMES'] ?? 5000)

test.each([
  ['the addon', 'on', frames],
  ['the fallback', 'off', Math.ceil(frames / 5)],
] as const)(
  'on %s damaged frames of every API leave a broker as it was',
  async (_, native, count) => {
    const result = await runFuzz({ frames: count, seed, native })
    const { outcomes, neighbourRounds, before, after, framesPeakMiB, rounds, parts } = result
    console.log(
      `Fuzz: ${JSON.stringify({ seed, outcomes, neighbourRounds, before, after, framesPeakMiB, rounds, parts })}`,
    )
    expect(result.failures).toEqual([])
    expect(result.frames).toBe(count * rounds.length)
    expect(Object.keys(result.apis).length).toBeGreaterThan(20)
    expect(outcomes.whole.answered).toBeGreaterThan(outcomes.whole.closed)
    expect(outcomes.cut.closed).toBeGreaterThan(outcomes.cut.answered)
    expect(outcomes.edge.closed).toBeGreaterThan(0)
    expect(total(outcomes, 'answered')).toBeGreaterThan(count / 10)
    expect(total(outcomes, 'closed')).toBeGreaterThan(count / 100)
    expect(framesPeakMiB).toBeLessThan(700)
    expect(neighbourRounds).toBeGreaterThan(50)
  },
  600_000,
)

function total(outcomes: FuzzResult['outcomes'], outcome: Outcome): number {
  return Object.values(outcomes).reduce((sum, counts) => sum + counts[outcome], 0)
}
