import {
  api,
  array,
  bool,
  int16,
  int32,
  int8,
  nullable,
  string,
  uuid,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * CreateTopics: creates topics, or says why not. v4 takes the broker's defaults (KIP-464), v5 answers with what was
 * made (KIP-525), v6 may be throttled (KIP-599), v7 tells the topic's id.
 */
export const createTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexible: 5,
  request: {
    topics: array({
      name: string,
      /** -1: as many as the broker's default, or as `assignments` has. */
      numPartitions: int32,
      /** -1: the broker's default, or as `assignments` has. */
      replicationFactor: int16,
      /** Replicas by hand; empty: the cluster chooses. */
      assignments: array({
        partitionIndex: int32,
        /** The first one is the preferred leader. */
        brokerIds: array(int32),
      }),
      configs: array({
        name: string,
        value: nullable(string),
      }),
    }),
    timeoutMs: int32.default(60000),
    /** Say what would happen, and do nothing. */
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      topicId: uuid.since(7),
      errorCode: int16,
      errorMessage: nullable(string),
      /** Why `configs` are withheld. */
      topicConfigErrorCode: int16.since(5).tag(0),
      numPartitions: int32.since(5).default(-1),
      replicationFactor: int16.since(5).default(-1),
      /** Null where the client may not see them. */
      configs: nullable(
        array({
          name: string,
          value: nullable(string),
          readOnly: bool,
          configSource: int8.default(-1),
          isSensitive: bool,
        }),
      ).since(5),
    }),
  },
})

export type CreateTopicsRequest = Infer<typeof createTopics.request>
export type CreateTopicsResponse = Draft<typeof createTopics.response>
