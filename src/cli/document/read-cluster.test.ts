import { expect, test } from 'vitest'
import type { WireClient } from '../../broker/wire/client/client.ts'
import { errorCode, type ErrorName } from '../../broker/wire/errors.ts'
import { readContent } from './read-cluster.ts'

const noError = 0

/** A cluster of two brokers as its answers tell it: each leads one of two partitions of committed offsets, and has one group. */
class Told {
  /** By partition of committed offsets: who leads it. */
  leaders = [0, 1]
  /** What who asks for a group's offsets is told by whom, if no offsets. */
  refusals = new Map<number, ErrorName>()
  leaderEpoch = () => 1
  readonly orders = [
    { partitionIndex: 0, replicaNodes: [0, 1], addingReplicas: [1] },
    { partitionIndex: 1, replicaNodes: [0], addingReplicas: [] },
    { partitionIndex: 2, replicaNodes: [0, 1], addingReplicas: [] },
  ]

  readonly #brokers = [0, 1].map(id => ({ nodeId: id, brokerId: id, host: 'h', port: id }))

  any(): Promise<WireClient> {
    return this.at({ port: 0 })
  }

  at({ port: id }: { readonly port: number }): Promise<WireClient> {
    const request = (api: { name: string }, wish: unknown) =>
      Promise.resolve(this.#answer(id, api.name, wish))
    return Promise.resolve({ request } as unknown as WireClient)
  }

  #answer(id: number, name: string, wish: unknown): unknown {
    switch (name) {
      case 'DescribeCluster': {
        const away = { brokerId: 2, host: 'h', port: 2, isFenced: true }
        return { errorCode: noError, clusterId: 'c', brokers: [...this.#brokers, away] }
      }
      case 'Metadata':
        return { brokers: this.#brokers, topics: this.#topics() }
      case 'ListPartitionReassignments':
        return { topics: [{ name: 'orders', partitions: this.orders }] }
      case 'ListGroups':
        return { errorCode: noError, groups: [{ groupId: `group-${id}` }] }
      case 'OffsetFetch':
        return { groups: this.#offsets(id, (wish as { groups: { groupId: string }[] }).groups) }
      default:
        return { results: [] }
    }
  }

  #topics(): object[] {
    const leaderEpoch = this.leaderEpoch()
    const partitions = this.leaders.map((leaderId, partitionIndex) => {
      return { partitionIndex, leaderId, leaderEpoch, replicaNodes: [0, 1] }
    })
    return [
      { errorCode: noError, name: '__consumer_offsets', isInternal: true, partitions },
      { errorCode: noError, name: 'orders', partitions: this.orders },
    ]
  }

  #offsets(id: number, groups: readonly { groupId: string }[]): object[] {
    const partition = { partitionIndex: 0, committedOffset: 7, metadata: '', errorCode: noError }
    return groups.map(({ groupId }) => {
      const isListed = groupId.startsWith('group-')
      const refusal = isListed ? 'NONE' : (this.refusals.get(id) ?? 'NONE')
      const topics = isListed ? [{ name: 'orders', partitions: [partition] }] : []
      return { groupId, errorCode: errorCode(refusal), topics }
    })
  }
}

test('all groups are told while a broker is away that leads nothing of them', async () => {
  const { groups, cluster } = await readContent(new Told())
  expect(groups.map(({ group }) => group)).toEqual(['group-0', 'group-1'])
  expect(cluster.brokers.map(({ id }) => id)).toEqual([0, 1, 2])
})

test.each([-1, 2])('none are where broker %i would know some of them', async leader => {
  const told = new Told()
  told.leaders = [0, leader]
  await expect(readContent(told)).rejects.toThrow(
    'nobody leads __consumer_offsets-1, and its groups would be left out',
  )
})

test('none are where a leader does not know its groups yet, which ListGroups does not say', async () => {
  const told = new Told()
  told.refusals.set(1, 'COORDINATOR_LOAD_IN_PROGRESS')
  await expect(readContent(told)).rejects.toThrow(
    'the leader of __consumer_offsets-1 does not know its groups yet: COORDINATOR_LOAD_IN_PROGRESS',
  )
})

test('none are where a partition of theirs was led anew meanwhile', async () => {
  const told = new Told()
  let epoch = 0
  told.leaderEpoch = () => epoch++
  await expect(readContent(told)).rejects.toThrow('groups moved with __consumer_offsets-0')
})

test('the replication factor is that of most partitions, without replicas that are on their way', async () => {
  const { topics } = await readContent(new Told())
  expect(topics.map(({ replicationFactor }) => replicationFactor)).toEqual([1])
})
