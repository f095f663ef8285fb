import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { offsetCommit } from '../../src/broker/wire/messages/index.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { BrokerCluster } from '../helpers/broker-cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { metricsOf, type Sample, sumOf } from '../helpers/metrics.ts'

/** Of it all brokers have a copy, of the other one of them each partition. */
const [copied, single] = ['copied', 'single']
const partitions = [0, 1, 2]
const recordsOf = (partition: number): number => 10 * (partition + 1)

let cluster: BrokerCluster
/** Processes that stand still: they answer nobody. */
const still = new Set<number>()

beforeAll(async () => {
  cluster = await BrokerCluster.start(3)
  const client = await cluster.connect(0)
  await client.createTopics([
    { name: copied, partitions: partitions.length, replicas: 3 },
    { name: single, partitions: partitions.length, replicas: 1 },
  ])
  for (const topic of [copied, single]) {
    await Promise.all(partitions.map(partition => write(topic, partition)))
  }
}, 180_000)

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

/** So many records to a partition as `recordsOf` says, wherever it is led. */
async function write(topic: string, partition: number): Promise<void> {
  const value = new Uint8Array(1000)
  const records = Array.from({ length: recordsOf(partition) }, () => ({ key: null, value }))
  const baseTimestamp = Date.now() - 60_000
  const batch = encodeBatch({ baseTimestamp, maxTimestamp: baseTimestamp, records })
  const attempt = async (): Promise<number> => {
    const client = await cluster.connect(await leaderOf(topic, partition))
    return (await client.produce({ topic, partition }, batch)).errorCode
  }
  await eventually(`records of ${topic}-${partition}`, attempt, code => code === 0)
}

async function leaderOf(topic: string, partition: number): Promise<number> {
  const client = await cluster.connect(running()[0]!)
  const found = await client.metadata([topic])
  return found.topics[0]?.partitions.find(each => each.partitionIndex === partition)?.leaderId ?? -1
}

function running(): number[] {
  return cluster.brokers.flatMap(({ isRunning }, id) => (isRunning && !still.has(id) ? [id] : []))
}

/** What all that run tell, each sample with the broker that tells it. */
async function told(): Promise<(Sample & { readonly by: number })[]> {
  const scrapes = await Promise.all(
    running().map(async by => {
      return (await metricsOf(cluster.broker(by))).map(sample => ({ ...sample, by }))
    }),
  )
  return scrapes.flat()
}

/** Commits it for each partition of the topic of which nobody has a copy; gives who coordinates the group. */
async function commit(groupId: string, committedOffset: number): Promise<number> {
  const asking = await cluster.connect(running()[0]!)
  const rest = { committedLeaderEpoch: -1, committedMetadata: '' }
  const wanted = partitions.map(partitionIndex => ({ partitionIndex, committedOffset, ...rest }))
  const topics = [{ name: single, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions: wanted }]
  const member = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null }
  const attempt = async (): Promise<number | null> => {
    const { id, port } = await cluster.findCoordinator(asking, groupId)
    using client = await BrokerClient.connect(port)
    const request = { groupId, ...member, retentionTimeMs: -1, topics }
    const answer = await client.request(offsetCommit, 8, request)
    const isDone = answer.topics[0]!.partitions.every(({ errorCode }) => errorCode === 0)
    return isDone ? id : null
  }
  // One that is new loads first.
  return (await eventually('offsets are committed', attempt, id => id !== null))!
}

test('a cluster at rest tells each of its facts once, and nothing that is wrong', async () => {
  const isAtRest = (samples: readonly Sample[]): boolean =>
    sumOf(samples, 'logcluster_active_controller') === 1 &&
    sumOf(samples, 'logcluster_cluster_broker_fenced') === 0 &&
    sumOf(samples, 'logcluster_under_replicated_partitions') === 0 &&
    sumOf(samples, 'logcluster_led_partitions') === sumOf(samples, 'logcluster_cluster_partitions')
  const samples = await eventually('a cluster at rest', told, isAtRest)
  const sum = (name: string, labels?: Record<string, string>) => sumOf(samples, name, labels)
  expect(sum('kafka_brokers')).toBe(3)
  for (const topic of [copied, single]) expect(sum('kafka_topic_partitions', { topic })).toBe(3)
  expect(sum('logcluster_cluster_leaderless_partitions')).toBe(0)
  for (const partition of partitions) {
    const labels = { topic: copied, partition: String(partition) }
    expect(sum('kafka_topic_partition_current_offset', labels)).toBe(recordsOf(partition))
    expect(sum('kafka_topic_partition_in_sync_replica', labels)).toBe(3)
  }
  // Each broker asks the store and lives, and says so.
  for (const by of running()) {
    const own = samples.filter(sample => sample.by === by)
    expect(sumOf(own, 'logcluster_heartbeats_total', { outcome: 'ok' })).toBeGreaterThan(0)
    const store = 'logcluster_metadata_store_operations_total'
    expect(sumOf(own, store, { outcome: 'ok' })).toBeGreaterThan(0)
    expect(sumOf(own, store, { outcome: 'refused' })).toBe(0)
  }
})

