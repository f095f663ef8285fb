import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureTestRunner, librdkafkaVersion } from '../../tools/librdkafka.ts'
import { TimeLimit } from '../helpers/kept-results.ts'
import { Brokers } from './brokers.ts'
import { ofThree, plannedTests, quickTests } from './plan.ts'
import { isMissed, report, type Row } from './report.ts'
import { runAllOnThree } from './run-of-three.ts'
import { runTest } from './test-runner.ts'

/**
 *     npm run qualify -- librdkafka              all, and writes docs/librdkafka.md
 *     npm run qualify -- librdkafka --quick      those of the quick suite
 *     npm run qualify -- librdkafka 0011 0081    some
 *     npm run qualify -- librdkafka --brokers 3 [ID...]  what must pass, on three, one killed in the middle; what came of it
 *                                                        takes its place in docs/librdkafka-of-three.md
 *         --missing       only what has no place there yet
 *         --minutes 5     begins nothing more after these
 *         --kafka         on three nodes of Apache Kafka, to see what is to be expected; only prints
 *
 * What the runner and the broker said is in `.cache/librdkafka-logs/`, the results as JSON beside it. Exits 1
 * where a test of the bar failed.
 */
async function main(args: readonly string[]): Promise<number> {
  const why = ensureTestRunner()
  if (why !== null) {
    console.log(`No librdkafka test-runner: ${why}`)
    return 1
  }
  const { values, positionals: wanted } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      brokers: { type: 'string', default: '1' },
      quick: { type: 'boolean', default: false },
      missing: { type: 'boolean', default: false },
      minutes: { type: 'string' },
      kafka: { type: 'boolean', default: false },
    },
  })
  const isQuick = values.quick
  const plan = (isQuick ? quickTests() : plannedTests()).filter(
    ({ id, number }) => wanted.length === 0 || wanted.includes(number) || wanted.includes(id),
  )
  mkdirSync(logs, { recursive: true })
  if (values.brokers !== '1') {
    if (values.brokers !== '3') throw new Error('--brokers is 1 or 3')
    const needed = plan.filter(({ beyondBar }) => beyondBar === null || beyondBar === ofThree)
    return runAllOnThree({
      plan: needed,
      maker: values.kafka ? 'kafka' : 'ours',
      isMissingOnly: values.missing,
      limit: new TimeLimit(values.minutes ?? null),
    })
  }
  await using brokers = new Brokers()
  const rows: Row[] = []
  for (const test of plan) {
    const broker = await brokers.of(test.scenario)
    const outcome = await runTest(test, broker.address)
    const row = { test, ...outcome, ...brokers.verdict(outcome) }
    rows.push(row)
    const log = join(logs, `${test.id.replaceAll(' ', '-')}.log`)
    writeFileSync(log, `${outcome.output}\n--- broker ---\n${brokers.saidSince()}`)
    console.log(`${test.id} ${row.result} ${row.seconds.toFixed(1)} s ${row.remark}`)
  }
  const missed = rows.filter(isMissed)
  writeFileSync(join(logs, 'results.json'), JSON.stringify(rows, leavingOutOutput, 2))
  if (wanted.length === 0 && !isQuick) {
    const dataPath = process.env['LOGCLUSTER_NATIVE'] === 'off' ? 'fallback' : 'native'
    const text = report(rows, { version: librdkafkaVersion, dataPath })
    writeFileSync(join(root, 'docs/librdkafka.md'), text)
  }
  const passed = rows.filter(row => row.result === 'pass').length
  console.log(`Missed: ${missed.map(row => row.test.id).join(' ') || 'none'}`)
  console.log(`${passed} passed, ${missed.length} failed`)
  return missed.length > 0 ? 1 : 0
}

const root = join(import.meta.dirname, '../..')
const logs = join(root, '.cache/librdkafka-logs')

function leavingOutOutput(name: string, value: unknown): unknown {
  return name === 'output' ? undefined : value
}

process.exitCode = await main(process.argv.slice(2))
