import type { Clock, FileRange } from '../../env/env.ts'
import type { ColdReads } from '../cold-lane/cold-reads.ts'
import { lagAfter, lagNow } from '../insight/lagging.ts'
import type { Reader, Readers } from '../insight/readers.ts'
import type { Partition } from '../partition/partition.ts'
import type { Partitions } from '../partition/partitions.ts'
import type { PartitionRead, PartitionReadResult } from '../partition/requests.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import { fetch, type FetchRequest, type FetchResponse } from '../wire/messages/index.ts'
import type { Answer, Handler, RequestContext } from './handler.ts'
import { partitionsOnce, type TopicPart } from './named-once.ts'
import { isolationLevels, readUncommitted } from './isolation-level.ts'
import { parkUntil } from './parked-fetch.ts'

type PartitionRequest = FetchRequest['topics'][number]['partitions'][number]
type TopicResponse = FetchResponse['responses'][number]
type PartitionResponse = TopicResponse['partitions'][number]

/** A request that names no partition twice. */
interface Fetching extends Omit<FetchRequest, 'topics'> {
  readonly topics: readonly TopicPart<PartitionRequest>[]
}

export interface FetchDeps {
  readonly partitions: Partitions
  readonly clock: Clock
  readonly readers: Readers
  readonly coldReads: Pick<ColdReads, 'sent'>
  /** The broker's own limit of one answer, in bytes (`fetch.max.bytes`). */
  readonly answerBytesMax: number
}

/** What one look at all partitions gave. */
interface Look {
  readonly responses: TopicResponse[]
  readonly bytes: number
  /**
   * The client is answered at once: with an error, with the news that its log parts from ours (G30), or with a range
   * that ends before what is readable (at a segment's end, or at the answer's limit), so that waiting adds nothing.
   */
  readonly urgent: boolean
}

/**
 * Fetch: v4-12, always a full answer without a session (session id 0 is always legal, G31). A full fetch is told by its
 * session epoch, 0 or -1, whatever the session id (KIP-227); any other goes on with a session, and there is none.
 *
 * Partitions are served in request order, one that is named twice once; each answer names a range of a segment file,
 * which the network sends from the page cache. The first non-empty partition gives at least one whole batch (G29).
 * With too little to send the request parks until enough became readable, something changed, or the wait is over
 * (G30); more than an answer may have is not waited for.
 */
export function fetchHandler(deps: FetchDeps): Handler<FetchRequest, FetchResponse> {
  return {
    api: fetch,
    handle(request, context) {
      if (!fullFetchEpochs.has(request.sessionEpoch)) {
        return answer([], 'FETCH_SESSION_ID_NOT_FOUND')
      }
      if (!isolationLevels.has(request.isolationLevel)) return answerNothing(request)
      return new FetchCall(deps, fetchingOf(request), context).run()
    },
  }
}

function fetchingOf(request: FetchRequest): Fetching {
  const topics = request.topics.map(({ topic, partitions }) => ({ name: topic, partitions }))
  return { ...request, topics: partitionsOnce(topics, ({ partition }) => partition) }
}

/** Begin a session, and do without one. */
const fullFetchEpochs: ReadonlySet<number> = new Set([0, -1])

type Later<T> = T | Promise<T>

/** One fetch from its first look to its answer. */
class FetchCall {
  readonly #deps: FetchDeps
  readonly #request: Fetching
  readonly #context: RequestContext
  readonly #minBytes: number
  #closed = false

