/**
 * The README's second five minutes: three brokers, one of them killed, another stopped, and nobody who produces or consumes loses a
 * record by it. `npm run qualify -- five-minutes`; ports and data of its own, so that it disturbs nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { eventually } from '../helpers/eventually.ts'
import { run } from '../helpers/run.ts'
import { freePorts, LocalCluster } from './local-cluster.ts'
import { readAll, Traffic } from './traffic.ts'

// The client sets timers into the past, and Node warns of them.
process.removeAllListeners('warning')

const topic = 'orders'
/** Longer than a broker's session, so that the cluster goes on without it. */
const stoppedMs = 12_000
const root = join(import.meta.dirname, '../..')

const folder = mkdtempSync(join(tmpdir(), 'logcluster-five-minutes-'))
const cluster = await LocalCluster.start({ count: 3, dataDir: folder, port: await freePorts(3) })
try {
  await demonstrate(cluster)
} catch (error) {
  console.error(`The cluster said:\n${cluster.output.slice(-20_000)}`)
  throw error
} finally {
  await cluster[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
}

async function demonstrate(of: LocalCluster): Promise<void> {
  console.log(`three brokers: ${of.addresses.join(', ')}`)
  await createTopic(of)
  const traffic = new Traffic(of.addresses, topic)
  await traffic.start()
  await traffic.more(200)
  console.log(`\n$ ${statusLine(of)}\n${await status(of)}\n`)
  const leader = await leaderOf(of)
  await killed(of, traffic, leader)
  await stopped(of, traffic, (leader + 1) % 3)
  await prove(of, traffic)
  const code = await of.stop()
  console.log(`Ctrl-C stopped all three in order: exit code ${code}`)
  if (code !== 0) throw new Error(`the cluster ended with ${code}`)
}

async function createTopic(of: LocalCluster): Promise<void> {
  const kafka = new Kafka({ brokers: of.addresses, logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({
    topics: [{ topic, numPartitions: 4, replicationFactor: -1 }],
    waitForLeaders: true,
  })
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.disconnect()
  const { partitions } = topics[0]!
  const copies = new Set(partitions.map(({ replicas }) => replicas.length))
  console.log(`topic ${topic}: ${partitions.length} partitions with ${[...copies].join()} replicas`)
}

async function killed(of: LocalCluster, traffic: Traffic, leader: number): Promise<void> {
  const role = await roleOf(of, leader)
  traffic.takeLongestSendMs()
  process.kill(of.pidAtFirst(leader), 'SIGKILL')
  const killedAt = performance.now()
  console.log(`kill -9 of broker ${leader}${role}, which leads ${topic}-0`)
  await of.says(new RegExp(`^Broker ${leader} ended by SIGKILL`, 'm'))
  await traffic.more(200)
  await sound(of)
  const seconds = ((performance.now() - killedAt) / 1000).toFixed(1)
  console.log(`  longest wait of a record: ${told(traffic.takeLongestSendMs())}`)
  console.log(`  the broker is back and in sync after ${seconds} s`)
}

async function stopped(of: LocalCluster, traffic: Traffic, id: number): Promise<void> {
  const role = await roleOf(of, id)
  console.log(`SIGSTOP of broker ${id}${role}, for ${stoppedMs / 1000} s`)
  process.kill(of.pidAtFirst(id), 'SIGSTOP')
  try {
    await sleep(stoppedMs)
    await traffic.more(200)
  } finally {
    process.kill(of.pidAtFirst(id), 'SIGCONT')
  }
  await sound(of)
  console.log(`  longest wait of a record: ${told(traffic.takeLongestSendMs())}`)
}

/** Nothing acknowledged is lost, nothing is there twice, and the records of each key keep their order. */
async function prove(of: LocalCluster, traffic: Traffic): Promise<void> {
  const { acknowledged, lost } = await traffic.finish()
  const values = (await readAll(of.addresses, topic, acknowledged)).map(Number)
  const twice = values.length - new Set(values).size
  const lastOfKey = new Map<number, number>()
  let moved = 0
  for (const value of values) {
    if ((lastOfKey.get(value % 16) ?? -1) > value) moved++
    lastOfKey.set(value % 16, value)
  }
  console.log(
    `${acknowledged} records acknowledged, ${lost} lost, ${twice} twice, ${moved} out of order`,
  )
  if (lost + twice + moved > 0) throw new Error('records were lost, doubled or moved')
}

/** The line that the welcome tells, as somebody would type it. */
function statusLine({ output }: LocalCluster): string {
  return /^ {2}status +(.*)$/m.exec(output)![1]!
}

/** By that line; of all brokers, since the first one may be the one that is away. */
async function status(of: LocalCluster): Promise<string> {
  const line = statusLine(of).replace(of.addresses[0]!, of.addresses.join(','))
  const { stdout } = await run('sh', ['-c', line], { anyStatus: true, cwd: root })
  return stdout.trimEnd()
}

async function roleOf(of: LocalCluster, id: number): Promise<string> {
  return new RegExp(`^${id} .* controller `, 'm').test(await status(of)) ? ', the controller' : ''
}

/** All three are up, and every replica is in sync. */
async function sound(of: LocalCluster): Promise<void> {
  await eventually(
    'all replicas in sync',
    () => status(of),
    text => text.includes('all replicas in sync') && !/fenced|gone/.test(text),
  )
}

async function leaderOf(of: LocalCluster): Promise<number> {
  const admin = new Kafka({ brokers: of.addresses, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.disconnect()
  return topics[0]!.partitions.find(({ partitionId }) => partitionId === 0)!.leader
}

function told(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
