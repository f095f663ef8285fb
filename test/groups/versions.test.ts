import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  deleteGroups,
  describeGroups,
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  syncGroup,
} from '../../src/broker/wire/messages/index.ts'
import type { Api } from '../../src/broker/wire/field.ts'
import { partitionOf } from '../../src/broker/coordinator/offsets-topic.ts'
import { decodeGroupRecord } from '../../src/broker/coordinator/record-format.ts'
import { batchOverheadBytes, readBatchHeader } from '../../src/broker/log/batch/batch.ts'
import { readRecords } from '../../src/broker/log/batch/records.ts'
import { fromUtf8, utf8 } from '../../src/lib/bytes.ts'
import { subscription } from '../helpers/group-world.ts'
import { InProcessBroker } from '../helpers/in-process.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'

let broker: InProcessBroker
let client: BrokerClient
/** Of `topic`. */
let topicId: string

beforeAll(async () => {
  broker = await InProcessBroker.start({ groupInitialRebalanceDelayMs: 0 })
  client = await broker.connect({ clientId: 'client' })
  const created = [{ name: 'topic', partitions: 2 }, { name: 'other' }]
  topicId = (await client.createTopics(created)).topics[0]!.topicId!
})
afterAll(() => broker[Symbol.asyncDispose]())

function versionsOf({ versions: [min, max] }: Api): number[] {
  return Array.from({ length: max - min + 1 }, (_, at) => min + at)
}

/** The version that a client would send that otherwise sends `version` of JoinGroup. */
function capped({ versions: [min, max] }: Api, version: number): number {
  return Math.max(min, Math.min(max, version))
}

test.each(versionsOf(findCoordinator))('FindCoordinator v%i tells this broker', async version => {
  const request = { key: 'group', keyType: 0, coordinatorKeys: ['group', 'another'] }
  const answer = await client.request(findCoordinator, version, request)
  const here = {
    nodeId: 1,
    host: '127.0.0.1',
    port: broker.broker.listeners[0]!.port,
    errorCode: 0,
  }
  if (version < 4) expect(answer).toMatchObject(here)
  else {
    expect(answer.coordinators).toMatchObject([
      { key: 'group', ...here },
      { key: 'another', ...here },
    ])
  }
})

test('FindCoordinator refuses transactions for good, and kinds of keys that it does not know', async () => {
  const ask = async (keyType: number): Promise<number> => {
    const request = { key: '', keyType, coordinatorKeys: ['id'] }
    return (await client.request(findCoordinator, 6, request)).coordinators[0]!.errorCode
  }
  expect([await ask(1), await ask(2)]).toEqual([53, 42])
})

test.each(versionsOf(joinGroup))('a member lives and leaves with JoinGroup v%i', async version => {
  const groupId = `group-${version}`
  const join = (memberId: string) =>
    client.request(joinGroup, version, {
      groupId,
      sessionTimeoutMs: 30_000,
      memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription('topic') }],
    })
  let joined = await join('')
  if (version >= 4) {
    expect(joined).toMatchObject({ errorCode: 79, generationId: -1 })
    joined = await join(joined.memberId)
  }
  const { memberId } = joined
  expect(joined).toMatchObject({
    errorCode: 0,
    generationId: 1,
    protocolName: 'range',
    leader: memberId,
  })
  expect(memberId).toMatch(/^client-.{22}$/)
  const assignments = [{ memberId, assignment: utf8('part') }]
  const protocol = { protocolType: 'consumer', protocolName: 'range' }
  const sync = { groupId, generationId: 1, memberId, ...protocol, assignments }
  const synced = await client.request(syncGroup, capped(syncGroup, version), sync)
  expect(fromUtf8(synced.assignment)).toBe('part')
  const beat = { groupId, generationId: 1, memberId }
  expect(await client.request(heartbeat, capped(heartbeat, version), beat)).toMatchObject({
    errorCode: 0,
  })
  for (const one of versionsOf(describeGroups)) await described(groupId, one)
  const leave = { groupId, memberId, members: [{ memberId }] }
  const left = await client.request(leaveGroup, capped(leaveGroup, version), leave)
  expect(left.errorCode).toBe(0)
  if (version >= 3) expect(left.members).toMatchObject([{ memberId, errorCode: 0 }])
  const gone = await client.request(leaveGroup, capped(leaveGroup, version), leave)
  expect(version < 3 ? gone.errorCode : gone.members[0]!.errorCode).toBe(25)
})

