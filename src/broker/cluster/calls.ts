import { assert } from '../../lib/assert.ts'
import { fromUtf8, utf8 } from '../../lib/bytes.ts'
import { zeroUuid } from '../../lib/uuid.ts'
import { featureLevel } from '../metadata/records.ts'
import type { Uuid } from '../../lib/uuid.ts'
import { errorCode, errorName } from '../wire/errors.ts'
import type { Api, Draft, Fields, Infer } from '../wire/field.ts'
import {
  allocateProducerIds,
  alterPartition,
  askController,
  brokerHeartbeat,
  brokerRegistration,
} from '../wire/private/index.ts'
import type {
  Answer,
  Command,
  ControllerError,
  PartitionAlteration,
  PartitionAlterationResult,
  Refusal,
} from './controller/commands.ts'
import type { Lane } from './peers.ts'

/** Of the broker that asks. */
export interface Caller {
  readonly clusterId: string
  readonly brokerId: number
  readonly brokerEpoch: number
}

export type CommandOf<T extends Command['type']> = Extract<Command, { readonly type: T }>

/** A command as a message to another broker, and its answer, in both directions: one home for what the fields mean. */
export interface Call<C extends Command, Request extends Fields, Response extends Fields> {
  readonly api: Api<Request, Response>
  readonly lane: Lane
  readonly toRequest: (command: C, caller: Caller, timeoutMs: number) => Draft<Request>
  /** @throws CallError where the message is no command */
  readonly toCommand: (request: Infer<Request>) => C
  /** `sequence`: of the last record that is committed. */
  readonly toResponse: (answer: Answer, sequence: number) => Draft<Response>
  /** `command` is what was asked. */
  readonly toAnswer: (response: Infer<Response>, command: C) => Answer
}

/** A message whose fields make no command. */
export class CallError extends Error {
  override readonly name = 'CallError'
}

/** The feature under which a broker tells how new records may be that it reads. */
const featureName = 'logcluster.metadata'

export const registrationCall: Call<
  CommandOf<'registerBroker'>,
  typeof brokerRegistration.request,
  typeof brokerRegistration.response
> = {
  api: brokerRegistration,
  lane: 'commands',
  toRequest: (command, { clusterId }) => ({
    clusterId,
    brokerId: command.brokerId,
    incarnationId: command.incarnationId,
    listeners: command.listeners.map(each => ({ ...each, securityProtocol: 0 })),
    features: [
      {
        name: featureName,
        minSupportedVersion: 1,
        maxSupportedVersion: command.featureLevelMax,
      },
    ],
    rack: command.rack,
    logDirs: [command.directoryId],
    startClass: command.startClass,
    peerHost: command.peer?.host ?? '',
    peerPort: command.peer?.port ?? 0,
    damaged: byTopic(command.damaged, index => index),
    lastSequence: command.lastSequence,
    lastHash: command.lastHash ?? '',
    unregisteredStarts: command.unregisteredStarts ?? 0,
    beat: command.beat ?? -1,
  }),
  toCommand: request => ({
    type: 'registerBroker',
    brokerId: request.brokerId,
    incarnationId: request.incarnationId,
    rack: request.rack,
    listeners: request.listeners.map(({ name, host, port }) => ({ name, host, port })),
    peer: request.peerHost === '' ? null : { host: request.peerHost, port: request.peerPort },
    directoryId: request.logDirs[0] ?? zeroUuid,
    startClass: startClassOf(request.startClass),
    damaged: request.damaged.flatMap(({ topicId, partitions }) =>
      partitions.map(index => ({ topicId, index })),
    ),
    featureLevelMax:
      request.features.find(({ name }) => name === featureName)?.maxSupportedVersion ??
      featureLevel,
    lastSequence: request.lastSequence,
    lastHash: request.lastHash === '' ? null : request.lastHash,
    unregisteredStarts: request.unregisteredStarts,
    ...(request.beat < 0 ? {} : { beat: request.beat }),
  }),
  toResponse: answer =>
    answer.type === 'brokerRegistered'
      ? { ...taken, brokerEpoch: answer.brokerEpoch }
      : refusedBy(answer),
  toAnswer: response =>
    refusalIn(response) ?? { type: 'brokerRegistered', brokerEpoch: response.brokerEpoch },
}

