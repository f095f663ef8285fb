import type { Partitions } from '../partition/partitions.ts'
import type { Partition } from '../partition/partition.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  describeProducers,
  type DescribeProducersRequest,
  type DescribeProducersResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'
import { indexesOnce } from './named-once.ts'
import { nameError } from './name-error.ts'

type Result = DescribeProducersResponse['topics'][number]['partitions'][number]

/**
 * DescribeProducers: v0. The idempotent producers that a partition remembers, also one that follows; none has a transaction
 * open. What is named twice is described once.
 */
export function describeProducersHandler(
  partitions: Partitions,
): Handler<DescribeProducersRequest, DescribeProducersResponse> {
  return {
    api: describeProducers,
    handle: ({ topics }) => ({
      throttleTimeMs: 0,
      topics: indexesOnce(topics).map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map(at => resultOf(partitions, name, at)),
      })),
    }),
  }
}

function absence(partitions: Partitions, topic: string, index: number): ErrorName {
  const error = partitions.absence(topic, index)
  return error === 'UNKNOWN_TOPIC_OR_PARTITION' ? nameError(topic) : error
}

function availability({ failure, isOpen }: Partition): ErrorName {
  if (failure !== null) return 'KAFKA_STORAGE_ERROR'
  return isOpen ? 'NONE' : 'NOT_LEADER_OR_FOLLOWER'
}

function resultOf(partitions: Partitions, topic: string, partitionIndex: number): Result {
  const partition = partitions.find(topic, partitionIndex)
  const error =
    partition === undefined ? absence(partitions, topic, partitionIndex) : availability(partition)
  const producers = error === 'NONE' ? Array.from(partition?.producers() ?? []) : []
  return {
    partitionIndex,
    errorCode: errorCode(error),
    errorMessage:
      error === 'NONE' ? null : `Partition ${partitionIndex} of topic '${topic}': ${error}.`,
    activeProducers: producers.map(({ producerId, epoch, lastSequence, lastTimestampMs }) => ({
      producerId,
      producerEpoch: epoch,
      lastSequence,
      lastTimestamp: lastTimestampMs,
      coordinatorEpoch: -1,
      currentTxnStartOffset: -1,
    })),
  }
}
