import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCredentials } from '../../src/broker/many/credentials.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import { createTopics } from '../../src/broker/wire/messages/index.ts'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { realRandom } from '../../src/env/real/random.ts'
import { BrokerCluster } from '../helpers/broker-cluster.ts'
import { type BrokerOptions, startBroker, type TestBroker } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'

const place = { topic: 'orders', partition: 0 }
let cluster: BrokerCluster
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'logcluster-strangers-'))
  cluster = await BrokerCluster.start(3)
  const client = await cluster.connect(0)
  await eventually('a topic', async () => {
    // Broker 2 is whoever comes and goes here: it leads where no other can.
    const assignments = [{ partitionIndex: place.partition, brokerIds: [0, 1, 2] }]
    const topic = { name: place.topic, numPartitions: -1, replicationFactor: -1, assignments }
    const { topics } = await client.request(createTopics, 7, {
      topics: [{ ...topic, configs: [] }],
      validateOnly: false,
    })
    return ['NONE', 'TOPIC_ALREADY_EXISTS'].includes(errorName(topics[0]!.errorCode))
  })
})

afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** Who is in sync, as broker 0 knows it. */
async function insync(): Promise<readonly number[]> {
  const { topics } = await (await cluster.connect(0)).metadata([place.topic])
  return topics[0]!.partitions[0]?.isrNodes.toSorted((a, b) => a - b) ?? []
}

function isInsync(ids: readonly number[]): Promise<unknown> {
  return eventually(`${ids.join()} in sync`, insync, seen => String(seen) === String(ids))
}

/** The others go on: a batch is acknowledged by all that are in sync. */
async function expectService(): Promise<void> {
  const produced = async (): Promise<string> => {
    const { topics } = await (await cluster.connect(0)).metadata([place.topic])
    const leader = topics[0]!.partitions[0]?.leaderId ?? -1
    if (leader !== 0 && leader !== 1) return `broker ${leader} leads`
    const client = await cluster.connect(leader)
    const { errorCode } = await client.produce(place, encodeBatch({ records: [{ value: 'v' }] }))
    return errorName(errorCode)
  }
  await eventually('an acknowledged batch', produced, answer => answer === 'NONE')
}

/** Runs a process that is broker `id` but for what `over` says, until it has said `sentence`. */
async function says(id: number, over: BrokerOptions, sentence: RegExp): Promise<void> {
  const stranger: TestBroker = await cluster.double(id, over)
  const started = stranger.start().catch(() => {})
  try {
    await eventually(
      `${sentence}`,
      () => stranger.output,
      output => sentence.test(output),
    )
    expect(stranger.output).not.toContain('"Broker ready"')
    await expectService()
  } finally {
    await stranger[Symbol.asyncDispose]()
    await started
  }
}

describe('a cluster is not harmed by a process', () => {
  test('whose id is taken', async () => {
    const sentence =
      /Another process holds .*: broker 1 of this cluster is running\. Stop it first, or give this one a node\.id/
    await says(1, {}, sentence)
    expect(cluster.broker(1).isRunning).toBe(true)
  })

  test('that has the disk of a broker that runs', async () => {
    const { dataDir } = cluster.broker(1)
    await cluster.broker(2).stop()
    await says(2, { dataDir }, /Another process has the data directory .* open\. Stop it, or give/)
  })

  test('that has the disk of another cluster', async () => {
    const dataDir = join(folder, 'other')
    mkdirSync(dataDir)
    const other = await startBroker({ dataDir })
    await other.stop()
    const sentence =
      /belongs to broker 1 of cluster \S+; this is broker 2 of cluster \S+\. Point log\.dirs to/
    await says(2, { dataDir }, sentence)
  })

  test('whose secret is another one', async () => {
    const dir = join(folder, 'credentials')
    makeCredentials(dir, realRandom)
    const settings = { 'private.credentials.dir': dir }
    const { dataDir } = cluster.broker(2)
    const sentence =
      /different passwords for `broker` \(private\.credentials\.dir\), .*Give both the same one/
    await says(2, { dataDir, settings }, sentence)
  })

  test('of a version that cannot read what the others write', async () => {
    const { dataDir } = cluster.broker(2)
    const nodeArgs = ['--import', otherLevel(-1)]
    const sentence =
      /feature level is \d+, and broker 2 reads up to \d+\. Run a later version of it\./
    await says(2, { dataDir, nodeArgs }, sentence)
  })

  test('of a later version, which takes part', async () => {
    const { dataDir } = cluster.broker(2)
    await takesPart({ dataDir, nodeArgs: ['--import', otherLevel(1)] }, () => Promise.resolve())
  })

  test('whose clock jumps an hour to and fro while it takes part', async () => {
    const { dataDir } = cluster.broker(2)
    await takesPart({ dataDir, nodeArgs: ['--import', jumpingClock] }, async ({ pid }) => {
      for (const signal of ['SIGUSR2', 'SIGWINCH'] as const) {
        process.kill(pid, signal)
        await expectService()
        await isInsync([0, 1, 2])
      }
    })
  })
})

/** Runs a process as broker 2 until all three are in sync and `act` is over. */
async function takesPart(
  over: BrokerOptions,
  act: (broker: TestBroker) => Promise<void>,
): Promise<void> {
  const broker = await cluster.double(2, over)
  try {
    await broker.start()
    await isInsync([0, 1, 2])
    await act(broker)
    await expectService()
  } finally {
    await broker.stop()
    await broker[Symbol.asyncDispose]()
  }
}

/** A module to preload: the records' feature level is so much higher. */
function otherLevel(by: number): string {
  return asModule(`
    import { readFileSync } from 'node:fs'
    import { registerHooks } from 'node:module'
    import { fileURLToPath } from 'node:url'
    registerHooks({
      load(url, context, nextLoad) {
        if (!url.endsWith('src/broker/metadata/records.ts')) return nextLoad(url, context)
        const [before, after] = readFileSync(fileURLToPath(url), 'utf8').split('export const featureLevel = ')
        const level = Number.parseInt(after)
        const source = before + 'export const featureLevel = ' + (level + ${by}) + after.slice(String(level).length)
        return { format: 'module-typescript', source, shortCircuit: true }
      },
    })`)
}

/** The wall clock is an hour ahead after SIGUSR2, and an hour behind after SIGWINCH. */
const jumpingClock = asModule(`
  const now = Date.now
  let byMs = 0
  process.on('SIGUSR2', () => { byMs = 3_600_000 })
  process.on('SIGWINCH', () => { byMs = -3_600_000 })
  Date.now = () => now() + byMs`)

function asModule(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`
}