async function described(groupId: string, version: number): Promise<void> {
  const request = { groups: [groupId, 'none'], includeAuthorizedOperations: true }
  const { groups } = await client.request(describeGroups, version, request)
  expect(groups[0]).toMatchObject({
    errorCode: 0,
    groupState: 'Stable',
    protocolType: 'consumer',
    protocolData: 'range',
    members: [{ clientId: 'client', clientHost: '/127.0.0.1', memberAssignment: utf8('part') }],
  })
  expect(groups[1]).toMatchObject({ groupState: 'Dead', errorCode: version < 6 ? 0 : 69 })
}

test.each(versionsOf(offsetCommit))('OffsetCommit v%i', async version => {
  const partition = { partitionIndex: 0, committedOffset: version, committedMetadata: null }
  const topics = [{ name: 'topic', topicId, partitions: [partition] }]
  const request = { groupId: 'commits', memberId: '', topics }
  const answer = await client.request(offsetCommit, version, request)
  expect(answer.topics[0]!.partitions).toEqual([{ partitionIndex: 0, errorCode: 0 }])
  for (const one of versionsOf(offsetFetch)) {
    const wish = [{ name: 'topic', topicId, partitionIndexes: [0, 1] }]
    const groups = [{ groupId: 'commits', topics: wish }]
    const asked = { groupId: 'commits', topics: wish, groups, requireStable: true }
    const told = await client.request(offsetFetch, one, asked)
    const partitions = (one < 8 ? told : told.groups[0]!).topics[0]!.partitions
    expect(partitions).toMatchObject([
      { committedOffset: version, metadata: '', errorCode: 0 },
      { committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 },
    ])
  }
})

test.each([2, 4, 9, 10])(
  'a commit by OffsetCommit v%i is kept with the id of its topic',
  async version => {
    const groupId = `kept-${version}`
    const partition = { partitionIndex: 0, committedOffset: 7, committedMetadata: null }
    const topics = [{ name: 'topic', topicId, partitions: [partition] }]
    await client.request(offsetCommit, version, { groupId, memberId: '', topics })
    const of = { topic: '__consumer_offsets', partition: partitionOf(groupId, 50) }
    const { records } = await client.fetch(of, 0)
    const kept = groupRecords(records).find(record => {
      return record?.type === 'offset' && record.groupId === groupId
    })
    expect(kept).toMatchObject({ topic: 'topic', partition: 0, value: { topicId, offset: 7 } })
  },
)

/** The records of batches of the offsets topic. */
function groupRecords(bytes: Uint8Array): ReturnType<typeof decodeGroupRecord>[] {
  if (bytes.length === 0) return []
  const { count, sizeBytes } = readBatchHeader(bytes, 0)
  const records = [...readRecords(bytes.subarray(batchOverheadBytes, sizeBytes), { count })]
  const first = records.map(({ key, value }) => decodeGroupRecord(key!, value))
  return [...first, ...groupRecords(bytes.subarray(sizeBytes))]
}

// Apache Kafka's DescribeGroups tells a group that is not there as Dead up to v5, its OffsetCommit as moved on up to v8.
test.each(versionsOf(offsetCommit))('OffsetCommit v%i of a group that is gone', async version => {
  const partition = { partitionIndex: 0, committedOffset: 1, committedMetadata: null }
  const answer = await client.request(offsetCommit, version, {
    groupId: 'gone',
    memberId: 'member',
    generationIdOrMemberEpoch: 1,
    topics: [{ name: 'topic', topicId, partitions: [partition] }],
  })
  const error = version < 9 ? 22 : 69
  expect(answer.topics[0]!.partitions).toEqual([{ partitionIndex: 0, errorCode: error }])
})

