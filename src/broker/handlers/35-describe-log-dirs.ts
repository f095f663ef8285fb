import type { Partitions } from '../partition/partitions.ts'
import { errorCode } from '../wire/errors.ts'
import {
  describeLogDirs,
  type DescribeLogDirsRequest,
  type DescribeLogDirsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

export interface DescribeLogDirsDeps {
  readonly partitions: Partitions
  /** Absolute path of the data directory. */
  readonly logDir: string
  /** Of the volume that holds it; null once the directory failed. */
  readonly space: () => { readonly totalBytes: number; readonly freeBytes: number } | null
  /** No new replicas come here (KIP-1066). */
  readonly isCordoned: () => boolean
}

type Topic = DescribeLogDirsResponse['results'][number]['topics'][number]
type Wishes = DescribeLogDirsRequest['topics']

/**
 * DescribeLogDirs: v1-5. What is asked for and is not here is left out, as in Kafka; a directory that failed says
 * KAFKA_STORAGE_ERROR and nothing else. No replica is ever on the way from one directory to another.
 */
export function describeLogDirsHandler({
  partitions,
  logDir,
  space,
  isCordoned,
}: DescribeLogDirsDeps): Handler<DescribeLogDirsRequest, DescribeLogDirsResponse> {
  return {
    api: describeLogDirs,
    handle({ topics }) {
      const volume = space()
      const result = {
        errorCode: errorCode(volume === null ? 'KAFKA_STORAGE_ERROR' : 'NONE'),
        logDir,
        topics: volume === null ? [] : sizesOf(partitions, topics),
        totalBytes: volume?.totalBytes ?? -1,
        usableBytes: volume?.freeBytes ?? -1,
        isCordoned: isCordoned(),
      }
      return { throttleTimeMs: 0, errorCode: errorCode('NONE'), results: [result] }
    },
  }
}

function sizesOf(partitions: Partitions, wishes: Wishes): Topic[] {
  const wanted =
    wishes === null
      ? null
      : new Set(
          wishes.flatMap(({ topic, partitions: indexes }) => indexes.map(at => `${topic}-${at}`)),
        )
  const byTopic = new Map<string, Topic>()
  for (const { id, extent } of partitions.all()) {
    if (wanted !== null && !wanted.has(`${id.topic}-${id.partition}`)) continue
    const topic = byTopic.get(id.topic) ?? { name: id.topic, partitions: [] }
    byTopic.set(id.topic, topic)
    const size = { partitionSize: extent?.sizeBytes ?? 0, offsetLag: 0, isFutureKey: false }
    topic.partitions.push({ partitionIndex: id.partition, ...size })
  }
  return [...byTopic.values()]
}
