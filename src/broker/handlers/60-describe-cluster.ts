import type { Cluster } from '../cluster/cluster.ts'
import { errorCode } from '../wire/errors.ts'
import {
  describeCluster,
  type DescribeClusterRequest,
  type DescribeClusterResponse,
} from '../wire/messages/index.ts'
import { clusterOperations, withheldOperations } from './authorized-operations.ts'
import type { Endpoints } from './endpoints.ts'
import type { Handler } from './handler.ts'

const brokerEndpoints = 1
const controllerEndpoints = 2

export interface DescribeClusterDeps {
  readonly cluster: Cluster
  readonly endpoints: Endpoints
}

/**
 * DescribeCluster: v0-2, since v2 with brokers that are fenced, where they are asked for. Controllers have no endpoints of
 * their own here (KIP-919).
 */
export function describeClusterHandler({
  cluster,
  endpoints,
}: DescribeClusterDeps): Handler<DescribeClusterRequest, DescribeClusterResponse> {
  return {
    api: describeCluster,
    handle(request, context) {
      if (request.endpointType !== brokerEndpoints) return refused(request.endpointType)
      return {
        throttleTimeMs: 0,
        errorCode: errorCode('NONE'),
        errorMessage: null,
        endpointType: brokerEndpoints,
        clusterId: cluster.image.clusterId,
        controllerId: endpoints.controllerId,
        brokers: endpoints
          .look(context)
          .all.filter(({ isFenced }) => !isFenced || request.includeFencedBrokers),
        clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
          ? clusterOperations
          : withheldOperations,
      }
    },
  }
}

/** As by a broker of Kafka's, which has no endpoints of controllers. */
function refused(endpointType: number): DescribeClusterResponse {
  const isOfControllers = endpointType === controllerEndpoints
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(
      isOfControllers ? 'MISMATCHED_ENDPOINT_TYPE' : 'UNSUPPORTED_ENDPOINT_TYPE',
    ),
    errorMessage: 'Controllers have no endpoints of their own: ask for brokers (1).',
    endpointType: brokerEndpoints,
    clusterId: '',
    controllerId: -1,
    brokers: [],
    clusterAuthorizedOperations: withheldOperations,
  }
}
