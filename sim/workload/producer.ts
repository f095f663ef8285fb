import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { AnsweredError, errorClassOf } from '../../src/broker/wire/client/client-error.ts'
import { errorName, type ErrorName } from '../../src/broker/wire/errors.ts'
import { initProducerId, produce } from '../../src/broker/wire/messages/index.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import type { World } from '../cluster/world.ts'
import { type History, valueOf } from './history.ts'
import { SimClient } from './sim-client.ts'

export interface ProducerOptions {
  readonly world: World
  readonly history: History
  readonly topic: string
  readonly partition: number
  readonly isIdempotent: boolean
  /** Milliseconds between two batches, about. */
  readonly everyMs: number
}

/** What says for certain that nothing was written. */
const definite: ReadonlySet<ErrorName> = new Set(['NOT_ENOUGH_REPLICAS', 'INVALID_RECORD'])

type Leader = Awaited<ReturnType<SimClient['leaderOf']>>

/** Batches of an idempotent producer that are under way at the same time: as many as brokers remember. */
const inFlightMax = 5

/** A batch that is on its way. */
interface Pending {
  readonly values: readonly string[]
  readonly records: Uint8Array
}

/**
 * Writes unique values to one partition with acks=all, a batch at a time. An idempotent one repeats a batch until it is
 * acknowledged, as Kafka's producer does; a plain one gives up a batch whose outcome nobody knows.
 */
export class SimProducer {
  readonly name: string
  readonly #options: ProducerOptions
  readonly #client: SimClient
  readonly #prng: Prng
  #producerId = -1
  #sequence = 0
  #number = 0
  #pauseMs: number
  /** Batches that were acknowledged. */
  ackedCount = 0

  constructor(options: ProducerOptions, name: string) {
    const kind = options.isIdempotent ? 'idempotent' : 'plain'
    this.name = `${kind}-${name}`
    this.#options = options
    this.#client = new SimClient(options.world, this.name)
    this.#prng = new Prng(options.world.prng.uint32())
    this.#pauseMs = options.everyMs
  }

  stop(): void {
    this.#client.stop()
  }

  /** Until it is stopped. */
  async run(): Promise<void> {
    const { isIdempotent } = this.#options
    while (!this.#client.isStopped) {
      if (isIdempotent && this.#producerId === -1) await this.#retrying(() => this.#begin())
      else await this.#write()
      await this.#client.pause(1 + this.#prng.below(2 * this.#pauseMs))
    }
  }

  async #begin(): Promise<void> {
    const any = await this.#client.connections.any()
    const { errorCode, producerId } = await any.request(initProducerId, {
      transactionalId: null,
      transactionTimeoutMs: 60_000,
      enable2Pc: false,
      keepPreparedTxn: false,
    })
    if (errorCode !== 0) throw new AnsweredError(errorName(errorCode), 'InitProducerId')
    this.#producerId = Number(producerId)
  }

  /** A few batches at once, in their order; what was not acknowledged goes again, in that order, until all were. */
  async #write(): Promise<void> {
    const { isIdempotent } = this.#options
    const count = isIdempotent && this.#prng.chance(1, 2) ? 1 + this.#prng.below(inFlightMax) : 1
    const pending = Array.from({ length: count }, () => this.#next())
    if (!isIdempotent) return this.#writeOnce(pending[0]!)
    let left: readonly Pending[] = pending
    await this.#retrying(async () => {
      const leader = await this.#leader()
      const outcomes = await Promise.allSettled(left.map(each => this.#deliver(each, leader)))
      const failed = outcomes.findIndex(({ status }) => status === 'rejected')
      if (failed === -1) return
      left = left.slice(failed)
      throw (outcomes[failed] as PromiseRejectedResult).reason
    })
  }

  #leader(): ReturnType<SimClient['leaderOf']> {
    return this.#client.leaderOf(this.#options.topic, this.#options.partition)
  }

  async #writeOnce(pending: Pending): Promise<void> {
    const { history, topic, partition } = this.#options
    try {
      await this.#deliver(pending, await this.#leader())
    } catch (error) {
      if (error instanceof AnsweredError && definite.has(error.error)) {
        const facts = history.partition(topic, partition)
        for (const value of pending.values) facts.rejected(value)
      }
      this.#failed(error)
      await this.#client.pause(100 + this.#prng.below(200))
    }
  }

  async #deliver(pending: Pending, leader: Leader): Promise<void> {
    const { history, topic, partition } = this.#options
    const baseOffset = await this.#send(pending, leader)
    const facts = history.partition(topic, partition)
    if (baseOffset >= 0) {
      pending.values.forEach((value, at) => facts.acked(value, baseOffset + at))
    }
    history.ackedCount += pending.values.length
    this.ackedCount++
  }

  #next(): Pending {
    const count = 1 + this.#prng.below(3)
    const values = Array.from({ length: count }, () => valueOf(this.name, this.#number++))
    const padding = '.'.repeat(this.#prng.chance(1, 20) ? this.#prng.below(3000) : 0)
    const records = values.map(value => ({ key: null, value: utf8(`${value} ${padding}`) }))
    const idempotent = this.#options.isIdempotent
      ? { producerId: this.#producerId, producerEpoch: 0, baseSequence: this.#sequence }
      : {}
    this.#sequence += count
    const baseTimestamp = this.#options.world.time.now()
    return { values, records: encodeBatch({ records, baseTimestamp, ...idempotent }) }
  }

  /** Returns the base offset; -1 where it was written before and nobody knows where. */
  async #send({ records }: Pending, { client, led }: Leader): Promise<number> {
    const { topic, partition } = this.#options
    const partitionData = [{ index: partition, records: records.slice() }]
    const answer = await client.request(produce, {
      acks: -1,
      timeoutMs: 3000,
      topicData: [{ name: topic, topicId: led.topicId, partitionData }],
    })
    const told = answer.responses[0]!.partitionResponses[0]!
    const error = errorName(told.errorCode)
    if (error === 'DUPLICATE_SEQUENCE_NUMBER') return -1
    if (error !== 'NONE') throw new AnsweredError(error, `${topic}-${partition}`)
    return Number(told.baseOffset)
  }

  /** Until it is done, or this producer is stopped: then false. */
  async #retrying(attempt: () => Promise<void>): Promise<boolean> {
    while (!this.#client.isStopped) {
      try {
        await attempt()
        return true
      } catch (error) {
        this.#failed(error)
      }
      await this.#client.pause(50 + this.#prng.below(150))
    }
    return false
  }

  #failed(error: unknown): void {
    const { world, topic } = this.#options
    if (this.#client.isStopped) return
    world.trace.note(`${this.name}: ${(error as Error).message}`)
    this.#client.forget(topic)
    const isKnown = error instanceof Error && error.name.endsWith('Error')
    const isFinal = errorClassOf(error) === 'final'
    const name = error instanceof AnsweredError ? error.error : ''
    // A leader that is sure of a gap lost what it had acknowledged, or took what it should not have taken.
    if (isFinal && (name === 'OUT_OF_ORDER_SEQUENCE_NUMBER' || !isKnown)) {
      world.fail(`I2: ${this.name} got ${(error as Error).message}`)
    }
  }
}