test('the lag of a group is told once for each partition, by its coordinator, wherever partitions are led', async () => {
  const coordinator = await commit('billing', 4)
  const lags = async () =>
    (await told()).filter(
      ({ labels }) => labels['group'] === 'billing' || labels['consumergroup'] === 'billing',
    )
  const isWhole = (samples: readonly Sample[]): boolean =>
    samples.filter(({ name }) => name === 'logcluster_consumer_lag_records').length === 3
  const samples = await eventually('the lag of every partition', lags, isWhole)
  expect(new Set(samples.map(({ by }) => by))).toEqual(new Set([coordinator]))
  const rows = (name: string) =>
    samples
      .filter(sample => sample.name === name)
      .toSorted((a, b) => Number(a.labels['partition']) - Number(b.labels['partition']))
      .map(({ value }) => value)
  expect(rows('logcluster_consumer_lag_records')).toEqual([6, 16, 26])
  expect(rows('kafka_consumergroup_lag')).toEqual([6, 16, 26])
  expect(rows('kafka_consumergroup_lag_sum')).toEqual([48])
  for (const [at, bytes] of rows('logcluster_consumer_lag_bytes').entries()) {
    expect(bytes).toBeGreaterThan([6, 16, 26][at]! * 900)
  }
  for (const seconds of rows('logcluster_consumer_lag_seconds')) {
    expect(seconds).toBeGreaterThan(59)
  }
  // What follows is about partitions that survive.
  const client = await cluster.connect(0)
  await client.deleteTopics([single])
})

test('one that is killed is missing in the in-sync sets of those that are left, and its leaders are elected', async () => {
  const victim = 2
  await cluster.broker(victim).kill()
  const isTold = (samples: readonly Sample[]): boolean =>
    sumOf(samples, 'logcluster_active_controller') === 1 &&
    sumOf(samples, 'logcluster_cluster_broker_fenced', { broker: String(victim) }) === 1 &&
    sumOf(samples, 'logcluster_under_replicated_partitions') ===
      sumOf(samples, 'logcluster_cluster_partitions')
  const samples = await eventually('the loss of a broker', told, isTold)
  expect(sumOf(samples, 'logcluster_cluster_leaderless_partitions')).toBe(0)
  expect(sumOf(samples, 'logcluster_under_min_isr_partitions')).toBe(0)
  const elected = (kind: string) => sumOf(samples, 'logcluster_leader_elections_total', { kind })
  expect(elected('clean')).toBeGreaterThan(0)
  expect([elected('recovered'), elected('unclean')]).toEqual([0, 0])
  expect(sumOf(samples, 'logcluster_possible_data_loss_total')).toBeNaN()
})

test('with one killed and one that stands still nothing can be written, and that is told; who comes back mends it', async () => {
  const { pid } = cluster.broker(1)
  process.kill(pid, 'SIGSTOP')
  still.add(1)
  const total = 'logcluster_cluster_partitions'
  const isUnwritable = (samples: readonly Sample[]): boolean =>
    sumOf(samples, 'logcluster_active_controller') === 1 &&
    sumOf(samples, 'logcluster_cluster_broker_fenced') === 2 &&
    sumOf(samples, 'logcluster_under_min_isr_partitions') === sumOf(samples, total)
  await eventually('nothing can be written', told, isUnwritable)
  process.kill(pid, 'SIGCONT')
  still.delete(1)
  await cluster.broker(2).start()
  const isMended = (found: readonly Sample[]): boolean =>
    sumOf(found, 'logcluster_active_controller') === 1 &&
    sumOf(found, 'logcluster_under_replicated_partitions') === 0 &&
    sumOf(found, 'logcluster_cluster_broker_fenced') === 0 &&
    sumOf(found, 'logcluster_led_partitions') === sumOf(found, total)
  const mended = await eventually('everything is replicated again', told, isMended)
  expect(sumOf(mended, 'logcluster_isr_expands_total')).toBeGreaterThan(0)
  expect(sumOf(mended, 'logcluster_leader_elections_total', { kind: 'unclean' })).toBe(0)
})
