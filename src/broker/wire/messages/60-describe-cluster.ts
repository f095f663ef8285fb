import {
  api,
  array,
  bool,
  int16,
  int32,
  int8,
  nullable,
  string,
  type Draft,
  type Infer,
} from '../field.ts'

/**
 * DescribeCluster: the brokers, the controller and the id of the cluster (KIP-700). v1 can ask a controller
 * (KIP-919), v2 shows fenced brokers too (KIP-1073).
 */
export const describeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexible: 0,
  request: {
    includeClusterAuthorizedOperations: bool,
    /** 1: brokers. 2: controllers. */
    endpointType: int8.since(1).default(1),
    includeFencedBrokers: bool.since(2),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullable(string).default(null),
    endpointType: int8.since(1).default(1),
    clusterId: string,
    /** The broker to send admin requests to, or -1. */
    controllerId: int32.default(-1),
    brokers: array({
      brokerId: int32,
      host: string,
      port: int32,
      rack: nullable(string).default(null),
      isFenced: bool.since(2),
    }),
    /** A bit field; -2^31 where it was not asked for. */
    clusterAuthorizedOperations: int32.default(-0x80000000),
  },
})

export type DescribeClusterRequest = Infer<typeof describeCluster.request>
export type DescribeClusterResponse = Draft<typeof describeCluster.response>
