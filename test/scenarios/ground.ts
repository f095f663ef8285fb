import { startBroker, type TestBroker } from '../helpers/broker.ts'
import { BrokerClient } from '../helpers/broker-client.ts'

/** What our own client is asked of the brokers, as a witness of what other people's do. */
export type Witness = Pick<
  BrokerClient,
  'produce' | 'listOffset' | 'createTopics' | 'deleteTopics' | 'metadata' | 'request' | 'close'
>

/** Whom a scenario has killed in its middle. */
export type Victim =
  | { readonly is: 'leader'; readonly topic: string; readonly partition: number }
  | { readonly is: 'coordinator'; readonly group: string }

/** The brokers that a scenario plays on. */
export interface Ground extends AsyncDisposable {
  /** Where clients begin: `HOST:PORT`, several with commas between them. */
  readonly address: string
  /** Whether one is killed in the middle of a scenario. */
  readonly isKilled: boolean
  /** All that the brokers have said. */
  readonly output: string
  connect(): Promise<Witness>
  /** The middle of a scenario, its first call counts: on several brokers the victim is killed, and comes back after a while. */
  middle(victim: Victim): Promise<void>
  /** A data directory that has partition 0 of the topic as clients see it. */
  dataDirOf(topic: string): Promise<string>
  /** Stops whoever leads partition 0 of the topic, in order, and starts it again. */
  restartLeader(topic: string): Promise<void>
  /** Written and not flushed, on all brokers together. */
  unflushedBytes(): Promise<number>
  /** The same on directories of its own, but for `settings`. */
  twin(settings: Readonly<Record<string, string>>): Promise<Ground>
}

/** One broker, which nobody kills. */
export class OneBroker implements Ground {
  readonly isKilled = false
  readonly #broker: TestBroker

  static async start(
    settings: Readonly<Record<string, string>>,
    native: 'on' | 'off',
  ): Promise<OneBroker> {
    return new OneBroker(await startBroker({ settings, native }))
  }

  private constructor(broker: TestBroker) {
    this.#broker = broker
  }

  get address(): string {
    return this.#broker.address
  }

  get output(): string {
    return this.#broker.output
  }

  connect(): Promise<BrokerClient> {
    return BrokerClient.connect(this.#broker.port)
  }

  middle(): Promise<void> {
    return Promise.resolve()
  }

  dataDirOf(): Promise<string> {
    return Promise.resolve(this.#broker.dataDir)
  }

  async restartLeader(): Promise<void> {
    await this.#broker.stop()
    await this.#broker.start()
  }

  unflushedBytes(): Promise<number> {
    return this.#broker.metric('logcluster_unflushed_bytes')
  }

  async twin(settings: Readonly<Record<string, string>>): Promise<OneBroker> {
    return new OneBroker(await this.#broker.twin(settings))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#broker[Symbol.asyncDispose]()
  }
}
