import type { FetchDraft } from '../../src/broker/fetcher/fetch-request.ts'
import { FetcherState, type Step } from '../../src/broker/fetcher/fetcher-state.ts'
import { errorCode, type ErrorName } from '../../src/broker/wire/errors.ts'
import type { Infer } from '../../src/broker/wire/field.ts'
import type { fetch } from '../../src/broker/wire/messages/index.ts'
import { FakeFollowed, topicId } from './fake-followed.ts'

export type Answer = Infer<typeof fetch.response>
export type PartitionAnswer = Answer['responses'][number]['partitions'][number]

/** What a follower asks a leader for. */
export const fetchSizes = {
  waitMsMax: 500,
  bytesMin: 1,
  partitionBytesMax: 1000,
  answerBytesMax: 5000,
  backoffMs: 1000,
}

/** Nothing holds a follower back. */
export const unlimited = {
  throttle: { isListed: () => false, isExceeded: () => false, record: () => {} },
  room: { isShort: () => false, isNeeded: () => false },
}

/** What a fetcher decides, with a test in the place of its leader and its shell. All partitions are of topic 1. */
export class FetcherDrive {
  /** Errors that were told, with the partition; null: of the whole. */
  readonly notes: (readonly [ErrorName, number | null])[] = []
  readonly throttle = { listed: new Set<number>(), isOver: false, recorded: 0 }
  readonly room = { isShort: false, needed: new Set<number>() }
  readonly state: FetcherState

  constructor() {
    const { throttle, room } = this
    this.state = new FetcherState({
      replicaId: 2,
      brokerEpoch: () => 77,
      sizes: () => ({ ...fetchSizes, backoffMs: 800 }),
      throttle: {
        isListed: ({ partition }) => throttle.listed.has(partition),
        isExceeded: () => throttle.isOver,
        record: bytes => void (throttle.recorded += bytes),
      },
      room: {
        isShort: () => room.isShort,
        isNeeded: ({ partition }) => room.needed.has(partition),
      },
      // The middle of all chances: next to no jitter.
      random: { bytes: length => new Uint8Array(length).fill(128) },
    })
  }

  /** Takes an answer; what it asks for is for the test to do. */
  take(answer: Answer, nowMs = 0): Step[] {
    return this.state.answered(answer, nowMs, (error, followed) =>
      this.notes.push([error, followed?.partition.id.partition ?? null]),
    )
  }

  /** Takes an answer that only brings records, and appends them. */
  act(answer: Answer, nowMs = 0): void {
    for (const step of this.take(answer, nowMs)) {
      if (step.kind !== 'append') throw new Error(`${step.kind} is no append`)
      const { partition } = step.followed
      partition.appendFetched(step.records, step.told, result =>
        this.state.appended(step, result, nowMs),
      )
    }
  }

  next(nowMs = 0): FetchDraft {
    const request = this.state.next(nowMs)
    if (request === null) throw new Error('there is no request')
    return request
  }

  follow(...partitions: number[]): FakeFollowed[] {
    const followed = partitions.map(partition => new FakeFollowed(1, partition))
    for (const each of followed) this.state.follow(each)
    return followed
  }

  /** They were asked for and answered: what comes next is of a session. */
  begun(...partitions: number[]): FakeFollowed[] {
    const followed = this.follow(...partitions)
    this.next()
    this.act(answer(partitions.map(partition => told(partition))))
    return followed
  }
}

export function told(partitionIndex: number, rest: Partial<PartitionAnswer> = {}): PartitionAnswer {
  return {
    partitionIndex,
    errorCode: 0,
    highWatermark: 0,
    lastStableOffset: 0,
    logStartOffset: 0,
    divergingEpoch: { epoch: -1, endOffset: -1 },
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    snapshotId: { endOffset: -1, epoch: -1 },
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: null,
    ...rest,
  }
}

export function failing(partition: number, error: ErrorName): PartitionAnswer {
  return told(partition, { errorCode: errorCode(error) })
}

export function answer(partitions: PartitionAnswer[], rest: Partial<Answer> = {}): Answer {
  const responses = [{ topic: '', topicId: topicId(1), partitions }]
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: 9,
    responses: partitions.length === 0 ? [] : responses,
    nodeEndpoints: [],
    ...rest,
  }
}

/** Partition and offset of each row, in order. */
export function asked({ topics }: FetchDraft): (readonly [number, number])[] {
  return topics.flatMap(topic =>
    topic.partitions.map(row => [row.partition, row.fetchOffset] as const),
  )
}

export function forgotten({ forgottenTopicsData }: FetchDraft): number[] {
  return forgottenTopicsData.flatMap(({ partitions }) => partitions)
}
