import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureClients } from '../../tools/clients.ts'
import { startKafka } from '../../tools/kafka.ts'
import { BrokerCluster } from '../helpers/broker-cluster.ts'
import { startBroker } from '../helpers/broker.ts'
import { KafkaCluster } from '../helpers/kafka-cluster.ts'
import type { Job, Site } from './job.ts'
import { jobs } from './jobs.ts'
import { keptOutcomes, type Outcome, pageOfKept } from './page.ts'

/**
 *     npm run qualify -- tools                      every job, each on brokers of its own
 *     npm run qualify -- tools kafka-topics         some
 *     npm run qualify -- tools --kafka              the same on Apache Kafka, to see what is to be expected; only prints
 *
 * What came of a job takes its place in docs/tools.md. Exits 1 where one failed.
 */
async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { kafka: { type: 'boolean', default: false } },
  })
  const unknown = positionals.filter(name => !jobs.some(job => job.name === name))
  if (unknown.length > 0) throw new Error(`no job: ${unknown.join(' ')}`)
  ensureClients('surroundings')
  const chosen = jobs.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const outcomes: Outcome[] = []
  for (const job of chosen) {
    const startMs = Date.now()
    const failure = await (values.kafka ? onKafka(job) : onOurs(job))
    outcomes.push({ job, failure })
    if (!values.kafka) keptOutcomes.put({ name: job.name, failure })
    const seconds = ((Date.now() - startMs) / 1000).toFixed(1)
    console.log(`${job.name} ${failure === null ? 'pass' : 'FAIL'} ${seconds} s ${failure ?? ''}`)
  }
  if (!values.kafka) writeFileSync(join(root, 'docs/tools.md'), pageOfKept())
  const failed = outcomes.filter(({ failure }) => failure !== null)
  console.log(
    failed.length === 0 ? 'All passed' : `Failed: ${failed.map(({ job }) => job.name).join(', ')}`,
  )
  return failed.length === 0 ? 0 : 1
}

const root = join(import.meta.dirname, '../..')

async function onOurs(job: Job): Promise<string | null> {
  const { brokerCount = 1 } = job
  if (brokerCount > 1) {
    await using cluster = await BrokerCluster.start(brokerCount)
    const { address, dataDir } = cluster.broker(0)
    return await ranOn(job, { address, dataDir, cluster })
  }
  await using broker = await startBroker()
  const { address, dataDir } = broker
  return await ranOn(job, { address, dataDir, cluster: null })
}

async function onKafka(job: Job): Promise<string | null> {
  const { brokerCount = 1 } = job
  if (brokerCount > 1) {
    await using cluster = await KafkaCluster.start(brokerCount)
    const { address, dataDir } = cluster.broker(0)
    return await ranOn(job, { address, dataDir, cluster })
  }
  const broker = await startKafka()
  try {
    const { address, dataDir } = broker
    return await ranOn(job, { address, dataDir, cluster: null })
  } finally {
    await broker.stop()
  }
}

/** Why it failed, or null. */
async function ranOn(job: Job, site: Omit<Site, 'folder'>): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-tools-'))
  try {
    await job.run({ ...site, folder })
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

process.exitCode = await main(process.argv.slice(2))
