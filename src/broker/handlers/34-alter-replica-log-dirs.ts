import type { Partitions } from '../partition/partitions.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  alterReplicaLogDirs,
  type AlterReplicaLogDirsRequest,
  type AlterReplicaLogDirsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

export interface AlterReplicaLogDirsDeps {
  readonly partitions: Partitions
  /** Absolute path of the data directory. */
  readonly logDir: string
}

/**
 * AlterReplicaLogDirs: v1-2. A broker has one directory: a replica that is to move where it is has moved, and any other
 * path is LOG_DIR_NOT_FOUND, as for a broker of Kafka's with one directory.
 */
export function alterReplicaLogDirsHandler({
  partitions,
  logDir,
}: AlterReplicaLogDirsDeps): Handler<AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse> {
  const outcome = (path: string, topic: string, partition: number): ErrorName => {
    if (path !== logDir) return 'LOG_DIR_NOT_FOUND'
    return partitions.find(topic, partition) === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'NONE'
  }
  return {
    api: alterReplicaLogDirs,
    handle({ dirs }) {
      const byTopic = new Map<string, { partitionIndex: number; errorCode: number }[]>()
      for (const { path, topics } of dirs) {
        for (const { name, partitions: indexes } of topics) {
          const rows = byTopic.get(name) ?? []
          byTopic.set(name, rows)
          for (const partitionIndex of indexes) {
            const error = outcome(path, name, partitionIndex)
            rows.push({ partitionIndex, errorCode: errorCode(error) })
          }
        }
      }
      const results = Array.from(byTopic, ([topicName, rows]) => ({ topicName, partitions: rows }))
      return { throttleTimeMs: 0, results }
    },
  }
}
