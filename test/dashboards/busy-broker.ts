import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Consumer, Kafka, logLevel, type Producer } from 'kafkajs'
import { WireClient } from '../../src/broker/wire/client/client.ts'
import { scramLogin } from '../../src/broker/wire/client/scram-login.ts'
import { scramMechanism } from '../../src/broker/wire/sasl/scram-mechanisms.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { NodeNetwork } from '../../src/env/real/network.ts'
import { realRandom } from '../../src/env/real/random.ts'
import type { TestBroker } from '../helpers/broker.ts'
import { kcat } from '../helpers/clients.ts'
import { evict } from '../helpers/page-cache.ts'
import { partitionFolder } from '../helpers/segments.ts'

/** Bytes of the topic that is read cold: more than one reads within a minute. */
const archiveBytes = 64 * 2 ** 20

const connectionsMax = 40

/** A door that nobody has the right password for. */
export interface PrivateDoor {
  readonly port: number
  /** With a file for each user. */
  readonly credentials: string
}

/** Settings of a broker that shows within seconds what takes hours else. */
export function busySettings({ port, credentials }: PrivateDoor): Record<string, string> {
  return {
    'log.cleaner.backoff.ms': '500',
    'max.connections.per.ip': String(connectionsMax),
    'private.listener': `127.0.0.1:${port}`,
    'private.credentials.dir': credentials,
  }
}

/**
 * Gives a broker a life: a producer, a topic that is compacted, readers from memory, a group that reads old data from
 * the device and is behind, and clients that make mistakes.
 */
export class BusyBroker {
  readonly #broker: TestBroker
  readonly #door: PrivateDoor
  readonly #producer: Producer
  readonly #consumer: Consumer
  #serial = 0

  static async start(broker: TestBroker, door: PrivateDoor): Promise<BusyBroker> {
    const brokers = [broker.address]
    const kafka = new Kafka({ clientId: 'busy', brokers, logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({
      topics: [
        { topic: 'hot', numPartitions: 2 },
        { topic: 'archive', numPartitions: 1 },
        { topic: 'latest', numPartitions: 1, configEntries: compacted },
      ],
    })
    await admin.disconnect()
    const line = `${'x'.repeat(1023)}\n`
    const input = line.repeat(archiveBytes / line.length)
    await kcat(['-P', '-b', broker.address, '-t', 'archive', '-p', '0'], { input })
    // What this process appended lately is not given back behind a reader.
    await broker.stop()
    await broker.start()
    const consumer = kafka.consumer({ groupId: 'archive', maxBytesPerPartition: 2 ** 18 })
    const busy = new BusyBroker(broker, door, { producer: kafka.producer(), consumer })
    await busy.#producer.connect()
    await busy.#readSlowly()
    return busy
  }

  private constructor(
    broker: TestBroker,
    door: PrivateDoor,
    { producer, consumer }: { producer: Producer; consumer: Consumer },
  ) {
    this.#broker = broker
    this.#door = door
    this.#producer = producer
    this.#consumer = consumer
  }

  /** Some work of every kind. */
  async work(): Promise<void> {
    const value = Buffer.alloc(1000, 'v')
    const messages = Array.from({ length: 500 }, (_, at) => ({ key: `key ${at % 50}`, value }))
    for (const topic of ['hot', 'latest']) {
      await this.#producer.send({
        topic,
        messages: [...messages, { key: `${this.#serial++}`, value }],
      })
    }
    const { address, dataDir } = this.#broker
    await kcat(['-C', '-b', address, '-t', 'hot', '-o', '-1000', '-e', '-q'])
    await Promise.all([this.#askBeyondTheEnd(), this.#sendNoFrame(), this.#guessThePassword()])
    await this.#comeInACrowd()
    // Now and then: in between the broker gives back by itself what it brought in behind the reader.
    if (this.#serial % 64 === 2) await evict(partitionFolder(dataDir, 'archive', 0))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#consumer.disconnect(), this.#producer.disconnect()])
  }

  /** From the beginning, a quarter of a mebibyte at a time, and from the beginning again. */
  async #readSlowly(): Promise<void> {
    const consumer = this.#consumer
    await consumer.connect()
    await consumer.subscribe({ topic: 'archive', fromBeginning: true })
    await consumer.run({
      autoCommitInterval: 5000,
      eachBatch: async payload => {
        const { batch } = payload
        payload.resolveOffset(batch.lastOffset())
        await payload.commitOffsetsIfNecessary()
        await payload.heartbeat()
        await sleep(50)
        if (Number(batch.lastOffset()) + 1 >= Number(batch.highWatermark)) {
          consumer.seek({ topic: 'archive', partition: 0, offset: '0' })
        }
      },
    })
  }

  async #askBeyondTheEnd(): Promise<void> {
    const args = ['-C', '-b', this.#broker.address, '-t', 'hot', '-p', '0', '-o', '999999999', '-e']
    await kcat([...args, '-q', '-X', 'auto.offset.reset=error'], { anyStatus: true })
  }

  async #guessThePassword(): Promise<void> {
    const address = { host: '127.0.0.1', port: this.#door.port }
    const guess = { user: 'operator', password: 'password' }
    const mechanism = scramMechanism('SCRAM-SHA-256')!
    const authenticate = scramLogin({ random: realRandom, mechanism, ...guess })
    const network = new NodeNetwork()
    await WireClient.connect({ clock: realClock, network }, address, { authenticate }).then(
      () => Promise.reject(new Error('a wrong password opened the private listener')),
      () => {},
    )
  }

  /** More than may be connected from one address. */
  async #comeInACrowd(): Promise<void> {
    const crowd = Array.from({ length: connectionsMax + 5 }, () => this.#connect())
    const gone = crowd.map(socket => once(socket, 'close'))
    await Promise.race(gone)
    for (const socket of crowd) socket.destroy()
    await Promise.all(gone)
  }

  #connect(): Socket {
    const [host, port] = this.#broker.address.split(':')
    return connect(Number(port), host).on('error', () => {})
  }

  /** A length that no request has. */
  async #sendNoFrame(): Promise<void> {
    const socket = this.#connect()
    socket.write(Buffer.from([0x7f, 0xff, 0xff, 0xff]))
    await once(socket, 'close')
  }
}

const compacted = [
  { name: 'cleanup.policy', value: 'compact' },
  { name: 'segment.bytes', value: String(2 ** 20) },
  { name: 'min.cleanable.dirty.ratio', value: '0.01' },
]
