import { DiskError } from '../../env/env.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Log } from '../log/log.ts'
import type { Partition } from '../partition/partition.ts'
import type { Partitions } from '../partition/partitions.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  deleteRecords,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

export interface DeleteRecordsDeps {
  readonly cluster: Cluster
  readonly partitions: Partitions
}

interface Outcome {
  readonly error: ErrorName
  /** The first offset that is still there; -1 with an error. */
  readonly lowWatermark: number
}

/**
 * DeleteRecords: v0-2 (KIP-107, I-28). The log of each partition begins at the offset asked for, -1 being the
 * high watermark, and this is durable when the answer goes out. An offset that is gone already is no mistake;
 * one above the high watermark is. Topics that are only compacted keep their records, as do internal ones.
 */
export function deleteRecordsHandler(
  deps: DeleteRecordsDeps,
): Handler<DeleteRecordsRequest, DeleteRecordsResponse> {
  return {
    api: deleteRecords,
    async handle({ topics }) {
      const answers = topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(async ({ partitionIndex, offset }) => {
            const { error, lowWatermark } = await deleteBefore(deps, name, partitionIndex, offset)
            return { partitionIndex, lowWatermark, errorCode: errorCode(error) }
          }),
        ),
      }))
      return { throttleTimeMs: 0, topics: await Promise.all(answers) }
    },
  }
}

async function deleteBefore(
  { cluster, partitions }: DeleteRecordsDeps,
  topic: string,
  index: number,
  offset: number,
): Promise<Outcome> {
  const partition = partitions.find(topic, index)
  if (partition === undefined) return refused('UNKNOWN_TOPIC_OR_PARTITION')
  if (cluster.image.topicByName(topic)?.isInternal) return refused('INVALID_TOPIC_EXCEPTION')
  const unavailable = partition.availability()
  const { log } = partition
  if (unavailable !== 'NONE' || log === null) return refused(unavailable)
  if (log.config.cleanupPolicy === 'compact') return refused('POLICY_VIOLATION')
  const wanted = offset === -1 ? partition.highWatermark : offset
  if (wanted < 0 || wanted > partition.highWatermark) return refused('OFFSET_OUT_OF_RANGE')
  return raise(partition, log, wanted)
}

async function raise(partition: Partition, log: Log, offset: number): Promise<Outcome> {
  try {
    await log.raiseStartOffset(offset)
  } catch (error) {
    if (error instanceof DiskError) return refused('KAFKA_STORAGE_ERROR')
    throw error
  }
  if (log.startOffset >= offset) return { error: 'NONE', lowWatermark: log.startOffset }
  // It went out of service, or the topic was deleted.
  const unavailable = partition.availability()
  return refused(unavailable === 'NONE' ? 'KAFKA_STORAGE_ERROR' : unavailable)
}

function refused(error: ErrorName): Outcome {
  return { error, lowWatermark: -1 }
}
