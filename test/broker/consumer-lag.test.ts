import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import {
  findCoordinator,
  joinGroup,
  offsetCommit,
  syncGroup,
} from '../../src/broker/wire/messages/index.ts'
import { concat, utf8 } from '../../src/lib/bytes.ts'
import { eventually } from '../helpers/eventually.ts'
import { InProcessBroker } from '../helpers/in-process.ts'
import { int16, int32 } from '../helpers/numbers.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'

let broker: InProcessBroker
let client: BrokerClient
const at = { topic: 'orders', partition: 0 }

beforeAll(async () => {
  broker = await InProcessBroker.start({ groupInitialRebalanceDelayMs: 0 })
  client = await broker.connect({ clientId: 'billing-1' })
  await client.createTopics([{ name: at.topic }])
  await client.request(findCoordinator, 4, { keyType: 0, key: '', coordinatorKeys: ['billing'] })
  for (let n = 0; n < 10; n++) await client.produce(at, batchMadeBefore(60_000))
})

afterAll(async () => {
  await broker[Symbol.asyncDispose]()
})

/** One record, made so long ago. */
function batchMadeBefore(agoMs: number): Uint8Array {
  const baseTimestamp = Date.now() - agoMs
  const records = [{ key: null, value: utf8('v'.repeat(100)) }]
  return encodeBatch({ baseTimestamp, maxTimestamp: baseTimestamp, records })
}

async function sample(name: string, ...labels: string[]): Promise<number | undefined> {
  const lines = (await broker.metrics.text()).split('\n')
  const line = lines.find(
    one => one.startsWith(`${name}{`) && labels.every(label => one.includes(label)),
  )
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

/** What the kernel took is counted when it says so, which may be after the client has it. */
async function isSent(label: string): Promise<void> {
  const sent = () => sample('logcluster_page_cache_sent_bytes_total', label)
  await eventually(`bytes sent to ${label}`, sent, (bytes = 0) => bytes > 0)
}

async function commit(groupId: string, offset: number): Promise<void> {
  const partitions = [
    { partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: '' },
  ]
  const answer = await client.request(offsetCommit, 8, {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [{ name: at.topic, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions }],
  })
  expect(answer.topics[0]!.partitions[0]!.errorCode).toBe(0)
}

test('a committed position is told in records, bytes and seconds, and as kafka_exporter does', async () => {
  await commit('reports', 4)
  const of = ['group="reports"', 'topic="orders"', 'partition="0"', 'position="committed"']
  expect(await sample('logcluster_consumer_lag_records', ...of)).toBe(6)
  expect(await sample('logcluster_consumer_lag_bytes', ...of)).toBeGreaterThan(600)
  expect(await sample('logcluster_consumer_lag_seconds', ...of)).toBeGreaterThan(59)
  const foreign = ['consumergroup="reports"', 'topic="orders"']
  expect(await sample('kafka_consumergroup_lag', ...foreign, 'partition="0"')).toBe(6)
  expect(await sample('kafka_consumergroup_lag_sum', ...foreign)).toBe(6)
  await commit('reports', 10)
  expect(await sample('logcluster_consumer_lag_records', ...of)).toBe(0)
  expect(await sample('logcluster_consumer_lag_seconds', ...of)).toBe(0)
})

test('a consumer without a group has its own position, and what it is sent counts for nobody', async () => {
  await client.fetch(at, 7)
  const of = ['group=""', 'position="fetch"', 'client_id="billing-1"']
  expect(await sample('logcluster_consumer_lag_records', ...of)).toBe(3)
  await isSent('group=""')
})

test('a member that was assigned the partition reads for its group; two such groups are nobody', async () => {
  await joinAlone(client, 'billing')
  await client.fetch(at, 9)
  const of = ['group="billing"', 'position="fetch"']
  expect(await sample('logcluster_consumer_lag_records', ...of)).toBe(1)
  await isSent('group="billing"')
  await joinAlone(client, 'audit')
  await client.fetch(at, 8)
  expect(await sample('logcluster_consumer_lag_records', ...of)).toBeUndefined()
  expect(await sample('logcluster_consumer_lag_records', 'group=""', 'position="fetch"')).toBe(2)
})

test('what is read from the device counts for the group, and so does the wait for it', async () => {
  const member = await broker.connect({ clientId: 'archive-1' })
  await joinAlone(member, 'archive')
  const read = async () => {
    broker.disk.evict()
    await member.fetch(at, 0)
    return sample('logcluster_cold_read_bytes_total', 'group="archive"')
  }
  // Nothing leaves memory that is not flushed yet.
  await eventually('bytes that the device delivered', read, (bytes = 0) => bytes > 1000)
  expect(await sample('logcluster_cold_reads_total', 'group="archive"')).toBeGreaterThan(0)
  expect(await sample('logcluster_cold_read_wait_seconds_total', 'group="archive"')).toBeDefined()
  expect(await sample('logcluster_cold_reads_waiting', 'group="archive"')).toBe(0)
  expect(await sample('logcluster_cold_read_bytes_total', 'group="billing"')).toBeUndefined()
})

/** Joins as the only member and takes the partition. */
async function joinAlone(member: BrokerClient, groupId: string): Promise<void> {
  const subscription = concat([int16(1), int32(1), text(at.topic), int32(-1), int32(0)])
  const join = (memberId: string) =>
    member.request(joinGroup, 5, {
      groupId,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription }],
      reason: null,
    })
  const { memberId } = await join('')
  const { generationId, errorCode } = await join(memberId)
  expect(errorCode).toBe(0)
  const assignment = concat([int16(1), int32(1), text(at.topic), int32(1), int32(0), int32(-1)])
  const synced = await member.request(syncGroup, 3, {
    groupId,
    generationId,
    memberId,
    groupInstanceId: null,
    protocolType: null,
    protocolName: null,
    assignments: [{ memberId, assignment }],
  })
  expect(synced.errorCode).toBe(0)
}

function text(value: string): Uint8Array {
  return concat([int16(value.length), utf8(value)])
}