  constructor(deps: FetchDeps, request: Fetching, context: RequestContext) {
    this.#deps = deps
    this.#request = request
    this.#context = context
    this.#minBytes = Math.min(request.minBytes, answerBytesMax(deps, request))
    context.onClosed(() => (this.#closed = true))
  }

  run(): Later<Answer<FetchResponse>> {
    const look = this.#look()
    return look instanceof Promise ? look.then(later => this.#weigh(later)) : this.#weigh(look)
  }

  /** Answers with what the look gave where it is enough, else parks and answers with a second look. */
  #weigh(look: Look): Later<Answer<FetchResponse>> {
    const { clock } = this.#deps
    const waitMs = this.#request.maxWaitMs - (clock.monotonic() - this.#context.receivedAtMs)
    const isEnough = look.urgent || look.bytes >= this.#minBytes || look.responses.length === 0
    if (isEnough || waitMs <= 0 || this.#closed) return answer(look.responses)
    if (this.#hasGrown(look)) return this.run()
    return parkUntil({
      clock,
      watched: this.#request.topics.flatMap(({ name, partitions }) =>
        partitions.flatMap(({ partition }) => this.#deps.partitions.find(name, partition) ?? []),
      ),
      waitMs,
      bytesMissing: this.#minBytes - look.bytes,
      onClosed: act => this.#context.onClosed(act),
      onStopping: act => this.#context.onStopping(act),
    }).then(async () => answer((await this.#look()).responses))
  }

  /** One pass over the request; synchronous as long as every look-up is in the page cache. */
  #look(): Later<Look> {
    if (this.#closed) return { responses: [], bytes: 0, urgent: true }
    return new Pass(this.#deps, this.#request, this.#context, () => this.#closed).run()
  }

  /** Whether records became readable while an asynchronous look was under way: nobody watched then. */
  #hasGrown(look: Look): boolean {
    return look.responses.some(({ topic, partitions }) =>
      partitions.some(({ partitionIndex, highWatermark }) => {
        const found = this.#deps.partitions.find(topic, partitionIndex)
        return found !== undefined && found.highWatermark > highWatermark
      }),
    )
  }
}

/** The most that one answer may have, in bytes. */
function answerBytesMax(deps: FetchDeps, request: Fetching): number {
  return Math.min(request.maxBytes, deps.answerBytesMax)
}

class Pass {
  readonly #deps: FetchDeps
  readonly #request: Fetching
  readonly #context: RequestContext
  readonly #responses: TopicResponse[] = []
  readonly #bytesMax: number
  readonly #isClosed: () => boolean
  #bytes = 0
  #urgent = false

  constructor(
    deps: FetchDeps,
    request: Fetching,
    context: RequestContext,
    isClosed: () => boolean,
  ) {
    this.#deps = deps
    this.#request = request
    this.#context = context
    this.#isClosed = isClosed
    this.#bytesMax = answerBytesMax(deps, request)
  }

  run(): Later<Look> {
    const wanted = this.#request.topics.flatMap(({ name: topic, partitions: parts }) => {
      const partitions: PartitionResponse[] = []
      this.#responses.push({ topic, partitions })
      return parts.map(partition => ({ topic, partition, partitions, reader: null }))
    })
    return this.#goOn(wanted, 0)
  }

  #goOn(wanted: readonly Wanted[], from: number): Later<Look> {
    for (let at = from; at < wanted.length; at++) {
      const next = wanted[at]!
      const result = this.#read(next)
      if (result instanceof Promise) {
        return result.then(later => {
          this.#take(next, later)
          return this.#goOn(wanted, at + 1)
        })
      }
      this.#take(next, result)
    }
    return { responses: this.#responses, bytes: this.#bytes, urgent: this.#urgent }
  }

  #read(wanted: Wanted): Later<PartitionReadResult> {
    const { topic, partition } = wanted
    const found = this.#deps.partitions.find(topic, partition.partition)
    if (found === undefined || this.#isClosed()) return unknownPartition
    if (this.#request.replicaId >= 0) return refusedFollower(found, partition)
    const reader = (wanted.reader = this.#deps.readers.reader(
      this.#context,
      topic,
      partition.partition,
    ))
    reader.fetchOffset = partition.fetchOffset
    const request: PartitionRead = {
      fetchOffset: partition.fetchOffset,
      maxBytes: Math.max(0, Math.min(partition.partitionMaxBytes, this.#bytesMax - this.#bytes)),
      minOneBatch: this.#bytes === 0,
      // Any negative one says here that the client does not know it.
      currentLeaderEpoch: Math.max(-1, partition.currentLeaderEpoch),
      lastFetchedEpoch: partition.lastFetchedEpoch,
      isLagging: (reader.lag = lagNow(reader.lag, reader.stream)) !== null,
    }
    return found.read(request)
  }

  #take({ partition, partitions, reader }: Wanted, found: PartitionReadResult): void {
    const bytesMax = Math.min(partition.partitionMaxBytes, this.#bytesMax)
    // As in Kafka there is no less than nothing to be had of what is there.
    const result = found.range !== null && bytesMax < 0 ? impossibleSize : found
    const isCut = result.range !== null && !result.range.isCaughtUp
    if (result.error !== 'NONE' || result.diverging !== null || isCut) this.#urgent = true
    this.#bytes += result.range?.length ?? 0
    partitions.push({
      ...refusedPartition(partition.partition, result.error),
      highWatermark: result.highWatermark,
      // Without transactions every record below the high watermark is stable (G25).
      lastStableOffset: result.highWatermark,
      logStartOffset: result.logStartOffset,
      divergingEpoch: result.diverging ?? noDivergence,
      abortedTransactions: this.#abortedTransactions(result),
      records: this.#records(result, reader),
    })
  }

  /** Of a partition that is there: null where nothing was read, and where the reader does not ask. */
  #abortedTransactions({ error }: PartitionReadResult): PartitionResponse['abortedTransactions'] {
    if (error === 'UNKNOWN_TOPIC_OR_PARTITION') return []
    return error === 'NONE' && this.#request.isolationLevel !== readUncommitted ? [] : null
  }

  #records({ range }: PartitionReadResult, reader: Reader | null): FileRange | Uint8Array {
    if (range === null || reader === null || this.#isClosed()) return noRecords
    const { file, position, length, cold } = range
    reader.lag = lagAfter(reader.lag, reader.stream, range)
    this.#deps.coldReads.sent(reader, { ...range, offset: reader.fetchOffset })
    return { file, position, length, cold, stream: reader.stream }
  }
}

interface Wanted {
  readonly topic: string
  readonly partition: PartitionRequest
  /** Where the answer goes. */
  readonly partitions: PartitionResponse[]
  /** Who asks, looked up once a pass; null where there is nothing to read. */
  reader: Reader | null
}

const noRecords = new Uint8Array(0)
const noDivergence = { epoch: -1, endOffset: -1 }
const noLeader = { leaderId: -1, leaderEpoch: -1 }
const noSnapshot = { endOffset: -1, epoch: -1 }

const unknownPartition = unread('UNKNOWN_TOPIC_OR_PARTITION')
const impossibleSize = unread('UNKNOWN_SERVER_ERROR')

function unread(error: ErrorName): PartitionReadResult {
  return { error, highWatermark: -1, logStartOffset: -1, range: null, diverging: null }
}

/** There are no replicas but this one: whoever says that he is another follows nothing here. */
function refusedFollower(
  partition: Partition,
  { currentLeaderEpoch }: PartitionRequest,
): PartitionReadResult {
  const unavailable = partition.availability(Math.max(-1, currentLeaderEpoch))
  return unread(unavailable === 'NONE' ? 'NOT_LEADER_OR_FOLLOWER' : unavailable)
}

function refusedPartition(partitionIndex: number, error: ErrorName): PartitionResponse {
  return {
    partitionIndex,
    errorCode: errorCode(error),
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: noDivergence,
    currentLeader: noLeader,
    snapshotId: noSnapshot,
    abortedTransactions: [],
    preferredReadReplica: -1,
    records: noRecords,
  }
}

/** Each partition with the error that the whole is refused with. */
function answerNothing({ topics }: FetchRequest): FetchResponse {
  const error = 'UNKNOWN_SERVER_ERROR'
  const responses = topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition }) => refusedPartition(partition, error)),
  }))
  return answer(responses, error)
}

function answer(responses: TopicResponse[], error: ErrorName = 'NONE'): FetchResponse {
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(error),
    sessionId: 0,
    responses,
    nodeEndpoints: [],
  }
}
