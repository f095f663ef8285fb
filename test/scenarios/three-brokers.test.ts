import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cell, runCellOfThree, scenarioCluster, whyNot } from './cell.ts'
import { clients } from './clients.ts'
import { scenarios } from './scenarios.ts'
import type { ThreeBrokers } from './three-brokers.ts'

/** Those that tell most in little time: a partition's leader and a group's coordinator are killed, under one client that sends and one that reads. */
const chosen: Readonly<Record<string, readonly string[]>> = {
  kafkajs: ['acks-all', 'commit-resume'],
  kcat: ['acks-all'],
}

describe(
  'scenarios on three brokers, of which one is killed in the middle',
  { timeout: 200_000 },
  () => {
    let ground: ThreeBrokers

    beforeAll(async () => {
      ground = await scenarioCluster()
    }, 200_000)
    afterAll(() => ground?.[Symbol.asyncDispose]())

    for (const [name, wanted] of Object.entries(chosen)) {
      const client = clients.find(one => one.name === name)!
      const missing = whyNot(client)
      if (missing !== null && process.env['CI'] !== 'true') {
        test.skip(`${name}: missing: ${missing}`, () => {})
        continue
      }
      test(`${name}: ${wanted.join(', ')}`, async () => {
        expect(missing).toBeNull()
        const cells: Cell[] = []
        for (const scenario of scenarios.filter(one => wanted.includes(one.name)))
          cells.push(await runCellOfThree(ground, client, scenario))
        expect(cells.map(({ result, remark }) => [result, remark])).toEqual(
          wanted.map(() => ['pass', expect.any(String)]),
        )
      })
    }
  },
)
