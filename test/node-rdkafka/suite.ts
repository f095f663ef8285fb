import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { kitFolder } from '../../tools/clients.ts'
import { startBroker, type TestBroker } from '../helpers/broker.ts'
import { run } from '../helpers/run.ts'

/**
 * node-rdkafka's own e2e suite, as its npm package brings it, without producer-transaction.spec: the broker has no
 * transactions yet.
 */
export interface Spec {
  /** `e2e/NAME.spec.js`. */
  readonly name: string
  /** How many tests it has: a run that saw fewer has failed. */
  readonly count: number
  /** What of it is run where there is no time for all, and how many tests those are; null for all. */
  readonly quick: { readonly titles: string; readonly count: number } | null
}

export const specs: readonly Spec[] = [
  { name: 'admin', count: 5, quick: null },
  {
    name: 'both',
    count: 20,
    quick: {
      titles: 'consumeOnce|already at end|mixed values|null key|async commit|Cooperative',
      count: 6,
    },
  },
  { name: 'consumer', count: 22, quick: null },
  { name: 'groups', count: 1, quick: null },
  { name: 'producer', count: 10, quick: null },
]

export interface Result {
  readonly spec: string
  readonly title: string
  readonly isPassed: boolean
  readonly seconds: number
  /** What mocha says of a failure, one line. */
  readonly remark: string
}

export interface SpecRun {
  readonly results: readonly Result[]
  /** All that mocha said. */
  readonly output: string
}

/** The setting of the suite's own docker-compose.yml, and the topics that its run_docker.sh creates. */
export async function startSuiteBroker(): Promise<TestBroker> {
  const broker = await startBroker({ settings: { 'group.initial.rebalance.delay.ms': '0' } })
  const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const names = ['test', 'test2', 'test3', 'test4', 'test5', 'test6']
  await admin.createTopics({ topics: names.map(topic => ({ topic, numPartitions: 1 })) })
  await admin.disconnect()
  return broker
}

export interface RunSpecOptions {
  readonly isQuick: boolean
  /**
   * node-rdkafka 3.6.1 can hang or crash when a consumer that reads in a loop disconnects, whatever the broker.
   *
   * It hangs where the loop's thread had handed over a record or the end of a partition that was not delivered yet:
   * NodeDisconnect (src/kafka-consumer.cc:1390-1400) ends the thread and closes its uv_async_t, what is in MessageWorker's
   * m_asyncdata (src/workers.h:142-168) is neither delivered nor deleted, and librdkafka's rd_kafka_destroy waits for it
   * for ever. The thread asks for 1,000 ms at a time (lib/kafka-consumer.js) and both.spec's consumers have
   * fetch.wait.max.ms=1000, so that the end of the partition comes just when a test that has seen its record disconnects.
   *
   * It crashes where a listener of `data` disconnects, as groups.spec's does, and more records were handed over with that
   * one: NodeDisconnect deletes the callback that WorkMessage (src/workers.h:102-104) calls for the next.
   *
   * One test bets on who of two threads is first: races.ts.
   */
  readonly isQuiet: boolean
}

export async function runSpec(
  spec: Spec,
  address: string,
  options: RunSpecOptions,
): Promise<SpecRun> {
  const folder = mkdtempSync(join(tmpdir(), 'node-rdkafka-'))
  try {
    const report = join(folder, 'report.json')
    const { stdout, stderr } = await run(process.execPath, mochaArgs(spec, report, options), {
      cwd: join(kitFolder('node-rdkafka'), 'node_modules/node-rdkafka'),
      env: { KAFKA_HOST: address },
      anyStatus: true,
      // A client that hangs does not end either when mocha tells it to: what is in the report then counts.
      timeoutMs: 180_000,
    }).catch((error: unknown) => ({ stdout: '', stderr: String(error) }))
    const output = `${stdout}${stderr}`
    return { results: resultsIn(spec, report, output, options.isQuick), output }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function mochaArgs(spec: Spec, report: string, options: RunSpecOptions): string[] {
  const { quick } = spec
  return [
    join(kitFolder('node-rdkafka'), 'node_modules/mocha/bin/mocha.js'),
    ...'--exit --timeout 30000 --reporter json --reporter-option'.split(' '),
    `output=${report}`,
    ...(options.isQuiet ? ['quiet-disconnect.ts', 'races.ts'].flatMap(required) : []),
    ...(options.isQuick && quick !== null ? ['--grep', quick.titles] : []),
    `e2e/${spec.name}.spec.js`,
  ]
}

function required(file: string): string[] {
  return ['--require', join(import.meta.dirname, file)]
}

/** As mocha's JSON reporter writes it. A hook that failed is among the failures, and among no tests. */
interface MochaReport {
  readonly passes: readonly MochaTest[]
  readonly failures: readonly MochaTest[]
}

interface MochaTest {
  readonly fullTitle: string
  readonly duration?: number
  readonly err: { readonly message?: string }
}

function resultsIn(spec: Spec, path: string, output: string, isQuick: boolean): Result[] {
  const of = (test: MochaTest, isPassed: boolean): Result => ({
    spec: spec.name,
    title: test.fullTitle,
    isPassed,
    seconds: (test.duration ?? 0) / 1000,
    remark: oneLine(test.err.message ?? ''),
  })
  let report: MochaReport
  try {
    report = JSON.parse(readFileSync(path, 'utf8')) as MochaReport
  } catch {
    const err = { message: `mocha left no report: ${output.slice(-300)}` }
    report = { passes: [], failures: [{ fullTitle: '(all)', err }] }
  }
  const results = [
    ...report.passes.map(test => of(test, true)),
    ...report.failures.map(test => of(test, false)),
  ]
  const count = isQuick && spec.quick !== null ? spec.quick.count : spec.count
  const seen = results.filter(({ title }) => !title.includes('" hook ')).length
  if (seen === count) return results
  const err = { message: `${seen} of ${count} tests ran` }
  return [...results, of({ fullTitle: '(the others)', err }, false)]
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 300)
}
