import { beforeAll, describe, expect, test } from 'vitest'
import { differences } from './compare.ts'
import { Judge, textOf } from './deviation.ts'
import { severalDeviations } from './several-deviations.ts'
import { readRecorded, type Recorded } from './recorded.ts'
import { severalScenarios } from './requests/several.ts'
import { askThreeOfUs, severalTheme } from './several.ts'

/** Three brokers of ours beside what three nodes of Apache Kafka answered: `npm run qualify -- differential --brokers 3` records anew. */
describe('three brokers beside Apache Kafka', () => {
  const judge = new Judge(severalDeviations)
  const recorded = readRecorded(severalTheme) ?? {}
  let ours: Recorded = {}

  beforeAll(async () => {
    ours = await askThreeOfUs()
  }, 240_000)

  test('all of it was recorded', () => {
    expect(Object.keys(recorded)).toEqual(severalScenarios.map(({ name }) => name))
  })

  test.each(severalScenarios)('$name', ({ name: scenario }) => {
    const [here, there] = [ours[scenario] ?? {}, recorded[scenario] ?? {}]
    const requests = new Set([...Object.keys(there), ...Object.keys(here)])
    const found = [...requests].flatMap(request =>
      differences(here[request], there[request]).map(each => ({ scenario, request, ...each })),
    )
    const shown = judge.unexplained(scenario, found).map(one => {
      return `${one.request} | ${one.path} | ours ${textOf(one.ours)} | Kafka's ${textOf(one.kafkas)}`
    })
    expect(shown).toEqual([])
  })

  test('every deviation that is listed is still there', () => {
    expect(judge.stale()).toEqual([])
  })
})
