import type { Clock } from '../../env/env.ts'
import { reservedTopicName } from '../../lib/topic-name.ts'
import { zeroUuid } from '../../lib/uuid.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { MetadataFollower } from '../cluster/controller/commands.ts'
import { errorCode } from '../wire/errors.ts'
import {
  describeQuorum,
  type DescribeQuorumRequest,
  type DescribeQuorumResponse,
} from '../wire/messages/index.ts'
import type { Endpoints } from './endpoints.ts'
import type { Handler, RequestContext } from './handler.ts'

export interface DescribeQuorumDeps {
  readonly cluster: Pick<Cluster, 'image' | 'ask'>
  readonly endpoints: Endpoints
  readonly clock: Pick<Clock, 'now'>
}

type Partition = DescribeQuorumResponse['topics'][number]['partitions'][number]

/**
 * DescribeQuorum: v0-2. The metadata log is no Raft here: its store is the consensus. What is told is true of it all the
 * same: one leader, the controller, in the epoch that it claimed, one voter that has everything, and the other brokers as
 * observers, as far as the controller has heard of them. As in Kafka it is told only where nothing else is asked for.
 */
export function describeQuorumHandler(
  deps: DescribeQuorumDeps,
): Handler<DescribeQuorumRequest, DescribeQuorumResponse> {
  return {
    api: describeQuorum,
    async handle({ topics }, context) {
      const isAsked = topics.length === 1 && topics.every(isOfMetadata)
      const told = isAsked ? await quorum(deps) : null
      return {
        errorCode: errorCode('NONE'),
        errorMessage: '',
        topics: topics.map(({ topicName, partitions }) => ({
          topicName,
          partitions: partitions.map(partition => told ?? unknown(partition.partitionIndex)),
        })),
        nodes: isAsked ? nodes(deps.endpoints, context) : [],
      }
    },
  }
}

/** While nobody is the controller, or is known to be, it is told from here alone. */
const waitMsMax = 2_000

async function quorum({ cluster, clock }: DescribeQuorumDeps): Promise<Partition> {
  const answer = await cluster.ask({ type: 'describeQuorum' }, waitMsMax)
  const { controllerId, controllerEpoch, sequence } = cluster.image
  const nowMs = clock.now()
  const followers = answer.type === 'quorumDescribed' ? answer.followers : []
  const voter = { brokerId: controllerId, appliedSequence: sequence, heardMsAgo: 0 }
  return {
    partitionIndex: 0,
    errorCode: errorCode('NONE'),
    errorMessage: '',
    leaderId: controllerId,
    leaderEpoch: controllerEpoch,
    highWatermark: sequence,
    currentVoters: [replicaOf(voter, sequence, nowMs)],
    observers: followers
      .filter(({ brokerId }) => brokerId !== controllerId)
      .map(follower => replicaOf(follower, sequence, nowMs)),
  }
}

/** What it did not have yet when it was heard last, it may have caught up with at no time that is known: -1. */
function replicaOf(
  { brokerId, appliedSequence, heardMsAgo }: MetadataFollower,
  sequence: number,
  nowMs: number,
): Partition['currentVoters'][number] {
  // The monotonic clock knows fractions.
  const heardMs = heardMsAgo === null ? -1 : Math.round(nowMs - heardMsAgo)
  return {
    replicaId: brokerId,
    replicaDirectoryId: zeroUuid,
    logEndOffset: appliedSequence,
    lastFetchTimestamp: heardMs,
    lastCaughtUpTimestamp: appliedSequence >= sequence ? heardMs : -1,
  }
}

function isOfMetadata({ topicName, partitions }: DescribeQuorumRequest['topics'][number]): boolean {
  return (
    topicName === reservedTopicName &&
    partitions.length === 1 &&
    partitions[0]!.partitionIndex === 0
  )
}

function unknown(partitionIndex: number): Partition {
  return {
    partitionIndex,
    errorCode: errorCode('UNKNOWN_TOPIC_OR_PARTITION'),
    errorMessage: `Only partition 0 of ${reservedTopicName} has a quorum.`,
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
