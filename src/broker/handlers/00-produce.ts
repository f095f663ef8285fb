import type { Uuid } from '../../lib/uuid.ts'
import type { MetadataImage, TopicImage } from '../metadata/image.ts'
import type { Partitions } from '../partition/partitions.ts'
import { UnwrittenBatches, type AppendResult, type PartitionAppend } from '../partition/requests.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import { produce, type ProduceRequest, type ProduceResponse } from '../wire/messages/index.ts'
import { ConnectionFault, type Answer, type Handler, type RequestContext } from './handler.ts'
import type { Endpoints } from './endpoints.ts'
import { partitionsOnce, type TopicPart } from './named-once.ts'

type PartitionData = ProduceRequest['topicData'][number]['partitionData'][number]
type Topics = readonly (TopicPart<PartitionData> & { readonly topicId: Uuid })[]
type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number]

export interface ProduceDeps {
  readonly partitions: Partitions
  readonly endpoints: Endpoints
  image(): MetadataImage
}

/** The first version whose clients may send zstd (KIP-110). */
const zstdVersionMin = 7
/** The first version that says who leads a partition that this broker does not (KIP-951). */
const leaderVersionMin = 10
/** The first version that has ids of topics in place of their names (KIP-516). */
const idVersionMin = 13

interface ProductionDeps extends ProduceDeps {
  readonly unwritten: UnwrittenBatches
}

/**
 * Produce: v3-13 (ApiVersions says 0-13, G2); by topic id since v13, where one that no topic has is UNKNOWN_TOPIC_ID.
 *
 * Every batch is validated, stamped in place and staged in the order of arrival before this returns (G14); the
 * frame is kept until the last of them is written or refused. A partition that is named twice gets the later batch
 * and one answer, as in Kafka. acks=0 is never answered, and closes the connection where something was refused
 * (G15). A transactional id is refused for good: transactions are not there yet.
 */
