import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { BrokerCluster } from '../helpers/broker-cluster.ts'
import { describeWith } from '../helpers/clients.ts'
import { lineDeviations, LineJudge } from './transcript-deviations.ts'
import { type Transcript, transcriptSettings } from './transcript.ts'
import { differencesOf, readTranscript, typed } from './transcripts.ts'

/** What Kafka's tools say of three brokers of ours beside what they said of three nodes of Kafka: `node test/tools/record.ts`. */
describeWith('java', "Kafka's command line on three brokers, one of which dies", () => {
  const judge = new LineJudge()
  const kafkas = readTranscript()
  let ours: Transcript = {}

  beforeAll(async () => {
    ours = await typed(() => BrokerCluster.start(3, transcriptSettings))
  }, 240_000)

  test('the same commands were recorded', () => {
    expect(Object.keys(ours)).toEqual(Object.keys(kafkas))
  })

  test('says what it says of Apache Kafka', () => {
    const shown = differencesOf(ours, kafkas).flatMap(each => {
      return (['ours', 'kafkas'] as const).flatMap(side =>
        each[side]
          .filter(line => !judge.explains(side, each.command, line))
          .map(line => `$ ${each.command} | ${side} | ${line}`),
      )
    })
    expect(shown).toEqual([])
  })

  test('every deviation that is listed is still there', () => {
    expect(judge.stale()).toEqual([])
  })

  test('every deviation is by a row of docs/compatibility.md', () => {
    const document = readFileSync(join(import.meta.dirname, '../../docs/compatibility.md'), 'utf8')
    const rows = new Set(document.split('\n').map(line => line.split(' | ')[0]!.replace('| ', '')))
    expect(lineDeviations.map(({ row }) => row).filter(row => !rows.has(row))).toEqual([])
  })
})
