/**
 * How long groups take to be there again: `npm run bench -- commits [commits, 10000000] [groups, 10]`. So many offsets of
 * 1,000 keys, which the groups share, are put into `__consumer_offsets` as a coordinator writes them; the cleaner is
 * left to its work; then the broker is killed (-9) and started again, three times. Told are the time from the start of
 * the process until it serves, until every group answers with what was committed last, and the processor time of both.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defaultSettings } from '../src/broker/config/settings.ts'
import { topicConfig } from '../src/broker/config/topic-config.ts'
import { partitionOf } from '../src/broker/coordinator/offsets-topic.ts'
import { encodeGroupRecord } from '../src/broker/coordinator/record-format.ts'
import { encodeBatch } from '../src/broker/log/batch/batch.ts'
import { LogDirectory } from '../src/broker/log/directory/log-directory.ts'
import type { Log } from '../src/broker/log/log.ts'
import { loadNative } from '../src/broker/native/load.ts'
import { findCoordinator, offsetFetch } from '../src/broker/wire/messages/index.ts'
import { zeroUuid } from '../src/lib/uuid.ts'
import type { Env } from '../src/env/env.ts'
import { realClock } from '../src/env/real/clock.ts'
import { realRandom } from '../src/env/real/random.ts'
import { BrokerClient } from '../test/helpers/broker-client.ts'
import { type StartedBroker, started, freePort } from '../tools/kafka.ts'
import { processorSeconds } from './process-cost.ts'

const topic = 'orders'
const offsetsTopic = '__consumer_offsets'
const keys = 1000
const restarts = 3
const settings = defaultSettings()

const commits = Number(process.argv[2] ?? 10_000_000)
const groups = Number(process.argv[3] ?? 10)
const partitionsOfGroup = keys / groups

const dataDir = mkdtempSync(join(tmpdir(), 'logcluster-commits-'))
const port = await freePort()
const httpPort = await freePort()
let broker: StartedBroker | null = null
try {
  await makeTopics()
  await fill()
  broker = await start()
  await quiet()
  for (let round = 1; round <= restarts; round++) await measure(round)
} finally {
  await broker?.end('SIGKILL')
  rmSync(dataDir, { recursive: true, force: true })
}

async function start(): Promise<StartedBroker> {
  const set = {
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': dataDir,
    'http.address': `127.0.0.1:${httpPort}`,
    'log.cleaner.backoff.ms': '1000',
  }
  const built = process.env['LOGCLUSTER_TEST_MAIN']
  const main = built ?? join(import.meta.dirname, '../src/broker/main.ts')
  const args = Object.entries(set).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  const place = { dataDir, port, ready: 'Broker ready', readyMsMax: 120_000 }
  return await started('LogCluster', () => spawn(process.execPath, [main, ...args]), place)
}

async function makeTopics(): Promise<void> {
  const first = await start()
  const client = await BrokerClient.connect(port)
  await client.createTopics([{ name: topic, partitions: partitionsOfGroup }])
  await committed()
  client.close()
  await first.end('SIGTERM')
}

/** As the coordinator writes it when a group commits all of its partitions at once. */
async function fill(): Promise<void> {
  const load = loadNative()
  if (!load.ok) throw new Error(`this needs the addon: ${load.reason}`)
  const network = null as unknown as Env['network']
  const env: Env = { ...load.native, clock: realClock, random: realRandom, network }
  const identity = readFileSync(join(dataDir, 'meta.properties'), 'utf8')
  const of = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(identity)![1]!
  const own = { clusterId: of('cluster.id'), brokerId: Number(of('node.id')), bootId: 'fill' }
  const directory = await LogDirectory.open({ path: dataDir, env, settings, ...own })
  const configs = new Map([
    ['cleanup.policy', 'compact'],
    ['segment.bytes', String(settings.offsetsTopicSegmentBytes)],
  ])
  const config = topicConfig(settings, configs)
  const logs = new Map<number, Log>()
  const rounds = commits / keys
  for (let group = 0; group < groups; group++) {
    const partition = partitionOf(groupOf(group), settings.offsetsTopicNumPartitions)
    const id = { topic: offsetsTopic, topicId: idOf(partition), partition }
    const log = logs.get(partition) ?? (await directory.openLog(id, config))
    logs.set(partition, log)
    const commit = commitOf(group, commits)
    for (let round = 0; round < rounds; round++) await append(log, commit.slice())
  }
  await directory.close()
  console.log(`${commits} commits of ${keys} keys by ${groups} groups: ${sizes()}`)
}

