import { beforeAll, describe, expect, test } from 'vitest'
import { startBroker } from '../helpers/broker.ts'
import type { Findings } from './compacted-topic.ts'
import { OurSubject } from './our-subject.ts'
import { readRecorded } from './recorded.ts'
import { type Outcomes, runScenarios } from './run-scenarios.ts'
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
    const subject = await OurSubject.of(broker)
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
