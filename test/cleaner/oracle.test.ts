import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { startBroker, type TestBroker } from '../helpers/broker.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import type { Findings } from './compacted-topic.ts'
import { readRecorded } from './recorded.ts'
import { type Outcomes, type RestartableSubject, runScenarios } from './run-scenarios.ts'
import { cleanerSettings, cleaningScenarios } from './scenarios.ts'
import type { ToldBatch } from './what-is-left.ts'

/**
 * What our cleaner leaves, beside what Apache Kafka's left of the same topics (test/cleaner/record.ts): every batch, every record,
 * where each offset and time leads to, and what a producer is answered that goes on.
 */
describe("what is left is what Apache Kafka's cleaner leaves", () => {
  const recorded = readRecorded()
  let outcomes: Outcomes

  beforeAll(async () => {
    await using broker = await startBroker({ settings: cleanerSettings })
    const subject = new OurSubject(broker)
    await subject.connect()
    outcomes = await runScenarios(subject, cleaningScenarios)
    subject.client.close()
    if (Object.keys(outcomes.failures).length > 0) console.error(broker.output.slice(-8000))
  }, 600_000)

  test('Kafka was asked everything that is asked here', () => {
    expect(Object.keys(recorded)).toEqual(cleaningScenarios.map(({ name }) => name))
  })

  test.each(cleaningScenarios.map(({ name }) => name))('%s', name => {
    expect(outcomes.failures[name]).toBeUndefined()
    const expected = withDeviations(name, comparable(recorded[name]!))
    expect(comparable(outcomes.found[name]!)).toEqual(expected)
  })
})

class OurSubject implements RestartableSubject {
  #client: BrokerClient | null = null
  readonly #broker: TestBroker

  constructor(broker: TestBroker) {
    this.#broker = broker
  }

  get client(): BrokerClient {
    return this.#client!
  }

  async connect(): Promise<void> {
    this.#client = await BrokerClient.connect(this.#broker.port)
  }

  cleanedOffset(topic: string): number | null {
    return cleanedOffsetIn(this.#broker.dataDir, topic)
  }

  async restart(): Promise<void> {
    this.client.close()
    await this.#broker.stop()
    await this.#broker.start()
    await this.connect()
  }
}

/** Up to where partition 0 of a topic was cleaned, as the data directory says. */
function cleanedOffsetIn(dataDir: string, topic: string): number | null {
  const path = join(dataDir, 'cleaner-offset-checkpoint')
  const log = readdirSync(dataDir).find(name => name.startsWith(`${topic}-0.`))
  if (log === undefined || !existsSync(path)) return null
  const { body } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly body: { readonly offsets: Readonly<Record<string, number>> }
  }
  return body.offsets[log] ?? null
}

/**
 * Where Kafka's search by time comes to a segment whose greatest timestamp is that of a batch without records, it ends
 * and finds nothing. Ours goes on to the next record. By scenario, label and time.
 */
const foundByTime: Readonly<Record<string, Record<string, Record<string, string>>>> = {
  'records without keys, from before it was compacted': {
    'first round': { 2002: '7 @4000', 3000: '7 @4000' },
  },
}

function withDeviations(scenario: string, findings: Findings): Findings {
  const changed = Object.entries(foundByTime[scenario] ?? {}).map(([label, times]) => {
    const found = findings[label] as { readonly offsetsByTime: Record<string, string> }
    return [label, { ...found, offsetsByTime: { ...found.offsetsByTime, ...times } }]
  })
  return { ...findings, ...(Object.fromEntries(changed) as Findings) }
}

/** Kafka moves the base timestamp of a batch that lost its first record to the first that is left; ours stays. */
function comparable(findings: Findings): Findings {
  const entries = Object.entries(findings).map(([label, found]) => {
    const batches = (found as { readonly batches?: readonly ToldBatch[] }).batches
    return [
      label,
      batches === undefined ? found : { ...(found as object), batches: batches.map(ofBatch) },
    ]
  })
  return Object.fromEntries(entries) as Findings
}

function ofBatch(batch: ToldBatch): ToldBatch {
  const lost = batch.lastOffset - batch.baseOffset + 1 - batch.count
  if (lost === 0 || batch.count === 0 || typeof batch.baseTime === 'string') return batch
  return { ...batch, baseTime: 'of some record' }
}
