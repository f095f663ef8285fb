import { describe, expect, test } from 'vitest'
import { type Fault, processFaults } from './faults.ts'
import { type ChaosResult, runChaos } from './run.ts'

const seed = Number(process.env['LOGCLUSTER_TEST_SEED'] ?? 20_260_101)
const faults: readonly (readonly [string, Fault])[] = Object.entries(processFaults)
const half = Math.ceil(faults.length / 2)

/** Every kind of fault three times, in six runs. Only whether brokers keep their word is judged, and not how fast. */
const runs = [
  { brokers: 3, kinds: faults.slice(0, half) },
  { brokers: 3, kinds: faults.slice(half) },
  { brokers: 5, kinds: faults.slice(0, half) },
  { brokers: 3, kinds: faults.slice(half) },
  { brokers: 3, kinds: faults.slice(0, half) },
  { brokers: 5, kinds: faults.slice(half) },
]

describe.concurrent('a cluster whose brokers are killed, ended and stopped under load', () => {
  test.each(runs.map((run, at) => ({ ...run, at })))(
    'loses, doubles and moves nothing that it acknowledged, and comes together: run $at, $brokers brokers',
    { timeout: 900_000 },
    async ({ brokers, kinds, at }) => {
      const result = await turn(() => {
        const faultsMin = kinds.length
        const only = Object.fromEntries(kinds)
        return runChaos({ seed: seed + 10 * at, brokers, seconds: 0, faultsMin, faults: only })
      })
      console.log(`Chaos: ${JSON.stringify(result)}`)
      expect(result.violations).toEqual([])
      expect(result.faults.map(({ kind }) => kind).toSorted()).toEqual(
        kinds.map(([kind]) => kind).toSorted(),
      )
      for (const count of [result.ackedRecords, result.seenRecords, result.acknowledgedCommits]) {
        expect(count).toBeGreaterThan(0)
      }
    },
  )
})

/** They wait for one another more than for processors. */
const atOnce = 3
const lanes: Promise<unknown>[] = Array.from({ length: atOnce }, () => Promise.resolve())
let next = 0

/** At most so many at once. */
function turn(act: () => Promise<ChaosResult>): Promise<ChaosResult> {
  const at = next++ % atOnce
  const mine = lanes[at]!.then(act)
  lanes[at] = mine.catch(() => {})
  return mine
}
