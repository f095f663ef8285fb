import { describe, expect, test } from 'vitest'
import { whyNoCgroup } from './memory-cgroup.ts'
import { runOverload } from './overload.ts'

const why = whyNoCgroup()
const mustRun = process.env['CI'] === 'true'
const title = `a broker of 512 MiB under too much${why === null ? '' : `: ${why}`}`

describe.skipIf(why !== null && !mustRun)(title, () => {
  test('serves its neighbours, is not killed, and counts whom it turned away', async () => {
    expect(why).toBeNull()
    const result = await runOverload({ scale: 1 })
    console.log(`Overload: ${JSON.stringify(result)}`)
    expect(result.failures).toEqual([])
    expect(result.cgroup.oomKills).toBe(0)
    for (const [stage, { rounds }] of Object.entries(result.stages)) {
      expect(rounds, stage).toBeGreaterThanOrEqual(20)
    }
    expect(result.refused['max.connections.per.ip']).toBe(result.stages['turned away']!.count)
  }, 240_000)
})
