import { api, array, int16, int32, string, type Draft, type Infer } from '../field.ts'

/** AlterReplicaLogDirs: moves replicas to another directory of the same broker (KIP-113). */
export const alterReplicaLogDirs = api({
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: [1, 2],
  flexible: 2,
  request: {
    dirs: array({
      /** Absolute. */
      path: string,
      topics: array({
        name: string,
        partitions: array(int32),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
})

export type AlterReplicaLogDirsRequest = Infer<typeof alterReplicaLogDirs.request>
export type AlterReplicaLogDirsResponse = Draft<typeof alterReplicaLogDirs.response>
