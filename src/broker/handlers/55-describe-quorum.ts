import type { Clock } from '../../env/env.ts'
import { zeroUuid } from '../../lib/uuid.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { errorCode } from '../wire/errors.ts'
import {
  describeQuorum,
  type DescribeQuorumRequest,
  type DescribeQuorumResponse,
} from '../wire/messages/index.ts'
import type { Endpoints } from './endpoints.ts'
import type { Handler, RequestContext } from './handler.ts'

/** Kafka's name for the log of the metadata, which its tools ask by. */
const metadataTopic = '__cluster_metadata'

export interface DescribeQuorumDeps {
  readonly image: () => MetadataImage
  readonly endpoints: Endpoints
  readonly clock: Pick<Clock, 'now'>
}

type Partition = DescribeQuorumResponse['topics'][number]['partitions'][number]

/**
 * DescribeQuorum: v0-2. The metadata log is no Raft here: its store is the consensus. What is told is true of it all the
 * same: one leader, the controller, in the epoch that it claimed, and one voter that has everything. As in Kafka it is
 * told only where nothing else is asked for.
 */
export function describeQuorumHandler(
  deps: DescribeQuorumDeps,
): Handler<DescribeQuorumRequest, DescribeQuorumResponse> {
  return {
    api: describeQuorum,
    handle({ topics }, context) {
      const isAsked = topics.length === 1 && topics.every(isOfMetadata)
      return {
        errorCode: errorCode('NONE'),
        errorMessage: '',
        topics: topics.map(({ topicName, partitions }) => ({
          topicName,
          partitions: partitions.map(partition =>
            isAsked ? quorum(deps) : unknown(partition.partitionIndex),
          ),
        })),
        nodes: isAsked ? nodes(deps.endpoints, context) : [],
      }
    },
  }
}

function isOfMetadata({ topicName, partitions }: DescribeQuorumRequest['topics'][number]): boolean {
  return (
    topicName === metadataTopic && partitions.length === 1 && partitions[0]!.partitionIndex === 0
  )
}

function quorum({ image, clock }: DescribeQuorumDeps): Partition {
  const { controllerId, controllerEpoch, sequence } = image()
  const nowMs = clock.now()
  return {
    partitionIndex: 0,
    errorCode: errorCode('NONE'),
    errorMessage: '',
    leaderId: controllerId,
    leaderEpoch: controllerEpoch,
    highWatermark: sequence,
    currentVoters: [
      {
        replicaId: controllerId,
        replicaDirectoryId: zeroUuid,
        logEndOffset: sequence,
        lastFetchTimestamp: nowMs,
        lastCaughtUpTimestamp: nowMs,
      },
    ],
    observers: [],
  }
}

function unknown(partitionIndex: number): Partition {
  return {
    partitionIndex,
    errorCode: errorCode('UNKNOWN_TOPIC_OR_PARTITION'),
    errorMessage: `Only partition 0 of ${metadataTopic} has a quorum.`,
    leaderId: 0,
    leaderEpoch: 0,
    highWatermark: 0,
    currentVoters: [],
    observers: [],
  }
}

function nodes(endpoints: Endpoints, context: RequestContext): DescribeQuorumResponse['nodes'] {
  return endpoints.look(context).all.map(({ brokerId, host, port }) => ({
    nodeId: brokerId,
    listeners: [{ name: context.listenerName, host, port }],
  }))
}
