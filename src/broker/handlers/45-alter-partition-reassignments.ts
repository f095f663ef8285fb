import type { MetadataImage } from '../metadata/image.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  alterPartitionReassignments,
  type AlterPartitionReassignmentsRequest,
  type AlterPartitionReassignmentsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

interface Outcome {
  readonly error: ErrorName
  readonly message: string | null
}

/**
 * AlterPartitionReassignments: v0-1. With one broker a partition can only be where it is: that is done, everything else
 * is refused with what Kafka says of brokers that are not there.
 */
export function alterPartitionReassignmentsHandler(
  image: () => MetadataImage,
): Handler<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse> {
  return {
    api: alterPartitionReassignments,
    handle({ topics, allowReplicationFactorChange }) {
      const responses = topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, replicas }) => {
          const { error, message } = outcomeOf(image(), { name, partitionIndex, replicas })
          return { partitionIndex, errorCode: errorCode(error), errorMessage: message }
        }),
      }))
      return {
        throttleTimeMs: 0,
        allowReplicationFactorChange,
        errorCode: errorCode('NONE'),
        errorMessage: null,
        responses,
      }
    },
  }
}

interface Wish {
  readonly name: string
  readonly partitionIndex: number
  readonly replicas: readonly number[] | null
}

function outcomeOf(image: MetadataImage, { name, partitionIndex, replicas }: Wish): Outcome {
  const partition = image.topicByName(name)?.partitions[partitionIndex]
  if (partition === undefined) {
    const message = `There is no partition ${partitionIndex} of topic '${name}'.`
    return { error: 'UNKNOWN_TOPIC_OR_PARTITION', message }
  }
  if (replicas === null) return { error: 'NO_REASSIGNMENT_IN_PROGRESS', message: null }
  const problem = problemOf(image, replicas)
  if (problem !== null) {
    const message = `Partition ${partitionIndex} of topic '${name}' cannot be there: ${problem}.`
    return { error: 'INVALID_REPLICA_ASSIGNMENT', message }
  }
  return { error: 'NONE', message: null }
}

function problemOf(image: MetadataImage, replicas: readonly number[]): string | null {
  if (replicas.length === 0) return 'no broker is named'
  if (new Set(replicas).size < replicas.length) return 'a broker is named twice'
  const absent = replicas.find(id => !image.brokers.has(id))
  return absent === undefined ? null : `broker ${absent} is not registered`
}
