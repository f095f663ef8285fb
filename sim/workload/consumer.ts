import { batchOverheadBytes, readBatchHeader } from '../../src/broker/log/batch/batch.ts'
import { readRecords } from '../../src/broker/log/batch/records.ts'
import { AnsweredError } from '../../src/broker/wire/client/client-error.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import { fetch } from '../../src/broker/wire/messages/index.ts'
import { fromUtf8 } from '../../src/lib/bytes.ts'
import type { World } from '../cluster/world.ts'
import type { History, SeenRecord } from './history.ts'
import { SimClient } from './sim-client.ts'

export interface ConsumerOptions {
  readonly world: World
  readonly history: History
  readonly topic: string
  readonly partition: number
}

/** What one Fetch brought. */
export interface Fetched {
  readonly records: readonly SeenRecord[]
  readonly highWatermark: number
}

/** Reads one partition from its start on, again and again from where it came to. */
export class SimConsumer {
  readonly name: string
  readonly #options: ConsumerOptions
  readonly #client: SimClient
  #offset = 0
  #highWatermark = 0

  constructor(options: ConsumerOptions, name: string) {
    this.name = `consumer-${name}`
    this.#options = options
    this.#client = new SimClient(options.world, this.name)
  }

  /** What it reads next. */
  get offset(): number {
    return this.#offset
  }

  get highWatermark(): number {
    return this.#highWatermark
  }

  stop(): void {
    this.#client.stop()
  }

  /** Until it is stopped. */
  async run(): Promise<void> {
    const { world, history, topic, partition } = this.#options
    const facts = history.partition(topic, partition)
    while (!this.#client.isStopped) {
      try {
        const { records, highWatermark } = await fetchFrom(
          this.#client,
          this.#options,
          this.#offset,
        )
        this.#highWatermark = highWatermark
        for (const record of records) {
          facts.seen(record)
          history.seenCount++
          this.#offset = record.offset + 1
        }
        await this.#client.pause(80)
      } catch (error) {
        if (this.#client.isStopped) return
        world.trace.note(`${this.name}: ${(error as Error).message}`)
        this.#client.forget(topic)
        if (error instanceof AnsweredError && error.error === 'OFFSET_OUT_OF_RANGE') {
          world.fail(`I5: ${topic}-${partition} does not have ${this.#offset} any more`)
        }
        await this.#client.pause(200)
      }
    }
  }
}

/** One Fetch. @throws AnsweredError, WireClientError */
export async function fetchFrom(
  client: SimClient,
  from: Pick<ConsumerOptions, 'topic' | 'partition'>,
  offset: number,
): Promise<Fetched> {
  const { topic, partition } = from
  const { client: wire, led } = await client.leaderOf(topic, partition)
  const asked = {
    partition,
    fetchOffset: offset,
    currentLeaderEpoch: led.leaderEpoch,
    partitionMaxBytes: 64 * 1024,
  }
  const answer = await wire.request(fetch, {
    maxWaitMs: 400,
    minBytes: 1,
    maxBytes: 1024 * 1024,
    isolationLevel: 0,
    sessionId: 0,
    topics: [{ topic, topicId: led.topicId, partitions: [asked] }],
    forgottenTopicsData: [],
    rackId: '',
  })
  const told = answer.responses[0]?.partitions[0]
  const error = errorName(told?.errorCode ?? answer.errorCode)
  if (error !== 'NONE') throw new AnsweredError(error, `${topic}-${partition}`)
  const records = recordsIn(told?.records ?? new Uint8Array(0)).filter(
    record => record.offset >= offset,
  )
  return { records, highWatermark: Number(told?.highWatermark ?? -1) }
}

/** Records of whole batches; a last one that was cut is left out, as clients do. */
function recordsIn(bytes: Uint8Array): SeenRecord[] {
  const records: SeenRecord[] = []
  for (let at = 0; at + batchOverheadBytes <= bytes.length;) {
    const header = readBatchHeader(bytes, at)
    if (at + header.sizeBytes > bytes.length) break
    const payload = bytes.subarray(at + batchOverheadBytes, at + header.sizeBytes)
    for (const { offsetDelta, value } of readRecords(payload, header)) {
      const text = fromUtf8(value ?? new Uint8Array(0))
      records.push({
        offset: header.baseOffset + offsetDelta,
        value: text.slice(0, text.indexOf(' ')),
      })
    }
    at += header.sizeBytes
  }
  return records
}
