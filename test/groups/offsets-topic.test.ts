import { expect, test } from 'vitest'
import { encodeGroupRecord } from '../../src/broker/coordinator/record-format.ts'
import { loadGroups } from '../../src/broker/coordinator/group-loading.ts'
import { partitionOf } from '../../src/broker/coordinator/offsets-topic.ts'
import type { GroupRecord } from '../../src/broker/coordinator/groups/records.ts'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { createCodecs } from '../../src/broker/log/compression/codecs.ts'
import { encodeRecords } from '../../src/broker/log/batch/records.ts'
import type { Partition } from '../../src/broker/partition/partition.ts'
import { listGroups, offsetFetch } from '../../src/broker/wire/messages/index.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { crc32c } from '../../src/lib/crc32c.ts'
import { eventually } from '../helpers/eventually.ts'
import { InProcessBroker } from '../helpers/in-process.ts'
import { WireGroup } from '../helpers/wire-groups.ts'
import { zeroUuid } from '../../src/lib/uuid.ts'

const settings = { groupInitialRebalanceDelayMs: 0, offsetsTopicNumPartitions: 3 }

test("partitions of groups are Kafka's", () => {
  // As `Utils.abs("...".hashCode()) % 50` gives them in Java.
  const known: [string, number][] = [
    ['', 0],
    ['a', 47],
    ['test-group', 12],
    ['polygenelubricants', 0],
    ['zażółć', 39],
    ['my-app-consumers', 8],
    ['😀', 49],
  ]
  expect(known.map(([group]) => [group, partitionOf(group, 50)])).toEqual(known)
})

test('the topic is made when the first group looks for its coordinator, and made anew where it was deleted', async () => {
  await using broker = await InProcessBroker.start(settings)
  const client = await broker.connect()
  await client.createTopics([{ name: 'topic' }])
  const group = new WireGroup(client, 'group')
  expect(await group.committed()).toBe('NOT_COORDINATOR')
  const { topics: before } = await client.metadata()
  expect(before.map(({ name }) => name)).toEqual(['topic'])
  expect(await group.find()).toBe('NONE')
  const { topics } = await client.metadata(['__consumer_offsets'])
  expect(topics[0]).toMatchObject({ isInternal: true })
  expect(topics[0]!.partitions).toHaveLength(3)
  expect(await group.commit([{ topic: 'topic', partition: 0, offset: 1 }])).toEqual(['NONE'])
  await client.deleteTopics(['__consumer_offsets'])
  expect(await group.committed()).toBe('NOT_COORDINATOR')
  expect(await group.find()).toBe('NONE')
  expect(await group.committed()).toEqual([])
  expect(broker.fatal).toEqual([])
})

test('offsets beyond 2^53 come back as they were committed, after a restart too', async () => {
  const offsets = [2n ** 53n + 1n, 2n ** 63n - 1n, 2 ** 53 - 1]
  const expected = offsets.map((offset, partition) => ({ topic: 'topic', partition, offset }))
  const first = await InProcessBroker.start(settings)
  const client = await first.connect()
  await client.createTopics([{ name: 'topic', partitions: 3 }])
  const group = new WireGroup(client, 'group')
  await group.find()
  expect(await group.commit(expected)).toEqual(['NONE', 'NONE', 'NONE'])
  expect(await group.committed()).toMatchObject(expected)
  await first[Symbol.asyncDispose]()
  await using second = await InProcessBroker.start(settings, first.disk)
  const again = new WireGroup(await second.connect(), 'group')
  expect(await again.find()).toBe('NONE')
  expect(await again.committed()).toMatchObject(expected)
})

test('partitions that cannot be committed are answered on their own', async () => {
  await using broker = await InProcessBroker.start({ ...settings, offsetMetadataMaxBytes: 5 })
  const client = await broker.connect()
  await client.createTopics([{ name: 'topic', partitions: 2 }])
  const group = new WireGroup(client, 'group')
  await group.find()
  const errors = await group.commit([
    { topic: 'topic', partition: 0, offset: 1, metadata: '12345' },
    { topic: 'topic', partition: 1, offset: 1, metadata: '123456' },
    { topic: 'topic', partition: 2, offset: 1 },
    { topic: 'none', partition: 0, offset: 1 },
  ])
  expect(errors).toEqual([
    'NONE',
    'OFFSET_METADATA_TOO_LARGE',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ])
  const topics = [
    { name: 'topic', partitionIndexes: [0, 1] },
    { name: 'never', partitionIndexes: [9] },
  ]
  for (const version of [1, 2, 3, 4, 5, 6, 7]) {
    const request = { groupId: 'group', topics, groups: [], requireStable: false }
    const answer = await client.request(offsetFetch, version, request)
    const told = answer.topics.flatMap(({ partitions }) => partitions)
    expect(told.map(one => [one.committedOffset, one.errorCode])).toEqual([
      [1, 0],
      [-1, 0],
      [-1, 0],
    ])
  }
})

