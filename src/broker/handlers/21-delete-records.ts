import type { Cluster } from '../cluster/cluster.ts'
import type { Partitions } from '../partition/partitions.ts'
import type { Deletion } from '../partition/requests.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  deleteRecords,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'
import { partitionsOnce } from './named-once.ts'

export interface DeleteRecordsDeps {
  readonly cluster: Cluster
  readonly partitions: Partitions
}

const toHighWatermark = -1

/**
 * DeleteRecords: v0-2 (KIP-107, I-28). The log of each partition begins at the offset asked for, -1 being the
 * high watermark, and so do those of all live replicas, durably, when the answer goes out. An offset that is gone already is no mistake;
 * one above the high watermark is. Topics that are only compacted keep their records, as do internal ones.
 */
export function deleteRecordsHandler(
  deps: DeleteRecordsDeps,
): Handler<DeleteRecordsRequest, DeleteRecordsResponse> {
  return {
    api: deleteRecords,
    async handle({ topics, timeoutMs }) {
      const wanted = partitionsOnce(topics, ({ partitionIndex }) => partitionIndex)
      const answers = wanted.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(async ({ partitionIndex, offset }) => {
            const { error, lowWatermark } = await deleteBefore(deps, {
              topic: name,
              partitionIndex,
              offset,
              timeoutMs,
            })
            return { partitionIndex, lowWatermark, errorCode: errorCode(error) }
          }),
        ),
      }))
      return { throttleTimeMs: 0, topics: await Promise.all(answers) }
    },
  }
}

interface Wish {
  readonly topic: string
  readonly partitionIndex: number
  readonly offset: number
  readonly timeoutMs: number
}

async function deleteBefore(
  { cluster, partitions }: DeleteRecordsDeps,
  { topic, partitionIndex, offset, timeoutMs }: Wish,
): Promise<Deletion> {
  const partition = partitions.find(topic, partitionIndex)
  if (partition === undefined) return refused(partitions.absence(topic, partitionIndex))
  if (cluster.image.topicByName(topic)?.isInternal) return refused('INVALID_TOPIC_EXCEPTION')
  const before = offset === toHighWatermark ? partition.highWatermark : offset
  return partition.deleteBefore(before, timeoutMs)
}

function refused(error: ErrorName): Deletion {
  return { error, lowWatermark: -1 }
}
