import {
  api,
  array,
  int16,
  int32,
  int8,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/** ElectLeaders: asks for an election in partitions. v1 brings unclean ones and an error of the whole (KIP-460). */
export const electLeaders = api({
  key: 43,
  name: 'ElectLeaders',
  versions: [0, 2],
  flexible: 2,
  request: {
    /** 0: the preferred replica. 1: any that lives, where no other is left. */
    electionType: int8.since(1),
    /** null: all. */
    topicPartitions: nullable(
      array({
        topic: string,
        partitions: array(int32),
      }),
    ),
    timeoutMs: int32.default(60_000),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.since(1),
    replicaElectionResults: array({
      topic: string,
      partitionResult: array({
        partitionId: int32,
        errorCode: int16,
        errorMessage: nullable(string),
      }),
    }),
  },
})

export type ElectLeadersRequest = Infer<typeof electLeaders.request>
export type ElectLeadersResponse = Draft<typeof electLeaders.response>
