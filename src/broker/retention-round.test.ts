import { expect, test } from 'vitest'
import { silentLogger } from '../../test/helpers/silent-logger.ts'
import { SimClock } from '../../sim/clock.ts'
import type { Partition } from './partition/partition.ts'
import { RetentionRounds } from './retention-round.ts'

test('no record is too old while the wall clock is not believed', async () => {
  const sim = new SimClock()
  let aheadMs = 0
  const clock = { now: () => sim.now() + aheadMs, monotonic: () => sim.monotonic() }
  const times: number[] = []
  const partition = { applyRetention: async (nowMs: number) => void times.push(nowMs) }
  const rounds = new RetentionRounds(clock as SimClock, silentLogger)
  const round = () => rounds.run([partition as unknown as Partition])
  await round()
  aheadMs = 365 * 86_400_000
  await round()
  aheadMs = 0
  await round()
  expect(times).toEqual([sim.now(), -Infinity, sim.now()])
})
