import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBroker, type TestBroker } from '../helpers/broker.ts'
import { type Answers, askScenario, prepare } from './ask-all.ts'
import { differences } from './compare.ts'
import { type Deviation, type Found, Judge, textOf } from './deviation.ts'
import { deviations } from './deviations.ts'
import { readRecorded } from './recorded.ts'
import { themes } from './scenarios.ts'
import { sameSettings } from './settings.ts'

/**
 * Everything that Kafka was asked when it was recorded, asked of us: where an answer differs, the difference is in
 * the list of deviations or a failure. `node test/differential/record.ts` records anew.
 */
describe('beside Apache Kafka', () => {
  const judge = new Judge(deviations)
  let broker: TestBroker | undefined

  beforeAll(async () => {
    broker = await startBroker({ settings: sameSettings })
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  describe.each(Object.entries(themes))('%s', (theme, scenarios) => {
    const recorded = readRecorded(theme)
    beforeAll(async () => {
      if (theme !== 'fresh') await prepare(broker!.port)
    })

    test('all of it was recorded', () => {
      expect(Object.keys(recorded ?? {})).toEqual(scenarios.map(({ name }) => name))
    })

    test.each(scenarios)('$name', { timeout: 240_000 }, async scenario => {
      const ours = await askScenario(scenario, broker!.port)
      const found = compared(scenario.name, ours, recorded?.[scenario.name] ?? {})
      expect(judge.unexplained(scenario.name, found).map(shown)).toEqual([])
    })
  })

  test('every deviation that is listed is still there', () => {
    expect(judge.stale().map(lineOf)).toEqual([])
  })
})

describe('the list of deviations', () => {
  test('is about scenarios that there are', () => {
    const names = Object.values(themes).flatMap(scenarios => scenarios.map(({ name }) => name))
    for (const deviation of deviations) {
      const judge = new Judge([deviation])
      for (const name of names) judge.unexplained(name, [])
      expect(judge.stale(), lineOf(deviation)).toEqual([deviation])
    }
  })

  test('has a row of docs/compatibility.md for each that is on purpose', () => {
    const page = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8')
    const rows = page.split('\n').map(line => line.split(' | ')[0]!.replace(/^(\| |## )/, ''))
    for (const deviation of deviations) {
      if ('row' in deviation.because)
        expect(rows, lineOf(deviation)).toContain(deviation.because.row)
    }
  })
})

function compared(scenario: string, ours: Answers, kafkas: Answers): Found[] {
  const requests = new Set([...Object.keys(kafkas), ...Object.keys(ours)])
  return [...requests].flatMap(request => {
    return differences(ours[request], kafkas[request]).map(found => ({
      scenario,
      request,
      ...found,
    }))
  })
}

function shown({ request, path, ours, kafkas }: Found): string {
  return `${request} | ${path} | ours ${textOf(ours)} | Kafka's ${textOf(kafkas)}`
}

function lineOf({ scenario, request, field, ours, kafkas }: Deviation): string {
  return [scenario, request, field, ours, kafkas].join(' | ')
}
