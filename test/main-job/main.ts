/**
 * The main job on real input: lines of this machine go keyed through kcat into a topic of 8 partitions, come back
 * through a group of two members of which one is killed half-way, then through two more client libraries, hot and
 * after the page cache was evicted.
 * `npm run qualify -- main-job [MEBIBYTES]`, 300 by default.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker, type TestBroker } from '../helpers/broker.ts'
import { kcat } from '../helpers/clients.ts'
import { evict } from '../helpers/page-cache.ts'
import { metricsOf, sumOf } from '../helpers/metrics.ts'
import { differingKeys, type ReadResult } from './digest.ts'
import { writeInput, type Input } from './lines.ts'
import { python } from './python.ts'
import { readWithGroup } from './read-with-group.ts'
import { readWithPlatformatic } from './read-with-platformatic.ts'

const topic = 'lines'
const partitionCount = 8
const mebibytes = Number(process.argv[2] ?? 300)

const folder = mkdtempSync(join(tmpdir(), 'logcluster-main-job-'))
mkdirSync(join(folder, 'data'))
const settings = {
  'num.partitions': String(partitionCount),
  'group.initial.rebalance.delay.ms': '1000',
}
const broker = await startBroker({ dataDir: join(folder, 'data'), settings })
try {
  await run(broker)
} finally {
  await broker[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
}

async function run(broker: TestBroker): Promise<void> {
  const input = await writeInput(join(folder, 'lines.txt'), mebibytes * 1024 * 1024)
  describeInput(input)
  await produce(broker, input)
  const before = await metricsOf(broker)
  console.log('two members of a group read them with kafkajs')
  const { lineCount: recordCount } = input
  const hot = await readWithGroup({ broker, topic, partitionCount, recordCount, folder })
  const afterHot = await metricsOf(broker)
  prove(input, hot)
  await proveIndependently(broker, hot)
  const beforeCold = await metricsOf(broker)
  await evict(broker.dataDir)
  const cold = await readWithPlatformatic(broker.address, topic, partitionCount)
  const afterCold = await metricsOf(broker)
  if (cold.digest !== hot.digest) throw new Error('the cold read gave something else')
  console.log(
    `page cache evicted: @platformatic/kafka read all again in ${cold.seconds.toFixed(1)} s, same digest`,
  )
  console.log('\nwhat the broker says of both reads')
  describeRead('page cache warm', before, afterHot)
  describeRead('page cache evicted', beforeCold, afterCold)
}

function describeInput({ lineCount, bytes, keyCount, sources }: Input): void {
  const from = Object.entries(sources).map(([name, count]) => `${name} ${count}`)
  console.log(`input: ${lineCount} lines, ${mb(bytes)} MB, ${keyCount} keys, repeated from`)
  console.log(`  ${from.join(', ')} lines`)
}

async function produce(broker: TestBroker, input: Input): Promise<void> {
  const startedAt = performance.now()
  const args = ['-P', '-b', broker.address, '-t', topic, '-K', '\t', '-l', input.path]
  const reliable = ['-X', 'enable.idempotence=true', '-X', 'linger.ms=20']
  await kcat([...args, ...reliable], { timeoutMs: 600_000 })
  const seconds = (performance.now() - startedAt) / 1000
  console.log(`kcat produced them in ${seconds.toFixed(1)} s`)
}

/** Nothing is missing, and the lines of each key are the input's, in the input's order. */
function prove(input: Input, read: ReadResult): void {
  console.log(`  ${read.recordCount} records in ${read.seconds.toFixed(1)} s`)
  if (read.recordCount !== input.lineCount || read.gapCount > 0) {
    throw new Error(`expected ${input.lineCount} records and no gap, found ${read.gapCount} gaps`)
  }
  const differing = differingKeys(input.order, read.order)
  if (differing.length > 0)
    throw new Error(`keys in another order: ${differing.slice(0, 5).join(', ')}`)
  console.log(`no offset is missing; the order of all ${input.keyCount} keys is the input's`)
}

async function proveIndependently(broker: TestBroker, read: ReadResult): Promise<void> {
  const startedAt = performance.now()
  const other = await python(broker.address, topic, partitionCount)
  if (other.digest !== read.digest) throw new Error('librdkafka reads something else')
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`librdkafka read the same in ${seconds} s: digest ${read.digest.slice(0, 16)}...`)
}

type MetricsText = Awaited<ReturnType<typeof metricsOf>>

function describeRead(title: string, before: MetricsText, after: MetricsText): void {
  const delta = (name: string, labels = {}): number =>
    sumOf(after, name, labels) - (sumOf(before, name, labels) || 0)
  const sent = delta('logcluster_page_cache_sent_bytes_total', { topic })
  const hit = delta('logcluster_page_cache_hit_bytes_total', { topic })
  const sendfile = delta('logcluster_sent_bytes_total', { path: 'sendfile' })
  const ratio = (hit / sent).toFixed(3)
  console.log(`  ${title}: sent ${mb(sent)} MB (${mb(sendfile)} by sendfile), hit ratio ${ratio}`)
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