test.each(versionsOf(describeGroups).filter(version => version >= 3))(
  'DescribeGroups v%i of a group that is gone tells what one may do with it only without an error',
  async version => {
    const { groups } = await client.request(describeGroups, version, {
      groups: ['gone'],
      includeAuthorizedOperations: true,
    })
    const told = version < 6 ? { errorCode: 0, authorizedOperations: 3400 } : nothingTold
    expect(groups).toMatchObject([{ groupState: 'Dead', ...told }])
  },
)

const nothingTold = { errorCode: 69, authorizedOperations: -(2 ** 31) }

test.each(versionsOf(listGroups))('ListGroups v%i', async version => {
  const { groups, errorCode } = await client.request(listGroups, version, {
    statesFilter: [],
    typesFilter: [],
  })
  expect(errorCode).toBe(0)
  expect(groups.find(({ groupId }) => groupId === 'commits')).toEqual({
    groupId: 'commits',
    protocolType: '',
    groupState: version < 4 ? '' : 'Empty',
    groupType: version < 5 ? '' : 'classic',
  })
})

test('a group without a name has offsets of consumers without a group, and nothing else', async () => {
  const nameless = { groupId: '', memberId: 'm', generationId: 1 }
  expect(await client.request(heartbeat, 4, nameless)).toMatchObject({ errorCode: 24 })
  const protocol = { protocolType: 'consumer', protocolName: 'range' }
  const sync = { ...nameless, ...protocol, assignments: [] }
  expect(await client.request(syncGroup, 5, sync)).toMatchObject({ errorCode: 24 })
  const leave = { ...nameless, members: [{ memberId: 'm' }] }
  for (const version of [0, 5]) {
    expect(await client.request(leaveGroup, version, leave)).toMatchObject({ errorCode: 24 })
  }
  const forget = { groupId: '', topics: [] }
  expect(await client.request(offsetDelete, 0, forget)).toMatchObject({
    errorCode: 24,
  })
  const offset = { partitionIndex: 0, committedOffset: 1, committedMetadata: '' }
  const topics = [{ name: 'topic', partitions: [offset] }]
  const committed = await client.request(offsetCommit, 8, { groupId: '', memberId: '', topics })
  expect(committed.topics[0]!.partitions[0]!.errorCode).toBe(0)
  const { results } = await client.request(deleteGroups, 2, { groupsNames: [''] })
  expect(results).toEqual([{ groupId: '', errorCode: 0 }])
})

test('metadata that is too long is told on its own, unless the group is refused', async () => {
  const commit = async (memberId: string, generation: number): Promise<number[]> => {
    const texts = ['x'.repeat(4096), 'x'.repeat(4097)]
    const partitions = texts.map((committedMetadata, partitionIndex) => ({
      partitionIndex,
      committedOffset: 1,
      committedMetadata,
    }))
    const answer = await client.request(offsetCommit, 8, {
      groupId: 'texts',
      memberId,
      generationIdOrMemberEpoch: generation,
      topics: [{ name: 'topic', partitions }],
    })
    return answer.topics[0]!.partitions.map(({ errorCode }) => errorCode)
  }
  expect(await commit('', -1)).toEqual([0, 12])
  expect(await commit('m', 3)).toEqual([25, 25])
})

test('OffsetDelete and DeleteGroups in every version', async () => {
  const topics = [
    { name: 'topic', partitions: [{ partitionIndex: 0 }, { partitionIndex: 9 }] },
    { name: 'none', partitions: [{ partitionIndex: 0 }] },
  ]
  const answer = await client.request(offsetDelete, 0, { groupId: 'commits', topics })
  expect(answer.topics.flatMap(({ partitions }) => partitions.map(one => one.errorCode))).toEqual([
    0, 3, 3,
  ])
  const unknown = await client.request(offsetDelete, 0, { groupId: 'none', topics })
  expect(unknown).toMatchObject({ errorCode: 69, topics: [] })
  for (const version of versionsOf(deleteGroups)) {
    // A name that is there twice is answered once, as in Kafka.
    const groupsNames = [`group-${version}`, `group-${version}`, 'none']
    const { results } = await client.request(deleteGroups, version, { groupsNames })
    expect(results.map(({ errorCode }) => errorCode)).toEqual([0, 69])
  }
})
