import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OneBroker } from './ground.ts'
import { type Cell, runCell, scenarioBroker, whyNot } from './cell.ts'
import { clients } from './clients.ts'
import { type Scenario, scenarios } from './scenarios.ts'

/** Java takes seconds to start for each step; suites of its own are in test/clients. */
const quickOfJava = new Set(['codec-zstd', 'seek-by-time', 'batch-limit'])

const quick = scenarios.filter(scenario => scenario.quick)

/** Clients side by side, since most of the time one waits for its programs to start. */
describe.concurrent('scenarios, the quick ones', { timeout: 200_000 }, () => {
  let broker: OneBroker

  beforeAll(async () => {
    broker = await scenarioBroker(
      process.env['LOGCLUSTER_NATIVE'] === 'off' ? 'fallback' : 'native',
    )
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  for (const client of clients) {
    const missing = whyNot(client)
    if (missing !== null && process.env['CI'] !== 'true') {
      test.skip(`${client.name}: missing: ${missing}`, () => {})
      continue
    }
    const wanted = quick.filter(({ name }) => client.name !== 'Java tools' || quickOfJava.has(name))
    // Each has a bound of its own: twenty under one reached it on a machine that had much else to do.
    describe.concurrent(client.name, () => {
      for (const scenario of wanted) {
        test(scenario.name, { concurrent: false }, async () => {
          expect(missing).toBeNull()
          const { result, remark }: Cell = await runCell(broker, client, scenario)
          expect(result, remark).toBe(resultOf(client.name, scenario))
        })
      }
    })
  }
})

/** What a library has no verb for; nothing else may be left out. */
const lacking: Readonly<Record<string, readonly string[]>> = {
  kcat: ['pause-resume', 'topic-create', 'times-out-of-order', 'topic-configs'],
  'node-rdkafka': ['topic-configs'],
  'kafka-go': ['pause-resume'],
}

function resultOf(client: string, { name }: Scenario): Cell['result'] {
  return lacking[client]?.includes(name) === true ? 'n/a' : 'pass'
}
