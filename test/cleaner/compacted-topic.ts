import { encodeBatch, sequenceAfter } from '../../src/broker/log/batch/batch.ts'
import { encodeRecords, type RecordInput } from '../../src/broker/log/batch/records.ts'
import { codecNames, type CodecId } from '../../src/broker/log/compression/codec-id.ts'
import { makeLz4 } from '../../src/broker/log/compression/lz4.ts'
import { makeSnappy } from '../../src/broker/log/compression/snappy.ts'
import { makeGzip, makeZstd } from '../../src/broker/log/compression/zlib.ts'
import {
  deleteRecords,
  describeConfigs,
  incrementalAlterConfigs,
} from '../../src/broker/wire/messages/index.ts'
import type { BrokerClient, Produced } from '../helpers/broker-client.ts'
import { eventually } from '../helpers/eventually.ts'
import { readBatches, told, type Names, type ReadBatch, type ToldBatch } from './what-is-left.ts'

/** A broker whose cleaner is watched: Kafka or ours. */
export interface Subject {
  /** Over a connection to the process that runs now. */
  readonly client: BrokerClient
  /** Up to which offset partition 0 of a topic was cleaned, as the checkpoint says; null where it says nothing. */
  cleanedOffset(topic: string): number | null
}

/** Key, value, and what else there is; a null value is a tombstone. */
export type Rec = readonly [key: string | null, value: string | null, more?: More]

interface More {
  /** Behind the topic's origin; by default a millisecond after the record before. */
  readonly at?: number
  readonly headers?: RecordInput['headers']
}

export interface ProduceWish {
  readonly codec?: (typeof codecNames)[number]
  /** Its next sequence is used, or `sequence`. */
  readonly by?: Producer
  readonly sequence?: number
}

/** An idempotent producer of one topic. */
export interface Producer {
  readonly id: number
  epoch: number
  nextSequence: number
}

/** All that a scenario found out, by label: what is recorded of Kafka and compared. */
export type Findings = Record<string, unknown>

/** Between two batches, if nothing else is said. */
const stepMs = 1000
/** How long before now a scenario's origin lies: old enough for every rule of age, young for the default retention. */
export const originAgeMs = 3 * 86_400_000

/** A topic of one partition with small segments, what is done to it, and what is left of it. */
export class CompactedTopic {
  readonly findings: Findings = {}
  readonly name: string
  readonly #subject: Subject
  readonly #originMs = Date.now() - originAgeMs
  readonly #producerIds: number[] = []
  readonly #timesMs = new Set<number>()
  #nextMs = 0
  #activeBase = 0
  #rollsNext = false

  constructor(subject: Subject, name: string) {
    this.#subject = subject
    this.name = name
  }

  /** It is cleaned when `clean` says so, and not before: at a ratio of 1 no log is dirty enough. */
  async make(configs: Readonly<Record<string, string>>): Promise<void> {
    const all = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '1', ...configs }
    const answer = await this.#client.createTopics([{ name: this.name, configs: all }])
    const [topic] = answer.topics
    if (topic?.errorCode !== 0) {
      throw new Error(`${this.name}: ${topic?.errorCode} ${topic?.errorMessage}`)
    }
    const answers = async (): Promise<number> => (await this.#listOffset(-1)).errorCode
    await eventually(`${this.name} is served`, answers, code => code === 0)
  }

  async producer(): Promise<Producer> {
    // Kafka fetches its first block of ids when it is asked for one.
    const ask = () => this.#client.initProducerId()
    const answer = await eventually('a producer id', ask, ({ errorCode }) => errorCode === 0)
    const { producerId, producerEpoch } = answer
    this.#producerIds.push(producerId)
    return { id: producerId, epoch: producerEpoch, nextSequence: 0 }
  }

  /** One batch, which must be taken. Returns its base offset. */
  async produce(records: readonly Rec[], wish: ProduceWish = {}): Promise<number> {
    const produced = await this.offer(records, wish)
    if (produced.errorCode !== 0) {
      throw new Error(`${this.name}: ${produced.errorCode} ${produced.errorMessage}`)
    }
    return produced.baseOffset
  }