test('a deleted topic takes the offsets committed for it', async () => {
  await using broker = await InProcessBroker.start(settings)
  const client = await broker.connect()
  await client.createTopics([{ name: 'gone' }, { name: 'stays' }])
  const group = new WireGroup(client, 'group')
  await group.find()
  await group.commit([
    { topic: 'gone', partition: 0, offset: 1 },
    { topic: 'stays', partition: 0, offset: 2 },
  ])
  await client.deleteTopics(['gone'])
  const left = async () => ((await group.committed()) as { topic: string }[]).map(one => one.topic)
  await eventually('the offsets that are left', left, topics => topics.join() === 'stays')
})

test('groups are listed by state and by type', async () => {
  await using broker = await InProcessBroker.start(settings)
  const client = await broker.connect()
  await client.createTopics([{ name: 'topic' }])
  const [busy, idle] = [new WireGroup(client, 'busy'), new WireGroup(client, 'idle')]
  await busy!.find()
  await busy!.enter()
  await idle!.commit([{ topic: 'topic', partition: 0, offset: 1 }])
  const list = async (statesFilter: string[], typesFilter: string[]): Promise<string[]> => {
    const { groups } = await client.request(listGroups, 5, { statesFilter, typesFilter })
    return groups.map(({ groupId }) => groupId).toSorted()
  }
  expect(await list([], [])).toEqual(['busy', 'idle'])
  expect(await list(['stable'], [])).toEqual(['busy'])
  expect(await list(['Empty', 'Dead'], ['classic'])).toEqual(['idle'])
  expect(await list([], ['consumer'])).toEqual([])
})

test.each([1, 2, 3, 4] as const)(
  'what somebody compressed with codec %i is loaded',
  async codec => {
    const records: GroupRecord[] = [1, 2, 3].map(offset => ({
      type: 'offset',
      groupId: 'group',
      topic: 'topic',
      partition: offset % 2,
      value: {
        offset,
        topicId: zeroUuid,
        leaderEpoch: 0,
        metadata: 'm'.repeat(500),
        commitTimeMs: 1,
        expireTimeMs: -1,
      },
    }))
    const codecs = createCodecs(realClock)
    const plain = encodeRecords(records.map(encodeGroupRecord))
    const payload = { codec, bytes: await codecs.compress(codec, plain), count: 3 }
    const loaded = await loadGroups(partitionHolding(encodeBatch({ records: payload }), 3), {
      codecs,
      crc32c,
      warn: message => expect.fail(message),
    })
    const [group] = [...loaded.all()]
    expect([0, 1].map(at => group!.offsets.get('topic')!.get(at)!.offset)).toEqual([2, 3])
  },
)

test('a damaged batch fails the load; a record that is none is passed over', async () => {
  const options = { codecs: createCodecs(realClock), crc32c, warn: () => void warned++ }
  let warned = 0
  const good = encodeGroupRecord({ type: 'group', groupId: 'g', value: null })
  const batch = encodeBatch({
    records: [{ key: Uint8Array.of(0, 1, 0), value: null }, good, { value: 'x' }],
  })
  await loadGroups(partitionHolding(batch, 3), options)
  expect(warned).toBe(1)
  batch[batch.length - 1]! ^= 1
  await expect(loadGroups(partitionHolding(batch, 3), options)).rejects.toThrow(/damaged/)
})

/** A partition of which all is in one segment. */
function partitionHolding(bytes: Uint8Array, highWatermark: number): Partition {
  const file = {
    path: 'segment',
    readAsync: (position: number, target: Uint8Array) => {
      const part = bytes.subarray(position, position + Math.min(target.length, 100))
      target.set(part)
      return Promise.resolve(part.length)
    },
  }
  const range = { file, position: 0, length: bytes.length, cold: true }
  const id = { topic: '__consumer_offsets', partition: 0 }
  const read = () => ({ error: 'NONE', range })
  return { id, highWatermark, log: { startOffset: 0 }, read } as unknown as Partition
}
