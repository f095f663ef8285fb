import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { librdkafkaVersion, whyNoTestRunner } from '../../tools/librdkafka.ts'
import { Brokers } from './brokers.ts'
import { quickTests } from './plan.ts'
import { judge, runTest } from './test-runner.ts'

const why = whyNoTestRunner()
const title = `librdkafka ${librdkafkaVersion}'s own tests`

function suite(): void {
  const brokers = new Brokers()
  afterAll(() => brokers[Symbol.asyncDispose]())
  afterEach(({ task }) => {
    if (task.result?.state === 'fail')
      console.error(`The broker said:\n${brokers.saidSince().slice(-8000)}`)
  })

  test.each(quickTests().map(each => [each.id, each] as const))('%s', async (_, planned) => {
    const broker = await brokers.of(planned.scenario)
    const outcome = await runTest(planned, broker.address)
    const { result, remark } = brokers.verdict(outcome)
    // What ran nothing has told nothing, and has no place in the quick list.
    expect(result, `${remark}\n${outcome.output.slice(-8000)}`).toBe('pass')
  })
}

if (why === null) describe(title, { timeout: 240_000 }, suite)
else if (process.env['CI'] !== 'true') describe.skip(`${title}: ${why}`, suite)
else {
  test(title, () => {
    throw new Error(why)
  })
}

describe('what the runner said is judged', () => {
  const began = '[0001_multiobj / 0.0s] ===== Running test 0001_multiobj ====='
  const took = '[0001_multiobj / 1.2s] 0001_multiobj: duration 1200.5ms'
  const passed = '[0001_multiobj / 1.2s] \u001B[32m===== Test 0001_multiobj PASSED ====='
  const all = '===== ALL TESTS PASSED ====='

  test.each([
    ['passed', [began, took, passed, all], 'pass'],
    ['passed, then crashed in its clean-up', [began, took, passed, all, 'Aborted'], 'pass'],
    [
      'passed without a word to the broker',
      [began, took.replace('1200.5', '0.03'), passed, all],
      'nothing ran',
    ],
    ['had nothing to run', [all], 'nothing ran'],
    [
      'left out what it began, on a slow machine',
      [began, took, passed.replace('PASSED', 'SKIPPED'), all],
      'nothing ran',
    ],
    ['crashed in the middle', [began, took], 'fail'],
    ['left a thread behind', [began, took, passed], 'fail'],
    ['failed', [began, took, '===== Test 0001_multiobj FAILED ====='], 'fail'],
    ['said nothing at all', [], 'fail'],
  ])('%s', (_, lines, result) => {
    expect(judge(lines.join('\n')).result).toBe(result)
  })
})