  /** One batch, whatever the answer. */
  async offer(records: readonly Rec[], wish: ProduceWish = {}): Promise<Produced> {
    const bytes = this.#batch(records, wish)
    const rolls = this.#rollsNext
    this.#rollsNext = false
    // Fits a segment alone, and no segment that has anything.
    if (rolls) await this.alter({ 'internal.segment.bytes': String(bytes.length) })
    const produced = await this.#client.produce(this.#partition, bytes)
    if (rolls) await this.alter({ 'internal.segment.bytes': '1000000' })
    if (produced.errorCode === 0 && rolls) this.#activeBase = produced.baseOffset
    return produced
  }

  /** The next batch begins a segment. */
  roll(): void {
    this.#rollsNext = true
  }

  /** Has everything cleaned below the active segment, or up to `upTo` where no more may be. */
  async clean(upTo = this.#activeBase): Promise<void> {
    await this.alter({ 'min.cleanable.dirty.ratio': '0' })
    await this.cleaned(upTo)
    await this.alter({ 'min.cleanable.dirty.ratio': '1' })
  }

  /** Waits until it is cleaned up to an offset. */
  async cleaned(upTo = this.#activeBase): Promise<void> {
    const at = () => this.#subject.cleanedOffset(this.name) ?? -1
    await eventually(`${this.name} is cleaned up to ${upTo}`, at, offset => offset >= upTo)
  }

  async startsAt(offset: number): Promise<void> {
    const start = async (): Promise<number> => (await this.#listOffset(-2)).offset
    await eventually(`${this.name} starts at ${offset}`, start, found => found === offset)
  }

  /** Sets configs, and waits until the broker goes by them. */
  async alter(configs: Readonly<Record<string, string>>): Promise<void> {
    await this.#set(configs)
    // Kafka takes changes in one by one: the second fence is seen when whatever came with the first is done.
    for (const _ of ['what was set', 'what came with it']) await this.#fence()
  }

  async #fence(): Promise<void> {
    const value = String(1_000_000_000 + fences++)
    await this.#set({ [fenceConfig]: value })
    const resource = {
      resourceType: 2,
      resourceName: this.name,
      configurationKeys: [fenceConfig],
    }
    const seen = async (): Promise<string | null | undefined> => {
      const body = { resources: [resource], includeSynonyms: false, includeDocumentation: false }
      const { results } = await this.#client.request(describeConfigs, 4, body)
      return results[0]?.configs[0]?.value
    }
    await eventually(`${fenceConfig} of ${this.name} is ${value}`, seen, found => found === value)
  }