export function produceHandler(options: ProduceDeps): Handler<ProduceRequest, ProduceResponse> {
  const deps = { ...options, unwritten: new UnwrittenBatches() }
  return {
    api: produce,
    handle(request, context) {
      const { acks } = request
      if (acks !== -1 && acks !== 0 && acks !== 1)
        return refuseAll(request, 'INVALID_REQUIRED_ACKS')
      if (request.transactionalId !== null) {
        return refuseAll(request, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
      }
      return new Production(deps, request, context).run()
    },
  }
}

/** One produce request on its way through its partitions. */
class Production {
  readonly #deps: ProductionDeps
  readonly #request: ProduceRequest
  readonly #options: PartitionAppend
  readonly #namesById: boolean
  readonly #context: RequestContext
  readonly #nodeEndpoints: NonNullable<ProduceResponse['nodeEndpoints']> = []
  readonly #response: ProduceResponse = {
    responses: [],
    throttleTimeMs: 0,
    nodeEndpoints: this.#nodeEndpoints,
  }
  #openCount = 1
  #firstError: ErrorName = 'NONE'
  readonly #settled = Promise.withResolvers<Answer<ProduceResponse>>()
  readonly #releaseFrame: () => void

  constructor(deps: ProductionDeps, request: ProduceRequest, context: RequestContext) {
    this.#deps = deps
    this.#request = request
    this.#options = {
      acks: request.acks,
      timeoutMs: request.timeoutMs,
      origin: 'client',
      allowsZstd: context.apiVersion >= zstdVersionMin,
    }
    this.#context = context
    this.#namesById = context.apiVersion >= idVersionMin
    this.#releaseFrame = context.keepFrame()
  }

  run(): Promise<Answer<ProduceResponse>> {
    for (const { name, topicId, partitions } of topicsOf(this.#request)) {
      const partitionResponses: PartitionResponse[] = []
      this.#response.responses.push({ name, topicId, partitionResponses })
      const topic = this.#topicOf(name, topicId)
      const key = this.#namesById ? topicId : name
      for (const data of partitions) {
        const at = partitionResponses.push(refused(data.index, 'UNKNOWN_SERVER_ERROR', '', -1)) - 1
        this.#openCount++
        this.#append(topic, key, data, result => {
          this.#note(key, data, result)
          partitionResponses[at] = this.#answer(topic, data.index, result)
          this.#close()
        })
      }
    }
    this.#close()
    return this.#settled.promise
  }

  /** The topic that is meant; as an error where there is none. */
  #topicOf(name: string, topicId: Uuid): TopicImage | Refusal {
    const image = this.#deps.image()
    if (!this.#namesById) {
      const message = `There is no topic ${name} on this broker.`
      return image.topicByName(name) ?? refusal('UNKNOWN_TOPIC_OR_PARTITION', message)
    }
    const message = `There is no topic with the id ${topicId}; it may have been deleted and made anew.`
    return image.topicById(topicId) ?? refusal('UNKNOWN_TOPIC_ID', message)
  }

  #append(
    topic: TopicImage | Refusal,
    key: string,
    data: PartitionData,
    done: (result: AppendResult) => void,
  ): void {
    if ('error' in topic) return done(topic)
    const { name } = topic
    if (topic.isInternal) {
      return done(
        refusal('INVALID_TOPIC_EXCEPTION', `${name} is internal: clients cannot write to it.`),
      )
    }
    const partition = this.#deps.partitions.find(name, data.index)
    if (partition === undefined) {
      const message = `There is no partition ${data.index} of topic ${name} on this broker.`
      return done(refusal(this.#deps.partitions.absence(name, data.index), message))
    }
    if (data.records === null) {
      const message =
        'A partition of a produce request carries exactly one record batch of format 2.'
      return done(refusal('INVALID_RECORD', message))
    }
    const { unwritten } = this.#deps
    const { receivedAtMs } = this.#context
    const awaitedSequence = unwritten.awaitedBefore(key, data, receivedAtMs)
    const options = awaitedSequence === null ? this.#options : { ...this.#options, awaitedSequence }
    partition.append(data.records, options, done)
  }

  /** Of who sends with acks=0 nothing is awaited. */
  #note(key: string, data: PartitionData, result: AppendResult): void {
    const { unwritten } = this.#deps
    if (result.ok) unwritten.written(key, data)
    else if (this.#request.acks !== 0 && passingErrors.has(result.error)) {
      unwritten.refused(key, data, this.#context.receivedAtMs)
    }
  }

  #answer(topic: TopicImage | Refusal, index: number, result: AppendResult): PartitionResponse {
    if (result.ok) {
      return {
        ...refused(index, 'NONE', null, result.logStartOffset),
        baseOffset: result.baseOffset,
        logAppendTimeMs: result.logAppendTimeMs,
      }
    }
    if (this.#firstError === 'NONE') this.#firstError = result.error
    const recordErrors = result.recordErrors.map(({ index: batchIndex, message }) => ({
      batchIndex,
      batchIndexErrorMessage: message,
    }))
    const answer = refused(index, result.error, result.message, result.logStartOffset)
    const isElsewhere = result.error === 'NOT_LEADER_OR_FOLLOWER' && !('error' in topic)
    if (!isElsewhere || this.#context.apiVersion < leaderVersionMin) {
      return { ...answer, recordErrors }
    }
    return { ...answer, recordErrors, currentLeader: this.#leaderOf(topic.name, index) }
  }

  /** Who leads instead, and where he is. */
  #leaderOf(topic: string, index: number): PartitionResponse['currentLeader'] {
    const { partitions, endpoints } = this.#deps
    const leading = partitions.leading(topic, index)
    for (const { brokerId: nodeId, ...at } of endpoints.seenFrom(this.#context)) {
      const isNamed = this.#nodeEndpoints.some(node => node.nodeId === nodeId)
      if (nodeId === leading?.leader && !isNamed) this.#nodeEndpoints.push({ nodeId, ...at })
    }
    return { leaderId: leading?.leader ?? -1, leaderEpoch: leading?.leaderEpoch ?? -1 }
  }

  #close(): void {
    if (--this.#openCount > 0) return
    this.#releaseFrame()
    if (this.#request.acks !== 0) return this.#settled.resolve(this.#response)
    if (this.#firstError === 'NONE') return this.#settled.resolve(null)
    const message = `A batch sent with acks=0 was refused with ${this.#firstError}.`
    this.#settled.reject(new ConnectionFault('acks-zero-refused', message))
  }
}

/** A batch for each partition: where there are two, the later one. */
function topicsOf({ topicData }: ProduceRequest): Topics {
  const topics = topicData.map(({ partitionData, ...topic }) => {
    return { ...topic, partitions: partitionData }
  })
  return partitionsOnce(topics, ({ index }) => index)
}

function refuseAll(request: ProduceRequest, error: ErrorName): Answer<ProduceResponse> {
  if (request.acks === 0) {
    throw new ConnectionFault(
      'acks-zero-refused',
      `A request with acks=0 was refused with ${error}.`,
    )
  }
  return {
    responses: topicsOf(request).map(({ partitions, ...topic }) => ({
      ...topic,
      partitionResponses: partitions.map(data => refused(data.index, error, null, -1)),
    })),
    throttleTimeMs: 0,
    nodeEndpoints: [],
  }
}

/** With these nothing was written, and the client sends the batch again. */
const passingErrors: ReadonlySet<ErrorName> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'NOT_ENOUGH_REPLICAS',
  'KAFKA_STORAGE_ERROR',
])

type Refusal = Extract<AppendResult, { ok: false }>

function refusal(error: ErrorName, message: string): Refusal {
  return { ok: false, error, message, recordErrors: [], logStartOffset: -1 }
}

function refused(
  index: number,
  error: ErrorName,
  errorMessage: string | null,
  logStartOffset: number,
): PartitionResponse {
  return {
    index,
    errorCode: errorCode(error),
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset,
    recordErrors: [],
    errorMessage,
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
  }
}
