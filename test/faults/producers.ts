import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { encodeBatch, sequenceAfter } from '../../src/broker/log/batch/batch.ts'
import { encodeRecords } from '../../src/broker/log/batch/records.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import type { Writer } from './ledger.ts'
import type { Place, World } from './world.ts'

export type BatchCodec = 'none' | 'gzip' | 'zstd'

/** As Kafka's own producers: five batches in flight on a partition, sent again with their sequences when unanswered. */
export class IdempotentProducer {
  readonly #world: World
  readonly #name: string
  readonly #codec: BatchCodec
  readonly #lanes: Lane[]
  #producerId = -1

  constructor(world: World, name: string, places: readonly Place[], codec: BatchCodec = 'none') {
    this.#world = world
    this.#name = name
    this.#codec = codec
    const writer = world.ledger.addWriter(name, true)
    this.#lanes = places.map(place => ({ place, writer, sequence: 0, unanswered: [], dead: false }))
  }

  get unansweredCount(): number {
    return this.#lanes.reduce((sum, { unanswered }) => sum + unanswered.length, 0)
  }

  run(): Promise<void> {
    return this.#world.persist(this.#name, async client => {
      if (this.#producerId === -1) this.#producerId = await this.#world.newProducerId(client)
      await Promise.all(this.#lanes.map(lane => this.#pump(client, lane)))
    })
  }

  async #pump(client: BrokerClient, lane: Lane): Promise<void> {
    this.#world.resentBatches += lane.unanswered.length
    const inFlight = lane.unanswered.map(batch => this.#send(client, lane, batch))
    while (!lane.dead) {
      const fillTo = 1 + this.#world.random.below(inFlightMax)
      while (inFlight.length < fillTo && !this.#world.isDraining) {
        inFlight.push(this.#send(client, lane, this.#next(lane)))
      }
      const oldest = inFlight.shift()
      if (oldest === undefined) return
      await oldest
      if (this.#world.random.chance(1, 3)) await sleep(this.#world.random.below(8))
    }
  }

  #next(lane: Lane): Batch {
    const { ledger, random } = this.#world
    const count = 1 + random.below(8)
    const { first, values } = ledger.write(lane.place.key, lane.writer, count)
    const bytes = batchOf(values, this.#codec, {
      producerId: this.#producerId,
      producerEpoch: 0,
      baseSequence: lane.sequence,
    })
    lane.sequence = sequenceAfter(lane.sequence, count)
    const batch = { first, count, bytes }
    lane.unanswered.push(batch)
    return batch
  }

  #send(client: BrokerClient, lane: Lane, batch: Batch): Promise<void> {
    const answered = client.produce(lane.place, batch.bytes).then(answer => {
      if (lane.dead) return
      if (answer.errorCode !== 0) {
        lane.dead = true
        const { first } = batch
        const what = `${this.#name} #${first} to ${lane.place.topic}-${lane.place.partition}`
        const text = `${what} was answered ${answer.errorCode}: ${answer.errorMessage}`
        this.#world.ledger.violation('answer', text)
        return
      }
      lane.unanswered.shift()
      const { baseOffset } = answer
      this.#world.ledger.acknowledged(lane.place.key, lane.writer, { ...batch, baseOffset })
    })
    // Whoever awaits it hears of it; after the first failure nobody awaits the others.
    answered.catch(() => {})
    return answered
  }
}

/** Sends each batch once; of those without an answer nothing is known. */
export class PlainProducer {
  readonly #world: World
  readonly #name: string
  readonly #writer: Writer
  readonly #places: readonly Place[]

  constructor(world: World, name: string, places: readonly Place[]) {
    this.#world = world
    this.#name = name
    this.#writer = world.ledger.addWriter(name, false)
    this.#places = places
  }

  run(): Promise<void> {
    const { random } = this.#world
    return this.#world.persist(this.#name, async client => {
      while (!this.#world.isDraining) {
        const pipelined = Array.from({ length: 1 + random.below(3) }, () => this.#send(client))
        await Promise.all(pipelined)
        await sleep(random.below(5))
      }
    })
  }

  #send(client: BrokerClient): Promise<void> {
    const place = this.#world.random.pick(this.#places)
    return sendOnce({ world: this.#world, client, writer: this.#writer }, place)
  }
}

/** One batch without idempotence; resolves when it is acknowledged or refused. */
export async function sendOnce(
  { world, client, writer }: { world: World; client: BrokerClient; writer: Writer },
  place: Place,
): Promise<void> {
  const count = 1 + world.random.below(5)
  const { first, values } = world.ledger.write(place.key, writer, count)
  const acks = world.random.chance(1, 2) ? 1 : -1
  const answer = await client.produce(place, batchOf(values), acks)
  if (answer.errorCode === 0) {
    const { baseOffset } = answer
    return world.ledger.acknowledged(place.key, writer, { first, count, baseOffset })
  }
  world.ledger.refused(place.key, writer, { first, count })
  const where = `${place.topic}-${place.partition}`
  world.ledger.violation('answer', `${writer.name} to ${where}: error ${answer.errorCode}`)
}

const inFlightMax = 5

interface Batch {
  readonly first: number
  readonly count: number
  readonly bytes: Uint8Array
}

interface Lane {
  readonly place: Place
  readonly writer: Writer
  sequence: number
  /** Sent, perhaps more than once, in the order of their sequences. */
  readonly unanswered: Batch[]
  /** A batch was refused: all after it would be too. */
  dead: boolean
}

function batchOf(
  values: readonly Uint8Array[],
  codec: BatchCodec = 'none',
  producer: { producerId?: number; producerEpoch?: number; baseSequence?: number } = {},
): Uint8Array {
  const records = values.map((value, offsetDelta) => ({ offsetDelta, value }))
  const baseTimestamp = Date.now()
  if (codec === 'none') return encodeBatch({ records, baseTimestamp, ...producer })
  const plain = encodeRecords(records)
  const payload =
    codec === 'gzip'
      ? { codec: 1, bytes: gzipSync(plain, { level: 1 }), count: records.length }
      : { codec: 4, bytes: zstdCompressSync(plain), count: records.length }
  return encodeBatch({ records: payload, baseTimestamp, ...producer })
}
