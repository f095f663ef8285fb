import { metadataOf } from '../../broker/wire/client/all-topics.ts'
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

/** What is on its way is asked before who holds what: what ends in between still counts as on its way. `names` null: all topics. */
export async function readPlaces(
  client: WireClient,
  names: readonly string[] | null,
): Promise<ClusterPlaces> {
  const moving = await client.request(listPartitionReassignments, { topics: null })
  refuseErrors(moving.errorCode, 'ListPartitionReassignments')
  const onTheirWay = new Map(
    moving.topics.flatMap(({ name, partitions }) =>
      partitions.map(
        ({ partitionIndex, removingReplicas }) =>
          [`${name}-${partitionIndex}`, removingReplicas] as const,
      ),
    ),
  )
  const { brokers, topics } = await metadataOf(client, names)
  return {
    racks: new Map(brokers.map(({ nodeId, rack }) => [nodeId, rack ?? null])),
    movingCount: onTheirWay.size,
    partitions: topics.flatMap(({ name, isInternal, partitions }) =>
      partitions.map(({ partitionIndex: index, replicaNodes: replicas }) => {
        const topic = name ?? ''
        const removing = onTheirWay.get(`${topic}-${index}`)
        const place = { topic, index, replicas, isMoving: removing !== undefined }
        return { ...place, ...(removing && { removing }), ...(isInternal && { isInternal }) }
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
        return { partitionIndex: index, replicas: replicas === null ? null : [...replicas] }
      }),
    })),
  })
  refuseErrors(answer.errorCode, 'AlterPartitionReassignments')
  const outcomes = new Map(
    answer.responses.flatMap(({ name, partitions }) =>
      partitions.map(each => [`${name}-${each.partitionIndex}`, outcomeOf(each)] as const),
    ),
  )
  return moves.map(({ topic, index, replicas }) => {
    const outcome = outcomes.get(`${topic}-${index}`) ?? null
    // It arrived meanwhile, or another was faster.
    const isOver = replicas === null && outcome?.error === 'NO_REASSIGNMENT_IN_PROGRESS'
    return isOver ? null : outcome
  })
}

export async function askToForget(client: WireClient, brokerId: number): Promise<Outcome> {
  const answer = await client.request(unregisterBroker, { brokerId })
  const isForgotten = errorName(answer.errorCode) === 'BROKER_ID_NOT_REGISTERED'
  return isForgotten ? null : outcomeOf(answer)
}
