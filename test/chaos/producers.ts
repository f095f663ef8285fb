import { setTimeout as sleep } from 'node:timers/promises'
import { encodeBatch, sequenceAfter } from '../../src/broker/log/batch/batch.ts'
import { refuseErrors } from '../../src/broker/wire/client/client-error.ts'
import { errorName, errors } from '../../src/broker/wire/errors.ts'
import type { BrokerClient, Produced } from '../helpers/broker-client.ts'
import type { Writer } from '../faults/ledger.ts'
import type { Place } from '../faults/world.ts'
import type { Waits } from './waits.ts'
import type { ChaosWorld } from './world.ts'

/** Of a partition at one producer; Kafka's own. */
const inFlightMax = 5
/** Between two batches: the runs are about faults, and several share a machine. */
const pauseMsMax = 30

interface Batch {
  readonly first: number
  readonly count: number
  readonly bytes: Uint8Array
  readonly sentAtMs: number
}

/** As Kafka's own producers: five batches in flight, sent again with their sequences to whoever leads then, until they are acknowledged. */
export class IdempotentProducer {
  readonly #world: ChaosWorld
  readonly #waits: Waits
  readonly #place: Place
  readonly #name: string
  readonly #writer: Writer
  readonly #unanswered: Batch[] = []
  #producerId = -1
  #sequence = 0

  constructor(world: ChaosWorld, waits: Waits, place: Place) {
    this.#world = world
    this.#waits = waits
    this.#place = place
    this.#name = `idempotent-${place.topic}-${place.partition}`
    this.#writer = world.ledger.addWriter(this.#name, true)
  }

  run(): Promise<void> {
    return this.#world.onLeader(this.#name, this.#place, async client => {
      if (this.#producerId === -1) {
        const { errorCode, producerId } = await client.initProducerId()
        refuseErrors(errorCode, 'a producer id')
        this.#producerId = producerId
      }
      await this.#pump(client)
    })
  }

  async #pump(client: BrokerClient): Promise<void> {
    const inFlight = this.#unanswered.map(batch => this.#send(client, batch))
    const { random } = this.#world
    for (;;) {
      const fillTo = 1 + random.below(inFlightMax)
      while (inFlight.length < fillTo && !this.#world.isDraining) {
        inFlight.push(this.#send(client, this.#next()))
      }
      const oldest = inFlight.shift()
      if (oldest === undefined) return
      this.#take(await oldest)
      await sleep(random.below(pauseMsMax))
    }
  }

  #next(): Batch {
    const { ledger, random } = this.#world
    const count = 1 + random.below(4)
    const { first, values } = ledger.write(this.#place.key, this.#writer, count)
    const [producerId, baseSequence] = [this.#producerId, this.#sequence]
    const bytes = batchOf(values, { producerId, producerEpoch: 0, baseSequence })
    this.#sequence = sequenceAfter(this.#sequence, count)
    const batch = { first, count, bytes, sentAtMs: performance.now() }
    this.#unanswered.push(batch)
    this.#waits.began(this.#name, this.#unanswered[0]!.sentAtMs)
    return batch
  }

  #send(client: BrokerClient, { bytes }: Batch): Promise<Produced> {
    const answered = client.produce(this.#place, bytes)
    // Whoever awaits it hears of it; after the first failure nobody awaits the others.
    answered.catch(() => {})
    return answered
  }

  /** The answer to the oldest. What came before an acknowledged batch is there, so that none is ever out of order for good. */
  #take({ errorCode, baseOffset }: Produced): void {
    const error = errorName(errorCode)
    if (error === 'OUT_OF_ORDER_SEQUENCE_NUMBER') refuseErrors(notLeader, `${this.#name}: ${error}`)
    if (errorCode !== 0 && !errors[error].retriable) {
      this.#world.ledger.violation('answer', `${this.#name} was answered ${error}`)
    }
    refuseErrors(errorCode, this.#name)
    const batch = this.#unanswered.shift()!
    this.#world.ledger.acknowledged(this.#place.key, this.#writer, { ...batch, baseOffset })
    this.#waits.ended(this.#name, this.#unanswered[0]?.sentAtMs ?? null)
  }
}

/** Sends each batch once; of those without an answer nothing is known. What it sends on another connection is another writer's: a batch may lie in a socket of the one before. */
export class PlainProducer {
  readonly #world: ChaosWorld
  readonly #place: Place
  readonly #name: string

  constructor(world: ChaosWorld, place: Place) {
    this.#world = world
    this.#place = place
    this.#name = `plain-${place.topic}-${place.partition}`
  }

  run(): Promise<void> {
    const { ledger, random } = this.#world
    return this.#world.onLeader(this.#name, this.#place, async client => {
      const writer = ledger.addWriter(this.#name, false)
      while (!this.#world.isDraining) {
        const count = 1 + random.below(3)
        const { first, values } = ledger.write(this.#place.key, writer, count)
        const { errorCode, baseOffset } = await client.produce(this.#place, batchOf(values))
        // Before it is written; every other error may come after that.
        if (errorName(errorCode) === 'NOT_ENOUGH_REPLICAS') {
          ledger.refused(this.#place.key, writer, { first, count })
        }
        refuseErrors(errorCode, this.#name)
        ledger.acknowledged(this.#place.key, writer, { first, count, baseOffset })
        await sleep(random.below(pauseMsMax))
      }
    })
  }
}

const notLeader = 6

function batchOf(
  values: readonly Uint8Array[],
  producer: { producerId?: number; producerEpoch?: number; baseSequence?: number } = {},
): Uint8Array {
  const records = values.map((value, offsetDelta) => ({ offsetDelta, value }))
  return encodeBatch({ records, baseTimestamp: Date.now(), ...producer })
}
