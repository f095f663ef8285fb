import { beforeAll, expect, test } from 'vitest'
import { errorName, type ErrorName } from '../../src/broker/wire/errors.ts'
import { withBroker } from '../helpers/broker.ts'
import { describeNeeding } from './needs.ts'
import { Recorder, type Step } from './recorder.ts'
import { runRandomly } from './random-session.ts'
import { makeSupplies, runScript, type Supplies } from './scripted-session.ts'

/** What a broker on the native path, and one on the fallback, answered to the same session. */
async function bothAnswers(run: (recorder: Recorder) => Promise<void>): Promise<[Step[], Step[]]> {
  const answersOf = async (native: 'on' | 'off'): Promise<Step[]> => {
    let steps: Step[] = []
    const settings = { 'data.path': native === 'on' ? 'native' : 'node' }
    await withBroker({ native, settings }, async broker => {
      using recorder = new Recorder(broker.port)
      await run(recorder)
      steps = recorder.steps
    })
    return steps
  }
  return [await answersOf('on'), await answersOf('off')]
}

/** Every step, and where there are many differences the first few are enough to read. */
function expectSame([native, node]: readonly [Step[], Step[]], stepsMin: number): void {
  expect(native.length).toBeGreaterThanOrEqual(stepsMin)
  expect(native.map(({ what }) => what)).toEqual(node.map(({ what }) => what))
  const differing = native.flatMap(({ what, answer }, at) =>
    answer === node[at]!.answer ? [] : [{ what, native: answer, node: node[at]!.answer }],
  )
  expect(differing.slice(0, 5)).toEqual([])
}

/** What the script must have met, or it no longer asks what it says. */
const refusals: ErrorName[] = [
  'OFFSET_OUT_OF_RANGE',
  'CORRUPT_MESSAGE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'MESSAGE_TOO_LARGE',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REQUIRED_ACKS',
  'TOPIC_ALREADY_EXISTS',
  'INVALID_PARTITIONS',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_CONFIG',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'FETCH_SESSION_ID_NOT_FOUND',
  'UNKNOWN_LEADER_EPOCH',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'INVALID_RECORD',
]

describeNeeding(['addon'], 'native path and fallback', () => {
  let supplies: Supplies
  beforeAll(async () => {
    supplies = await makeSupplies()
  })

  test('answer a session over every API and error with the same bytes', async () => {
    const codes = new Set<number>()
    const both = await bothAnswers(async recorder => {
      await runScript(recorder, supplies)
      for (const code of recorder.errorCodes) codes.add(code)
    })
    expectSame(both, 400)
    const names = Array.from(codes, code => errorName(code))
    expect(names).toEqual(expect.arrayContaining(refusals))
    expect(both[0].filter(({ answer }) => answer === 'closed').length).toBeGreaterThanOrEqual(10)
  })

  test.each([1, 2])('answer a random session with the same bytes (seed %i)', async seed => {
    expectSame(await bothAnswers(recorder => runRandomly(recorder, supplies, seed)), 400)
  })
})
