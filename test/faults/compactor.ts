import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeBatch, sequenceAfter } from '../../src/broker/log/batch/batch.ts'
import { fromUtf8 } from '../../src/lib/bytes.ts'
import { problemsOf, type SeenRecord } from '../cleaner/checker.ts'
import { cleanedOffsetIn, logFolder } from '../cleaner/our-subject.ts'
import { readBatches } from '../cleaner/what-is-left.ts'
import type { BrokerClient, PartitionId } from '../helpers/broker-client.ts'
import type { World } from './world.ts'

const topic = 'compacted'
const partitionCount = 2
const keyCount = 20

/** Segments of some batches, cleaned as soon as one is closed and on the device. */
const configs = {
  'cleanup.policy': 'compact',
  'internal.segment.bytes': '4096',
  'min.cleanable.dirty.ratio': '0',
  'delete.retention.ms': '0',
  'flush.ms': '20',
}

/** Cleaning is looked for so often. */
export const compactorSettings = { 'log.cleaner.backoff.ms': '10' }

interface Lane extends PartitionId {
  /** Everything that was acknowledged. */
  readonly history: SeenRecord[]
  sequence: number
  /** Sent, and not answered yet. */
  unanswered: Sent | null
  /** Up to where it was cleaned when the last life began. */
  cleanedBefore: number
}

interface Sent {
  readonly bytes: Uint8Array
  readonly records: readonly Omit<SeenRecord, 'offset'>[]
}

/**
 * Writes the same few keys again and again to a topic that is compacted all the time, and holds what is left against
 * everything that was acknowledged: after each start, and at the end.
 */
export class Compactor {
  readonly #world: World
  readonly #dataDir: string
  readonly #lanes: readonly Lane[]
  #producerId = -1
  #number = 0
  /** Records that were gone at the last look. */
  goneRecords = 0

  static async over(world: World, client: BrokerClient, dataDir: string): Promise<Compactor> {
    const { topics } = await client.createTopics([
      { name: topic, partitions: partitionCount, configs },
    ])
    if (topics[0]?.errorCode !== 0) throw new Error(`CreateTopics of ${topic}`)
    return new Compactor(world, dataDir)
  }

  private constructor(world: World, dataDir: string) {
    this.#world = world
    this.#dataDir = dataDir
    this.#lanes = Array.from({ length: partitionCount }, (_, partition) => {
      return { topic, partition, history: [], sequence: 0, unanswered: null, cleanedBefore: 0 }
    })
  }

  run(): Promise<void> {
    return this.#world.persist('compactor', async client => {
      if (this.#producerId === -1) this.#producerId = await this.#world.newProducerId(client)
      await Promise.all(this.#lanes.map(lane => this.#pump(client, lane)))
    })
  }

  /** Whether something was cleaned in this life. */
  get hasCleaned(): boolean {
    return this.#lanes.every(lane => this.#cleanedOffset(lane) > lane.cleanedBefore)
  }

  /** Reads everything. Of what was not answered nothing is known; nothing else may be missing, or be there again. */
  async look(client: BrokerClient): Promise<void> {
    this.goneRecords = 0
    for (const lane of this.#lanes) {
      const cleanedTo = this.#cleanedOffset(lane)
      const endOffset = (lane.history.at(-1)?.offset ?? -1) + 1
      const found = (await this.#read(client, lane)).filter(({ offset }) => offset < endOffset)
      const untouchedFrom = this.#activeBase(lane)
      const bounds = { startOffset: 0, endOffset, untouchedFrom, cleanedTo, mayBeGone: () => true }
      for (const problem of problemsOf({ ...bounds, history: lane.history, found })) {
        this.#world.ledger.violation('compacted', `${topic}-${lane.partition} ${problem}`)
      }
      this.goneRecords += lane.history.length - found.length
      lane.cleanedBefore = cleanedTo
    }
  }

  async #pump(client: BrokerClient, lane: Lane): Promise<void> {
    const { random, ledger } = this.#world
    while (!this.#world.isDraining || lane.unanswered !== null) {
      const sent = (lane.unanswered ??= this.#next(lane))
      const { errorCode, baseOffset } = await client.produce(lane, sent.bytes)
      if (errorCode !== 0) {
        return ledger.violation('answer', `compactor to ${topic}-${lane.partition}: ${errorCode}`)
      }
      lane.unanswered = null
      for (const [at, record] of sent.records.entries()) {
        lane.history.push({ ...record, offset: baseOffset + at })
      }
      await sleep(random.below(4))
    }
  }

  #next(lane: Lane): Sent {
    const { random } = this.#world
    const count = 1 + random.below(5)
    const inputs = Array.from({ length: count }, () => {
      const value = random.chance(1, 8) ? null : `${this.#number++} `.repeat(1 + random.below(20))
      return { key: `key-${random.below(keyCount)}`, value }
    })
    const bytes = encodeBatch({
      records: inputs,
      baseTimestamp: Date.now(),
      producerId: this.#producerId,
      producerEpoch: 0,
      baseSequence: lane.sequence,
    })
    lane.sequence = sequenceAfter(lane.sequence, count)
    const records = inputs.map(({ key, value }) => {
      return { key, isTombstone: value === null, text: value ?? '' }
    })
    return { bytes, records }
  }

  async #read(client: BrokerClient, from: PartitionId): Promise<SeenRecord[]> {
    const found: SeenRecord[] = []
    for (let offset = 0; ;) {
      const answer = await client.fetch(from, offset, { maxBytes: 4 << 20 })
      if (answer.errorCode !== 0) throw new Error(`${topic}@${offset}: ${answer.errorCode}`)
      const batches = readBatches(answer.records)
      found.push(...batches.flatMap(({ records }) => records).map(seen))
      const last = batches.at(-1)?.header
      if (last !== undefined) offset = last.baseOffset + last.lastOffsetDelta + 1
      if (offset >= answer.highWatermark) return found
      if (last === undefined) throw new Error(`${topic}: nothing at ${offset}`)
    }
  }

  #cleanedOffset(lane: PartitionId): number {
    return cleanedOffsetIn(this.#dataDir, lane) ?? 0
  }

  #activeBase(lane: PartitionId): number {
    const names = readdirSync(join(this.#dataDir, logFolder(this.#dataDir, lane)))
    const bases = names.filter(name => /^\d{20}\.log$/.test(name))
    return Math.max(0, ...bases.map(name => Number(name.slice(0, 20))))
  }
}

function seen({ offset, key, value }: ReturnType<typeof readBatches>[0]['records'][0]): SeenRecord {
  const text = value === null ? '' : fromUtf8(value)
  return { offset, key: key === null ? null : fromUtf8(key), isTombstone: value === null, text }
}
