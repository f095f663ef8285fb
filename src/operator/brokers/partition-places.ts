import { allMetadata } from '../../broker/wire/client/all-topics.ts'
import { refuseErrors } from '../../broker/wire/client/client-error.ts'
import type { WireClient } from '../../broker/wire/client/client.ts'
import { errorName } from '../../broker/wire/errors.ts'
import {
  alterPartitionReassignments,
  listPartitionReassignments,
  unregisterBroker,
} from '../../broker/wire/messages/index.ts'
import type { ClusterPlaces, Outcome, ReplicaMove } from './brokers.ts'
import { outcomeOf } from './wire-answers.ts'

/** What is on its way is asked before who holds what: what ends in between still counts as on its way. */
export async function readPlaces(client: WireClient): Promise<ClusterPlaces> {
  const moving = await client.request(listPartitionReassignments, { topics: null })
  refuseErrors(moving.errorCode, 'ListPartitionReassignments')
  const onTheirWay = new Set(
    moving.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex }) => `${name}-${partitionIndex}`),
    ),
  )
  const { brokers, topics } = await allMetadata(client)
  return {
    racks: new Map(brokers.map(({ nodeId, rack }) => [nodeId, rack ?? null])),
    partitions: topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex: index, replicaNodes: replicas }) => {
        const topic = name ?? ''
        return { topic, index, replicas, isMoving: onTheirWay.has(`${topic}-${index}`) }
      }),
    ),
  }
}

/** One outcome a move, in their order. */
export async function askToMove(
  client: WireClient,
  moves: readonly ReplicaMove[],
  timeoutMs: number,
): Promise<readonly Outcome[]> {
  const topics = Map.groupBy(moves, ({ topic }) => topic)
  const answer = await client.request(alterPartitionReassignments, {
    timeoutMs,
    topics: Array.from(topics, ([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ index, replicas }) => {
        return { partitionIndex: index, replicas: [...replicas] }
      }),
    })),
  })
  refuseErrors(answer.errorCode, 'AlterPartitionReassignments')
  const outcomes = new Map(
    answer.responses.flatMap(({ name, partitions }) =>
      partitions.map(each => [`${name}-${each.partitionIndex}`, outcomeOf(each)] as const),
    ),
  )
  return moves.map(({ topic, index }) => outcomes.get(`${topic}-${index}`) ?? null)
}

export async function askToForget(client: WireClient, brokerId: number): Promise<Outcome> {
  const answer = await client.request(unregisterBroker, { brokerId })
  const isForgotten = errorName(answer.errorCode) === 'BROKER_ID_NOT_REGISTERED'
  return isForgotten ? null : outcomeOf(answer)
}
