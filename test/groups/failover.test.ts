import { expect, test } from 'vitest'
import { fromUtf8 } from '../../src/lib/bytes.ts'
import { BrokerCluster, withCluster } from '../helpers/broker-cluster.ts'
import { askCoordinator } from '../helpers/cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { WireGroup } from '../helpers/wire-groups.ts'

const settings = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '6',
}

test('a group goes on at the next coordinator where the one that it had is killed with -9', async () => {
  await withCluster(await BrokerCluster.start(3, settings), async cluster => {
    const first = await cluster.connect(0)
    await first.createTopics([{ name: 'topic', partitions: 2 }])
    const before = await cluster.findCoordinator(first, 'group')
    const old = new WireGroup(await cluster.connect(before.id), 'group')
    const offsets = [
      { topic: 'topic', partition: 0, offset: 42, metadata: 'żółć ☃', leaderEpoch: 0 },
      { topic: 'topic', partition: 1, offset: 7, metadata: '', leaderEpoch: -1 },
    ]
    await old.loaded()
    const member = await old.enter('assignment')
    expect(await old.commit(offsets, member)).toEqual(['NONE', 'NONE'])
    await cluster.broker(before.id).kill()

    const survivor = await cluster.connect((before.id + 1) % 3)
    const after = await cluster.findCoordinator(survivor, 'group', [before.id])
    const group = new WireGroup(await cluster.connect(after.id), 'group')
    expect(await group.loaded()).toEqual(offsets)
    expect(await group.heartbeat(member)).toBe('NONE')
    expect(fromUtf8(await group.sync(member, 'ignored'))).toBe('assignment')
    const next = [{ ...offsets[0]!, offset: 43 }]
    const commit = (): Promise<string[]> => group.commit(next, member)
    await eventually('a commit', commit, ([answer]) => answer === 'NONE')

    await cluster.broker(before.id).start()
    const back = await cluster.connect(before.id)
    const now = await cluster.findCoordinator(back, 'group')
    expect(await new WireGroup(await cluster.connect(now.id), 'group').loaded()).toEqual([
      next[0],
      offsets[1],
    ])
  })
})

test('the offsets topic waits for all brokers of a cluster of three, and has a replica on each', async () => {
  await withCluster(await BrokerCluster.start(3, settings, 2), async cluster => {
    const client = await cluster.connect(0)
    expect(await askCoordinator(client, 'group')).toBe('COORDINATOR_NOT_AVAILABLE')
    expect((await client.metadata(['__consumer_offsets'])).topics[0]!.partitions).toEqual([])
    await cluster.broker(2).start()
    await cluster.findCoordinator(client, 'group')
    const { topics } = await client.metadata(['__consumer_offsets'])
    const replicas = topics[0]!.partitions.map(({ replicaNodes }) =>
      replicaNodes.toSorted((a, b) => a - b),
    )
    expect(replicas).toEqual(Array.from({ length: 6 }, () => [0, 1, 2]))
  })
})
