import { cpSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import { electLeaders } from '../../src/broker/wire/messages/index.ts'
import { BrokerCluster } from '../helpers/broker-cluster.ts'
import { eventually } from '../helpers/eventually.ts'

const batch = encodeBatch({ records: [{ value: 'value' }], baseTimestamp: 0 })
const unclean = 1

/** By whoever leads; the names of what each broker answers. */
async function produce(cluster: BrokerCluster, topic: string): Promise<readonly string[]> {
  return Promise.all(
    cluster.brokers.map(async (_, id) => {
      const client = await cluster.connect(id)
      return errorName((await client.produce({ topic, partition: 0 }, batch)).errorCode)
    }),
  )
}

function written(cluster: BrokerCluster, topic: string): Promise<unknown> {
  const what = `a record in ${topic}`
  return eventually(
    what,
    () => produce(cluster, topic),
    answers => answers.includes('NONE'),
  )
}

async function makeWithRecord(cluster: BrokerCluster, name: string): Promise<void> {
  const client = await cluster.connect(0)
  const made = await client.createTopics([{ name, replicas: 3 }])
  expect(made.topics[0]?.errorCode).toBe(0)
  await written(cluster, name)
}

const startAll = (cluster: BrokerCluster) => Promise.all(cluster.brokers.map(each => each.start()))
const stopAll = (cluster: BrokerCluster) => Promise.all(cluster.brokers.map(each => each.stop()))

/** Stopped brokers, whose folder of metadata knows `early` and no longer `late`. */
async function goBack(cluster: BrokerCluster): Promise<void> {
  const { metadataDir } = cluster
  await makeWithRecord(cluster, 'early')
  await stopAll(cluster)
  cpSync(metadataDir, `${metadataDir}.older`, { recursive: true })
  await startAll(cluster)
  await makeWithRecord(cluster, 'late')
  await stopAll(cluster)
  rmSync(metadataDir, { recursive: true })
  renameSync(`${metadataDir}.older`, metadataDir)
}

// As docs/runbooks/LogClusterMetadataQuarantined.md has it.
test('three brokers go on from an older folder of metadata: their copies are moved away, and a person chooses who leads', async () => {
  await using cluster = await BrokerCluster.start(3)
  await goBack(cluster)
  await expect(cluster.broker(0).start()).rejects.toThrow()
  expect(cluster.broker(0).output).toMatch(/runbook LogClusterMetadataQuarantined/)
  for (const { dataDir } of cluster.brokers) {
    const safe = mkdtempSync(`${dataDir}-safe-`)
    renameSync(join(dataDir, 'metadata.copy'), join(safe, 'metadata.copy'))
  }
  await startAll(cluster)
  // Nobody knows of a copy that it is whole.
  expect(await produce(cluster, 'early')).not.toContain('NONE')
  const client = await cluster.connect(0)
  const topicPartitions = [{ topic: 'early', partitions: [0] }]
  const wish = { electionType: unclean, topicPartitions, timeoutMs: 10_000 }
  await eventually(
    'the election',
    () => client.request(electLeaders, 2, wish),
    ({ replicaElectionResults: [early] }) => early?.partitionResult[0]?.errorCode === 0,
  )
  await written(cluster, 'early')
  for (const { dataDir } of cluster.brokers) {
    expect(existsSync(join(dataDir, 'late-0'))).toBe(false)
    expect(readdirSync(dataDir).filter(name => /^late-0.*\.stray/.test(name))).toHaveLength(1)
  }
})
