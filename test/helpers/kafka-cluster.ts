import { type StartedBroker, startKafkas } from '../../tools/kafka.ts'
import { BrokerClient } from './broker-client.ts'
import type { Cluster, ClusterMember } from './cluster.ts'

/** Apache Kafka on several nodes, each of them broker and controller, to see what is to be expected of ours. Ids count from 0. */
export class KafkaCluster implements Cluster {
  readonly brokers: readonly KafkaNode[]
  readonly #clients: BrokerClient[] = []

  static async start(
    count: number,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<KafkaCluster> {
    const properties = { 'default.replication.factor': String(count), ...settings }
    const limits = { heapMiB: 400, readyMsMax: 180_000 }
    const started = await startKafkas(count, { firstId: 0, properties, ...limits })
    return new KafkaCluster(started.map(each => new KafkaNode(each)))
  }

  private constructor(brokers: readonly KafkaNode[]) {
    this.brokers = brokers
  }

  broker(id: number): KafkaNode {
    return this.brokers[id]!
  }

  async connect(id: number): Promise<BrokerClient> {
    const client = await BrokerClient.connect(this.broker(id).port)
    this.#clients.push(client)
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    await Promise.all(this.brokers.map(broker => broker.remove()))
  }
}

/** One node's life over any number of processes on one directory and one port. */
class KafkaNode implements ClusterMember {
  #process: StartedBroker
  /** Of the processes that have ended. */
  #said = ''
  #isRunning = true

  constructor(process: StartedBroker) {
    this.#process = process
  }

  get address(): string {
    return this.#process.address
  }

  get port(): number {
    return Number(this.address.split(':').at(-1))
  }

  get dataDir(): string {
    return this.#process.dataDir
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  get output(): string {
    return this.#said + (this.#isRunning ? this.#process.output() : '')
  }

  async start(): Promise<void> {
    this.#process = await this.#process.again()
    this.#isRunning = true
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  metric(name: string): Promise<number> {
    return Promise.reject(new Error(`Apache Kafka has no metric ${name}`))
  }

  /** With its data. One that is dying already is killed at once: nobody reads what it would still write. */
  async remove(): Promise<void> {
    if (this.#isRunning) await this.kill()
    await this.#process.stop()
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.#isRunning) return
    this.#isRunning = false
    this.#said += this.#process.output()
    await this.#process.end(signal)
  }
}
