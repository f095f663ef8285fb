import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import { BrokerCluster } from '../helpers/broker-cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { metricsOf, sumOf } from '../helpers/metrics.ts'

const topic = 'copied'
/** Whoever is lost leads one of them. */
const partitionCount = 3
const lost = 2

/** Three brokers with a topic that all of them hold, of which one is killed. */
export class BusyCluster {
  readonly #cluster: BrokerCluster
  readonly #clients: readonly BrokerClient[]

  static async start(): Promise<BusyCluster> {
    const cluster = await BrokerCluster.start(3)
    try {
      const clients = await Promise.all([0, 1, 2].map(id => cluster.connect(id)))
      await clients[0]!.createTopics([{ name: topic, partitions: partitionCount, replicas: 3 }])
      const busy = new BusyCluster(cluster, clients)
      await busy.work()
      return busy
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(cluster: BrokerCluster, clients: readonly BrokerClient[]) {
    this.#cluster = cluster
    this.#clients = clients
  }

  /** Where each tells its metrics. */
  get addresses(): readonly string[] {
    return this.#cluster.brokers.map(({ http }) => http)
  }

  /** Kills one, and waits until those that are left say so. */
  async loseOne(): Promise<void> {
    await this.#cluster.broker(lost).kill()
    const fenced = async (): Promise<number> => {
      const left = this.#cluster.brokers.filter(({ isRunning }) => isRunning)
      const scrapes = await Promise.all(left.map(broker => metricsOf(broker)))
      return sumOf(scrapes.flat(), 'logcluster_cluster_broker_fenced')
    }
    await eventually('the lost broker is fenced', fenced, count => count === 1)
  }

  /** A record for each partition, wherever it is led now. */
  async work(): Promise<void> {
    const records = encodeBatch({ records: [{ key: null, value: new Uint8Array(1000) }] })
    for (let partition = 0; partition < partitionCount; partition++) {
      for (const [id, client] of this.#clients.entries()) {
        if (!this.#cluster.broker(id).isRunning) continue
        const { errorCode } = await client.produce({ topic, partition }, records)
        if (errorCode === 0) break
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster[Symbol.asyncDispose]()
  }
}