function append(log: Log, bytes: Uint8Array): Promise<void> {
  const how = { leaderEpoch: log.latestEpoch, origin: 'coordinator' } as const
  return new Promise((resolve, reject) => {
    log.append(bytes, how, result => {
      if (result.ok) resolve()
      else reject(new Error(result.message))
    })
  })
}

function idOf(partition: number): string {
  const folder = readdirSync(dataDir).find(name => name.startsWith(`${offsetsTopic}-${partition}.`))
  return folder!.slice(folder!.lastIndexOf('.') + 1)
}

function commitOf(group: number, offset: number): Uint8Array {
  const value = {
    offset,
    leaderEpoch: -1,
    metadata: '',
    commitTimeMs: Date.now(),
    expireTimeMs: -1,
    topicId: zeroUuid,
  }
  const records = Array.from({ length: partitionsOfGroup }, (_, partition) => {
    return encodeGroupRecord({ type: 'offset', groupId: groupOf(group), topic, partition, value })
  })
  return encodeBatch({ records, baseTimestamp: value.commitTimeMs })
}

function groupOf(group: number): string {
  return `group-${group}`
}

async function measure(round: number): Promise<void> {
  await broker!.end('SIGKILL')
  broker = await broker!.again()
  const served = broker.readyAfterMs
  const found = await committed()
  const all = Number(process.hrtime.bigint() - broker.spawnedAtNs) / 1e6
  const seconds = processorSeconds(broker.pid)
  if (found !== commits) throw new Error(`the last offset is ${found}, not ${commits}`)
  console.log(
    `restart ${round}: serves after ${served.toFixed(0)} ms, all groups after ${all.toFixed(0)} ms; ${seconds.toFixed(2)} s of processor time`,
  )
}

/** Waits until every group answers; the least offset of all, -1 where none is committed. */
async function committed(): Promise<number> {
  const client = await BrokerClient.connect(port)
  const asked = Array.from({ length: groups }, (_, group) => {
    return { groupId: groupOf(group), memberId: null, memberEpoch: -1, topics: null }
  })
  const wish = { groupId: '', topics: null, groups: asked, requireStable: false }
  for (;;) {
    await client.request(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['any'], key: '' })
    const answer = await client.request(offsetFetch, 8, wish)
    if (answer.groups.some(({ errorCode }) => errorCode !== 0)) {
      await sleep(2)
      continue
    }
    client.close()
    const partitions = answer.groups.flatMap(each => each.topics.flatMap(of => of.partitions))
    return Math.min(...partitions.map(each => Number(each.committedOffset)))
  }
}

/** Waits until the cleaner has done what there is to do, or found for some time that there is nothing. */
async function quiet(): Promise<void> {
  const end = performance.now() + 20_000
  for (;;) {
    const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()
    const [runs, ratio] = ['runs_total', 'max_dirty_ratio'].map(name => {
      return Number(new RegExp(`^logcluster_cleaner_${name} (.*)$`, 'm').exec(text)?.[1])
    })
    if (ratio! <= 0.5 && (runs! > 0 || performance.now() > end)) break
    await sleep(1000)
  }
  console.log(`when the cleaner is done: ${sizes()}`)
}

function sizes(): string {
  const files = readdirSync(dataDir)
    .filter(name => name.startsWith(`${offsetsTopic}-`))
    .flatMap(name => readdirSync(join(dataDir, name)).map(file => join(dataDir, name, file)))
    .filter(path => path.endsWith('.log'))
  const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0)
  return `${(bytes / 2 ** 20).toFixed(1)} MiB in ${files.length} segments`
}
