import { expect, test } from 'vitest'
import { describeGroups } from '../../src/broker/wire/messages/index.ts'
import { partitionOf } from '../../src/broker/coordinator/offsets-topic.ts'
import { fromUtf8 } from '../../src/lib/bytes.ts'
import { appendGroupRecord } from '../faults/damage.ts'
import { type BrokerOptions, withBroker } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'
import { batchesOnDisk } from '../helpers/segments.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { WireGroup } from '../helpers/wire-groups.ts'
import { zeroUuid } from '../../src/lib/uuid.ts'

const settings = { 'group.initial.rebalance.delay.ms': '0' }
const natives = ['on', 'off'] as const

test.each(natives)('what was acknowledged survives kill -9 (native: %s)', async native => {
  await withBroker({ settings, native }, async broker => {
    const offsets = [
      { topic: 'topic', partition: 0, offset: 42, metadata: 'żółć ☃', leaderEpoch: 0 },
      { topic: 'topic', partition: 1, offset: 0, metadata: '', leaderEpoch: -1 },
    ]
    let client = await BrokerClient.connect(broker.port)
    await client.createTopics([{ name: 'topic', partitions: 2 }])
    let group = new WireGroup(client, 'survivors')
    expect(await group.find()).toBe('NONE')
    const member = await group.enter('assignment')
    expect(await group.commit(offsets, member)).toEqual(['NONE', 'NONE'])
    client.close()
    await broker.kill()
    await broker.start()
    client = await BrokerClient.connect(broker.port)
    group = new WireGroup(client, 'survivors')
    expect(await group.loaded()).toEqual(offsets)
    expect(await group.heartbeat(member)).toBe('NONE')
    expect(fromUtf8(await group.sync(member, 'ignored'))).toBe('assignment')
    client.close()
  })
})

test('a killed broker comes back with the last commit of each of very many groups', async () => {
  const groupCount = 300
  const options: BrokerOptions = { settings: { ...settings, 'offsets.topic.num.partitions': '5' } }
  await withBroker(options, async broker => {
    const client = await BrokerClient.connect(broker.port)
    await client.createTopics([{ name: 'topic', partitions: 10 }])
    const groups = Array.from({ length: groupCount }, (_, at) => new WireGroup(client, `g${at}`))
    await groups[0]!.find()
    for (let round = 1; round <= 5; round++) {
      await Promise.all(
        groups.map(async (group, at) => {
          const offset = round * 1000 + at
          await group.commit([{ topic: 'topic', partition: at % 10, offset, metadata: `${round}` }])
        }),
      )
    }
    client.close()
    await broker.kill()
    await broker.start()
    using again = await BrokerClient.connect(broker.port)
    const told = await Promise.all(groups.map(({ id }) => new WireGroup(again, id).loaded()))
    expect(told.map(([one]) => [one?.offset, one?.metadata])).toEqual(
      groups.map((_, at) => [5000 + at, '5']),
    )
  })
})

test('a topic that is made again has no offsets of the former, wherever the broker was killed', async () => {
  await withBroker({ settings }, async broker => {
    const offsets = ['gone', 'kept'].map(topic => ({ topic, partition: 0, offset: 7 }))
    const client = await BrokerClient.connect(broker.port)
    await client.createTopics(offsets.map(({ topic }) => ({ name: topic })))
    const group = new WireGroup(client, 'readers')
    await group.find()
    await group.commit(offsets)
    await client.deleteTopics(['gone'])
    client.close()
    await broker.kill()
    // As if it had been killed before the deletion of the topic reached the offsets.
    const value = {
      topicId: zeroUuid,
      offset: 7,
      leaderEpoch: -1,
      metadata: '',
      commitTimeMs: 1,
      expireTimeMs: -1,
    }
    const former = { groupId: 'readers', topic: 'gone', partition: 0, value }
    appendGroupRecord(broker.dataDir, { type: 'offset', ...former })
    for (let start = 0; start < 2; start++) {
      await broker.start()
      using again = await BrokerClient.connect(broker.port)
      await again.createTopics([{ name: 'gone' }])
      const found = await new WireGroup(again, 'readers').loaded()
      expect(found.map(({ topic, offset }) => [topic, offset])).toEqual([['kept', 7]])
      await broker.kill()
    }
  })
})

test('commits that come together are one batch of the log', async () => {
  await withBroker({ settings }, async broker => {
    using client = await BrokerClient.connect(broker.port)
    await client.createTopics([{ name: 'topic', partitions: 100 }])
    const group = new WireGroup(client, 'together')
    await group.find()
    const commits = Array.from({ length: 60 }, (_, partition) =>
      group.commit([{ topic: 'topic', partition, offset: partition }]),
    )
    expect((await Promise.all(commits)).flat()).toEqual(commits.map(() => 'NONE'))
    const batches = batchesOnDisk(broker.dataDir, '__consumer_offsets', partitionOf('together', 50))
    expect(batches.reduce((sum, { count }) => sum + count, 0)).toBe(60)
    expect(batches.length).toBeLessThan(20)
  })
})

test('a stopping broker does not wait for members that wait for others', async () => {
  await withBroker({ settings: { 'group.initial.rebalance.delay.ms': '60000' } }, async broker => {
    using client = await BrokerClient.connect(broker.port)
    const group = new WireGroup(client, 'waiting')
    await group.find()
    const { memberId } = await group.join('')
    const parked = group.join(memberId)
    using other = await BrokerClient.connect(broker.port)
    const members = async (): Promise<number | undefined> => {
      const asked = { groups: ['waiting'], includeAuthorizedOperations: false }
      return (await other.request(describeGroups, 5, asked)).groups[0]?.members.length
    }
    await eventually('members that wait', members, count => count === 1)
    await Promise.all([expect(parked).resolves.toMatchObject({ errorCode: 16 }), broker.stop()])
  })
})