export const heartbeatCall: Call<
  CommandOf<'heartbeat'>,
  typeof brokerHeartbeat.request,
  typeof brokerHeartbeat.response
> = {
  api: brokerHeartbeat,
  lane: 'heartbeats',
  toRequest: command => ({
    brokerId: command.brokerId,
    brokerEpoch: command.brokerEpoch,
    currentMetadataOffset: command.appliedSequence,
    wantFence: command.wantsFence,
    wantShutDown: command.wantsShutdown,
    beat: command.beat,
  }),
  toCommand: request => ({
    type: 'heartbeat',
    brokerId: request.brokerId,
    brokerEpoch: request.brokerEpoch,
    appliedSequence: request.currentMetadataOffset,
    wantsFence: request.wantFence,
    wantsShutdown: request.wantShutDown,
    beat: request.beat,
  }),
  toResponse: answer =>
    answer.type === 'heartbeatTaken'
      ? {
          ...taken,
          isCaughtUp: answer.isCaughtUp,
          isFenced: answer.isFenced,
          shouldShutDown: answer.mayShutDown,
        }
      : { ...refusedBy(answer), shouldShutDown: false },
  toAnswer: response =>
    refusalIn(response) ?? {
      type: 'heartbeatTaken',
      isCaughtUp: response.isCaughtUp,
      isFenced: response.isFenced,
      mayShutDown: response.shouldShutDown,
    },
}

export const alterPartitionsCall: Call<
  CommandOf<'alterPartitions'>,
  typeof alterPartition.request,
  typeof alterPartition.response
> = {
  api: alterPartition,
  lane: 'in-sync sets',
  toRequest: ({ brokerId, brokerEpoch, partitions }) => ({
    brokerId,
    brokerEpoch,
    topics: byTopic(partitions, (partitionIndex, each) => ({
      partitionIndex,
      leaderEpoch: each.leaderEpoch,
      newIsr: [],
      newIsrWithEpochs: [...each.isr],
      leaderRecoveryState: each.isRecovering ? 1 : 0,
      partitionEpoch: each.partitionEpoch,
    })),
  }),
  toCommand: ({ brokerId, brokerEpoch, topics }) => ({
    type: 'alterPartitions',
    brokerId,
    brokerEpoch,
    partitions: topics.flatMap(({ topicId, partitions }) =>
      partitions.map(each => ({
        topicId,
        index: each.partitionIndex,
        leaderEpoch: each.leaderEpoch,
        partitionEpoch: each.partitionEpoch,
        isr: each.newIsrWithEpochs,
        isRecovering: each.leaderRecoveryState === 1,
      })),
    ),
  }),
  toResponse: answer => {
    if (answer.type !== 'partitionsAltered') return { ...refusedBy(answer), topics: [] }
    const topics = byTopic(answer.results, (partitionIndex, each) => ({
      partitionIndex,
      errorCode: errorCode(each.error),
      leaderId: each.leader,
      leaderEpoch: each.leaderEpoch,
      isr: [...each.isr],
      leaderRecoveryState: each.isRecovering ? 1 : 0,
      partitionEpoch: each.partitionEpoch,
    }))
    return { ...taken, topics }
  },
  toAnswer: (response, { partitions }) =>
    refusalIn(response) ?? {
      type: 'partitionsAltered',
      results: partitions.map(asked => resultOf(asked, response.topics)),
    },
}

export const producerIdsCall: Call<
  CommandOf<'allocateProducerIds'>,
  typeof allocateProducerIds.request,
  typeof allocateProducerIds.response
