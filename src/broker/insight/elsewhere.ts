import type { Clock } from '../../env/env.ts'
import type { CommittedOffset } from '../coordinator/group-views.ts'
import type { Partitions } from '../partition/partitions.ts'
import type { Lag } from './numbers.ts'

/** What lies before an offset, as the leader of its partition told it. */
interface ToldBacklog {
  readonly offset: number
  /** Estimated. */
  readonly bytes: number
  /** Of the first record, in milliseconds since 1970; null where it has none, or there is no record. */
  readonly timestampMs: number | null
}

/** What the leader of a partition told of it. */
export interface ToldPartition {
  readonly topic: string
  readonly partition: number
  readonly startOffset: number
  /** Up to here consumers may read. */
  readonly highWatermark: number
  /** By their offsets, ascending. */
  readonly backlogs: readonly ToldBacklog[]
}

/** Offsets of one partition that somebody else leads. */
export interface Question {
  readonly topic: string
  readonly partition: number
  /** Ascending, none twice. */
  readonly offsets: readonly number[]
}

/** What is to be known of partitions that other brokers lead. */
export interface LedElsewhere {
  isElsewhere(topic: string, partition: number): boolean
  /** Partitions of the topic that other brokers lead. */
  partitionsOf(topic: string): readonly number[]
  /** Where consumers end, and from where there are records; null where that is not known. */
  endOf(topic: string, partition: number): ToldPartition | null
  /** The lag of somebody who reads `offset` next; null where it is not known. */
  lagOf(position: { topic: string; partition: number; offset: number }, nowMs: number): Lag | null
}

/** Of a broker that is alone. */
export const nowhere: LedElsewhere = {
  isElsewhere: () => false,
  partitionsOf: () => [],
  endOf: () => null,
  lagOf: () => null,
}

/** What a leader told some time ago is not told on for longer than this: rather nothing than what is no longer true. */
const toldMsMax = 30_000

export interface ElsewhereOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly partitions: Pick<Partitions, 'brokerId' | 'leading' | 'leaders'>
  /** Offsets that are asked for at one time; what is beyond is left out, as its series would be. */
  readonly offsetsMax: number
}

/**
 * Backlogs of partitions that other brokers lead, before what groups committed that are coordinated here. This broker alone tells their
 * lag, so that it is told once: it knows what was committed, and asks the leaders for the rest.
 */
export class Elsewhere implements LedElsewhere {
  readonly #options: ElsewhereOptions
  readonly #told = new Map<
    string,
    Map<number, { readonly atMs: number; readonly it: ToldPartition }>
  >()

  constructor(options: ElsewhereOptions) {
    this.#options = options
  }

  /** What to ask, by the leader. */
  questions(committed: Iterable<CommittedOffset>): Map<number, Question[]> {
    const { offsetsMax, partitions } = this.#options
    const offsets = new Map<string, { topic: string; partition: number; offsets: Set<number> }>()
    let count = 0
    for (const { topic, partition, committedOffset } of committed) {
      if (!this.isElsewhere(topic, partition)) continue
      if (count++ >= offsetsMax) break
      const key = `${topic} ${partition}`
      const known = offsets.get(key)
      if (known !== undefined) known.offsets.add(committedOffset)
      else offsets.set(key, { topic, partition, offsets: new Set([committedOffset]) })
    }
    const byLeader = new Map<number, Question[]>()
    for (const { topic, partition, offsets: wanted } of offsets.values()) {
      const { leader } = partitions.leading(topic, partition)!
      const question = { topic, partition, offsets: [...wanted].toSorted((a, b) => a - b) }
      const known = byLeader.get(leader)
      if (known === undefined) byLeader.set(leader, [question])
      else known.push(question)
    }
    return byLeader
  }

  /** A leader answered. */
  told(it: ToldPartition): void {
    let ofTopic = this.#told.get(it.topic)
    if (ofTopic === undefined) this.#told.set(it.topic, (ofTopic = new Map()))
    ofTopic.set(it.partition, { it, atMs: this.#options.clock.monotonic() })
  }

  /** What was told too long ago goes. */
  forget(): void {
    for (const [topic, ofTopic] of this.#told) {
      for (const [partition, { atMs }] of ofTopic) {
        if (this.#isOld(atMs)) ofTopic.delete(partition)
      }
      if (ofTopic.size === 0) this.#told.delete(topic)
    }
  }

  isElsewhere(topic: string, partition: number): boolean {
    const { partitions } = this.#options
    const leader = partitions.leading(topic, partition)?.leader ?? -1
    return leader >= 0 && leader !== partitions.brokerId
  }

  partitionsOf(topic: string): readonly number[] {
    const { partitions } = this.#options
    return partitions
      .leaders(topic)
      .flatMap((leader, index) => (leader < 0 || leader === partitions.brokerId ? [] : [index]))
  }

  endOf(topic: string, partition: number): ToldPartition | null {
    const told = this.#told.get(topic)?.get(partition)
    return told === undefined || this.#isOld(told.atMs) ? null : told.it
  }

  /**
   * Records are exact as of when the leader was asked. What it said of bytes and time was of the offset that was committed then:
   * where the group went on since, bytes are a share of it, and the time is too long by as much as it went on.
   */
  lagOf(
    { topic, partition, offset }: { topic: string; partition: number; offset: number },
    nowMs: number,
  ): Lag | null {
    const end = this.endOf(topic, partition)
    if (end === null) return null
    const recordsFrom = (from: number): number =>
      Math.max(0, end.highWatermark - Math.max(from, end.startOffset))
    const records = recordsFrom(offset)
    if (records === 0) return { records, bytes: 0, seconds: 0 }
    const known = end.backlogs.findLast(told => told.offset <= offset) ?? end.backlogs[0]
    if (known === undefined) return null
    const { bytes, timestampMs } = known
    const share = records / Math.max(1, recordsFrom(known.offset))
    const seconds = timestampMs === null ? null : Math.max(0, nowMs - timestampMs) / 1000
    return { records, bytes: Math.round(bytes * share), seconds }
  }

  #isOld(atMs: number): boolean {
    return this.#options.clock.monotonic() - atMs > toldMsMax
  }
}
