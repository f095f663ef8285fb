import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel, type Consumer, type Producer } from 'kafkajs'
import { eventually } from '../helpers/eventually.ts'

const pauseMs = 5
/** By default this client waits more than half a minute for a broker that stands still. */
const requestTimeoutMs = 3_000

/** Records of one producer that waits for each to be acknowledged, and a group that reads them meanwhile. */
export class Traffic {
  readonly #topic: string
  readonly #producer: Producer
  readonly #consumer: Consumer
  readonly #acknowledged: string[] = []
  /** How often each value came. */
  readonly #read = new Map<string, number>()
  #longestSendMs = 0
  #isOver = false
  #sending: Promise<void> = Promise.resolve()

  constructor(brokers: readonly string[], topic: string) {
    this.#topic = topic
    const kafka = new Kafka({
      clientId: 'five-minutes',
      brokers: [...brokers],
      logLevel: logLevel.NOTHING,
      requestTimeout: requestTimeoutMs,
      connectionTimeout: 1_000,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 100 },
    })
    // A request that nobody answers does not make this client ask anew who leads, unless what it knows is old.
    const metadataMaxAge = 1_000
    this.#producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, metadataMaxAge })
    this.#consumer = kafka.consumer({
      groupId: 'readers',
      sessionTimeout: 10_000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 100,
    })
  }

  get acknowledgedCount(): number {
    return this.#acknowledged.length
  }

  async start(): Promise<void> {
    await this.#producer.connect()
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topic: this.#topic, fromBeginning: true })
    await this.#consumer.run({
      eachMessage: ({ message }) => {
        const value = message.value!.toString()
        this.#read.set(value, (this.#read.get(value) ?? 0) + 1)
        return Promise.resolve()
      },
    })
    this.#sending = this.#send()
  }

  /** Milliseconds that one record waited for its acknowledgement at most, since this was asked last. */
  takeLongestSendMs(): number {
    const longest = this.#longestSendMs
    this.#longestSendMs = 0
    return longest
  }

  /** Resolves when `count` further records were acknowledged. */
  async more(count: number): Promise<void> {
    const goal = this.acknowledgedCount + count
    await eventually(
      'acknowledged records',
      () => this.acknowledgedCount,
      seen => seen >= goal,
    )
  }

  /** Stops sending, and resolves to what came of it when the group has read all. */
  async finish(): Promise<{ readonly acknowledged: number; readonly lost: number }> {
    this.#isOver = true
    await this.#sending
    const lost = (): number => this.#acknowledged.filter(value => !this.#read.has(value)).length
    await eventually('the group has read all', lost, count => count === 0)
    await this.#consumer.disconnect()
    await this.#producer.disconnect()
    return { acknowledged: this.acknowledgedCount, lost: lost() }
  }

  async #send(): Promise<void> {
    for (let number = 0; !this.#isOver; number++) {
      const value = String(number)
      const sentAt = performance.now()
      await this.#producer.send({
        topic: this.#topic,
        acks: -1,
        timeout: requestTimeoutMs,
        messages: [{ key: String(number % 16), value }],
      })
      this.#longestSendMs = Math.max(this.#longestSendMs, performance.now() - sentAt)
      this.#acknowledged.push(value)
      await sleep(pauseMs)
    }
  }
}

/** Reads a topic from its beginning, alone; values in the order of each partition. */
export async function readAll(
  brokers: readonly string[],
  topic: string,
  count: number,
): Promise<string[]> {
  const kafka = new Kafka({ clientId: 'reader', brokers: [...brokers], logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: `alone-${count}`, maxWaitTimeInMs: 100 })
  const values: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachMessage: ({ message }) => {
      values.push(message.value!.toString())
      return Promise.resolve()
    },
  })
  await eventually(
    'everything is read',
    () => values.length,
    length => length >= count,
  )
  await consumer.disconnect()
  return values
}
