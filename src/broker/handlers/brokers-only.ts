import type { Session } from '../security/session.ts'
import { errorCode } from '../wire/errors.ts'
import type { Api } from '../wire/field.ts'
import {
  fetch,
  listOffsets,
  offsetForLeaderEpoch,
  type FetchRequest,
  type FetchResponse,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from '../wire/messages/index.ts'
import {
  askController,
  brokersApis,
  describeBacklogs,
  describeLogEnds,
  fetchMetadata,
} from '../wire/private/index.ts'

const noRecords = new Uint8Array(0)
const refused = errorCode('CLUSTER_AUTHORIZATION_FAILED')

/** Of one API: which of its requests only brokers make, and how it tells an error. */
interface Rule {
  isOfBroker(request: unknown): boolean
  answer(request: unknown, apiVersion: number): object
}

const always: Rule = { isOfBroker: () => true, answer: () => ({ errorCode: refused }) }

/** What a broker's id in a request looks like: clients say -1, debuggers -2. */
const isBrokerId = (id: number): boolean => id >= 0

const fetches: Rule = {
  isOfBroker(request) {
    const { replicaId, replicaState } = request as FetchRequest
    return isBrokerId(replicaId) || isBrokerId(replicaState.replicaId)
  },
  answer(request, apiVersion): FetchResponse {
    const none = { throttleTimeMs: 0, errorCode: refused, sessionId: 0, responses: [] }
    if (apiVersion >= 7) return none
    // Before v7 there is no error for the whole.
    const responses = (request as FetchRequest).topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({
        partitionIndex: partition,
        errorCode: refused,
        highWatermark: -1,
        abortedTransactions: null,
        records: noRecords,
      })),
    }))
    return { ...none, responses }
  },
}

const offsets: Rule = {
  isOfBroker: request => isBrokerId((request as ListOffsetsRequest).replicaId),
  answer(request): ListOffsetsResponse {
    const topics = (request as ListOffsetsRequest).topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: refused })),
    }))
    return { throttleTimeMs: 0, topics }
  },
}

const epochs: Rule = {
  isOfBroker: request => isBrokerId((request as OffsetForLeaderEpochRequest).replicaId),
  answer(request): OffsetForLeaderEpochResponse {
    const topics = (request as OffsetForLeaderEpochRequest).topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode: refused })),
    }))
    return { throttleTimeMs: 0, topics }
  },
}

const rules: ReadonlyMap<number, Rule> = new Map([
  ...[...brokersApis, fetchMetadata, askController, describeBacklogs, describeLogEnds].map(
    ({ key }) => [key, always] as const,
  ),
  [fetch.key, fetches],
  [listOffsets.key, offsets],
  [offsetForLeaderEpoch.key, epochs],
])

/**
 * What a request is answered that says to come from a broker, by whom has not logged in as one; null where it may go on. Whoever
 * could send it would move a watermark, or an in-sync set, by records that nobody has.
 */
export function refusalOfStranger(
  api: Api,
  request: unknown,
  context: { readonly session: Session; readonly apiVersion: number },
): object | null {
  if (context.session.isBroker) return null
  const rule = rules.get(api.key)
  if (rule === undefined || !rule.isOfBroker(request)) return null
  return rule.answer(request, context.apiVersion)
}
