import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * DescribeLogDirs: the broker's directories and how large each replica in them is (KIP-113). v3 brings an error of the
 * whole answer, v4 the size of the volume (KIP-827), v5 directories that take nothing new (KIP-1066).
 */
export const describeLogDirs = api({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [1, 5],
  flexible: 2,
  request: {
    /** null: all. */
    topics: nullable(
      array({
        topic: string,
        partitions: array(int32),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.since(3),
    results: array({
      errorCode: int16,
      /** Absolute. */
      logDir: string,
      topics: array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          /** Bytes of its log segments. */
          partitionSize: int64,
          /** Records behind the high watermark, or behind the log that a future replica will take the place of. */
          offsetLag: int64,
          /** Being filled by AlterReplicaLogDirs, and not yet in use. */
          isFutureKey: bool,
        }),
      }),
      /** Of the volume; -1 where it is not known. */
      totalBytes: int64.since(4).default(-1),
      usableBytes: int64.since(4).default(-1),
      isCordoned: bool.since(5).default(false),
    }),
  },
})

export type DescribeLogDirsRequest = Infer<typeof describeLogDirs.request>
export type DescribeLogDirsResponse = Draft<typeof describeLogDirs.response>