> = {
  api: allocateProducerIds,
  lane: 'commands',
  toRequest: ({ brokerId }, { brokerEpoch }) => ({ brokerId, brokerEpoch }),
  toCommand: ({ brokerId }) => ({ type: 'allocateProducerIds', brokerId }),
  toResponse: answer =>
    answer.type === 'producerIdsAllocated'
      ? { ...taken, producerIdStart: answer.firstProducerId, producerIdLen: answer.count }
      : { ...refusedBy(answer), producerIdStart: -1, producerIdLen: 0 },
  toAnswer: response =>
    refusalIn(response) ?? {
      type: 'producerIdsAllocated',
      firstProducerId: response.producerIdStart,
      count: response.producerIdLen,
    },
}

/** Whatever Kafka has no message for. */
export const otherCall: Call<Command, typeof askController.request, typeof askController.response> =
  {
    api: askController,
    lane: 'commands',
    toRequest: (command, { brokerId, brokerEpoch }, timeoutMs) => ({
      brokerId,
      brokerEpoch,
      timeoutMs,
      command: utf8(JSON.stringify(command)),
    }),
    toCommand: ({ command }) => parsed(command) as Command,
    toResponse: (answer, sequence) => ({
      errorCode: 0,
      answer: utf8(JSON.stringify(answer)),
      sequence,
    }),
    toAnswer: response => refusalIn(response) ?? (parsed(response.answer) as Answer),
  }

const taken = { throttleTimeMs: 0, errorCode: 0 }

function refusedBy(answer: Answer): {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string
} {
  assert(answer.type === 'refused', 'an answer fits its command')
  const { error, message: errorMessage } = answer
  return { throttleTimeMs: 0, errorCode: errorCode(error), errorMessage }
}

function refusalIn(response: {
  readonly errorCode: number
  readonly errorMessage: string | null
}): Refusal | null {
  if (response.errorCode === 0) return null
  const error = errorName(response.errorCode) as Refusal['error']
  return {
    type: 'refused',
    error,
    message: response.errorMessage ?? `The controller says ${error}.`,
  }
}

function resultOf(
  { topicId, index }: PartitionAlteration,
  topics: Infer<typeof alterPartition.response>['topics'],
): PartitionAlterationResult {
  const found = topics
    .find(topic => topic.topicId === topicId)
    ?.partitions.find(({ partitionIndex }) => partitionIndex === index)
  const code = found?.errorCode ?? errorCode('UNKNOWN_SERVER_ERROR')
  return {
    topicId,
    index,
    error: errorName(code) as ControllerError,
    message: null,
    leader: found?.leaderId ?? -1,
    leaderEpoch: found?.leaderEpoch ?? -1,
    partitionEpoch: found?.partitionEpoch ?? -1,
    isr: found?.isr ?? [],
    isRecovering: found?.leaderRecoveryState === 1,
  }
}

function byTopic<P extends { readonly topicId: Uuid; readonly index: number }, T>(
  partitions: readonly P[],
  make: (index: number, partition: P) => T,
): { topicId: Uuid; partitions: T[] }[] {
  const topics = Map.groupBy(partitions, ({ topicId }) => topicId)
  return Array.from(topics, ([topicId, each]) => ({
    topicId,
    partitions: each.map(partition => make(partition.index, partition)),
  }))
}

const startClasses = ['A', 'B', 'C', 'C-acked', 'D'] as const

function startClassOf(text: string): (typeof startClasses)[number] {
  const found = startClasses.find(each => each === text)
  if (found === undefined) throw new CallError(`there is no start class ${JSON.stringify(text)}`)
  return found
}

function parsed(bytes: Uint8Array): { readonly type: string } {
  try {
    const value: unknown = JSON.parse(fromUtf8(bytes))
    if (typeof value === 'object' && value !== null && 'type' in value)
      return value as { type: string }
  } catch (error) {
    throw new CallError(`it is not JSON: ${(error as Error).message}`)
  }
  throw new CallError('it has no type')
}