  async #set(configs: Readonly<Record<string, string>>): Promise<void> {
    const wishes = Object.entries(configs).map(([name, value]) => {
      return { name, configOperation: 0, value }
    })
    const { responses } = await this.#client.request(incrementalAlterConfigs, 1, {
      resources: [{ resourceType: 2, resourceName: this.name, configs: wishes }],
      validateOnly: false,
    })
    const [answer] = responses
    if (answer?.errorCode !== 0) {
      throw new Error(`${this.name}: ${answer?.errorCode} ${answer?.errorMessage}`)
    }
  }

  /** Returns the error code. */
  async deleteRecordsBefore(offset: number): Promise<number> {
    const partitions = [{ partitionIndex: 0, offset }]
    const topics = [{ name: this.name, partitions }]
    const answer = await this.#client.request(deleteRecords, 2, { topics, timeoutMs: 10_000 })
    return answer.topics[0]!.partitions[0]!.errorCode
  }

  /** Keeps something for the comparison. */
  note(label: string, found: unknown): void {
    if (label in this.findings) throw new Error(`${this.name} says "${label}" twice`)
    this.findings[label] = found
  }

  /** Keeps everything that can be read now: batches, where each offset leads to, and, if times are the client's, each time. */
  async keep(label: string, { hasTimes = true } = {}): Promise<void> {
    const batches = await this.read()
    const startOffset = (await this.#listOffset(-2)).offset
    const endOffset = (await this.#listOffset(-1)).offset
    this.note(label, {
      startOffset,
      endOffset,
      batches: batches.map((batch): ToldBatch => told(batch, this.#names)),
      firstBatchFrom: await this.#firstBatches(startOffset, endOffset),
      ...(hasTimes
        ? { offsetsByTime: await this.#offsetsByTime(), maxTimestamp: await this.#offsetOf(-3) }
        : {}),
    })
  }

  /** As `keep`, of what is too much to be told: how much there is, and one line of each record in a checksum. */
  async keepDigest(label: string, digest: (lines: readonly string[]) => unknown): Promise<void> {
    const lines = (await this.read()).flatMap(batch => told(batch, this.#names).records)
    this.note(label, digest(lines))
  }

  /** Every batch from the log's start on. */
  async read(): Promise<ReadBatch[]> {
    const batches: ReadBatch[] = []
    let offset = (await this.#listOffset(-2)).offset
    for (;;) {
      const answer = await this.#client.fetch(this.#partition, offset, { maxBytes: 8 << 20 })
      if (answer.errorCode !== 0) throw new Error(`${this.name}@${offset}: ${answer.errorCode}`)
      const found = readBatches(answer.records)
      batches.push(...found)
      const last = found.at(-1)?.header
      if (last !== undefined) offset = last.baseOffset + last.lastOffsetDelta + 1
      if (offset >= answer.highWatermark) return batches
      if (last === undefined) throw new Error(`${this.name} gives nothing at ${offset}`)
    }
  }

  async #firstBatches(from: number, to: number): Promise<Record<string, number>> {
    const found: Record<string, number> = {}
    for (let offset = from; offset < to; offset++) {
      const { records } = await this.#client.fetch(this.#partition, offset, { maxBytes: 1 })
      found[offset] = readBatches(records)[0]?.header.baseOffset ?? -1
    }
    return found
  }

  async #offsetsByTime(): Promise<Record<string, string>> {
    const times = [...this.#timesMs].toSorted((a, b) => a - b)
    const asked = new Set(times.flatMap(time => [time, time + 1]))
    const found: Record<string, string> = {}
    for (const time of asked) found[time] = await this.#offsetOf(this.#originMs + time)
    return found
  }

  async #offsetOf(timestamp: number): Promise<string> {
    const { errorCode, offset, timestamp: found } = await this.#listOffset(timestamp)
    if (errorCode !== 0) return `error ${errorCode}`
    return `${offset} @${found === -1 ? -1 : Number(found) - this.#originMs}`
  }

  #batch(records: readonly Rec[], { codec = 'none', by, sequence }: ProduceWish): Uint8Array {
    const base = this.#nextMs
    let next = base
    const inputs = records.map(([key, value, { at, headers = [] } = {}], offsetDelta) => {
      const time = at ?? next
      next = time + 1
      this.#timesMs.add(time)
      return { offsetDelta, timestampDelta: time - base, key, value, headers }
    })
    this.#nextMs = base + stepMs
    const plain = encodeRecords(inputs)
    const number = codecNames.indexOf(codec) as CodecId
    const payload = { codec: number, bytes: makers[codec](plain), count: records.length }
    const baseSequence = sequence ?? by?.nextSequence ?? -1
    if (by !== undefined && sequence === undefined) {
      by.nextSequence = sequenceAfter(by.nextSequence, records.length)
    }
    const times = inputs.map(({ timestampDelta }) => timestampDelta)
    return encodeBatch({
      records: payload,
      baseTimestamp: this.#originMs + base,
      maxTimestamp: this.#originMs + base + Math.max(...times),
      producerId: by?.id ?? -1,
      producerEpoch: by?.epoch ?? -1,
      baseSequence,
    })
  }

  get #names(): Names {
    return { originMs: this.#originMs, producer: id => this.#producerIds.indexOf(id) }
  }

  get #client(): BrokerClient {
    return this.#subject.client
  }

  get #partition(): { readonly topic: string; readonly partition: number } {
    return { topic: this.name, partition: 0 }
  }

  #listOffset(timestamp: number): ReturnType<BrokerClient['listOffset']> {
    return this.#client.listOffset(this.#partition, timestamp)
  }
}

/** A config that nothing here goes by: its value tells how far a broker has come with what was set. */
const fenceConfig = 'flush.messages'
/** Of this process, so that no two fences have the same value. */
let fences = 0

const makers: Readonly<Record<(typeof codecNames)[number], (bytes: Uint8Array) => Uint8Array>> = {
  none: bytes => bytes,
  gzip: makeGzip,
  snappy: makeSnappy,
  lz4: makeLz4,
  zstd: makeZstd,
}
