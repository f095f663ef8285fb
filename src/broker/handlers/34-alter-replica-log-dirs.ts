import type { Partitions } from '../partition/partitions.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  alterReplicaLogDirs,
  type AlterReplicaLogDirsRequest,
  type AlterReplicaLogDirsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'
import { partitionsOnce } from './named-once.ts'

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
    const isHere = partitions.find(topic, partition) !== undefined
    return isHere ? 'NONE' : partitions.absence(topic, partition)
  }
  return {
    api: alterReplicaLogDirs,
    handle({ dirs }) {
      const moves = dirs.flatMap(({ path, topics }) =>
        topics.map(topic => ({
          name: topic.name,
          partitions: topic.partitions.map(index => ({ path, index })),
        })),
      )
      const results = partitionsOnce(moves, ({ index }) => index).map(topic => ({
        topicName: topic.name,
        partitions: topic.partitions.map(({ path, index }) => ({
          partitionIndex: index,
          errorCode: errorCode(outcome(path, topic.name, index)),
        })),
      }))
      return { throttleTimeMs: 0, results }
    },
  }
}
