import {
  api,
  array,
  bool,
  int16,
  int32,
  nullable,
  string,
  uuid,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * Metadata: the brokers, and the partitions of some or of all topics with their leaders. v1 tells null from empty
 * (G10), v4 can forbid to create topics, v7 brings leader epochs, v10 topic ids (v12 asks by them), v8 authorized
 * operations, v13 an error for the whole.
 */
export const metadata = api({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexible: 9,
  request: {
    /** Null: all topics. Empty: none; in v0, all (G10). */
    topics: nullable(
      array({
        topicId: uuid.since(10),
        /** Null where the topic is asked for by its id. */
        name: nullable(string, 10),
      }),
      1,
    ),
    allowAutoTopicCreation: bool.since(4).default(true),
    includeClusterAuthorizedOperations: bool.since(8).until(10),
    includeTopicAuthorizedOperations: bool.since(8),
  },
  response: {
    throttleTimeMs: int32.since(3),
    brokers: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: nullable(string).since(1).default(null),
    }),
    clusterId: nullable(string).since(2).default(null),
    /** The broker to send admin requests to, or -1. */
    controllerId: int32.since(1).default(-1),
    topics: array({
      errorCode: int16,
      /** Null where an id was asked for that is unknown. */
      name: nullable(string, 12),
      topicId: uuid.since(10),
      isInternal: bool.since(1),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        /** -1 where there is none. */
        leaderId: int32,
        leaderEpoch: int32.since(7).default(-1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        offlineReplicas: array(int32).since(5),
      }),
      /** A bit field; -2^31 where it was not asked for. */
      topicAuthorizedOperations: int32.since(8).default(-0x80000000),
    }),
    /** A bit field; -2^31 where it was not asked for. */
    clusterAuthorizedOperations: int32.since(8).until(10).default(-0x80000000),
    errorCode: int16.since(13),
  },
})

export type MetadataRequest = Infer<typeof metadata.request>
export type MetadataResponse = Draft<typeof metadata.response>
