import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { createTopics } from '../../src/broker/wire/messages/index.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import { BrokerCluster } from '../helpers/broker-cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { metricsOf, sumOf } from '../helpers/metrics.ts'

const topic = 'copied'
/** Whoever is lost leads one of them. */
const partitionCount = 3
const assignments = [
  { partitionIndex: 0, brokerIds: [0, 1, 2] },
  { partitionIndex: 1, brokerIds: [1, 2, 0] },
  { partitionIndex: 2, brokerIds: [2, 0, 1] },
]
const lost = 2

/** Three brokers with a topic that all of them hold, of which one is killed. */
export class BusyCluster {
  readonly #cluster: BrokerCluster
  readonly #clients: readonly BrokerClient[]

  static async start(): Promise<BusyCluster> {
    const cluster = await BrokerCluster.start(3)
    try {
      const clients = await Promise.all([0, 1, 2].map(id => cluster.connect(id)))
      await eventually('a topic that each of them leads a part of', () => create(clients[0]!))
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

/** Whether the topic is there, with all three in sync. Who is fenced still when it is created would lead nothing of it. */
async function create(client: BrokerClient): Promise<boolean> {
  if ((await client.metadata([])).brokers.length < 3) return false
  const asked = { name: topic, numPartitions: -1, replicationFactor: -1, assignments, configs: [] }
  await client.request(createTopics, 7, { topics: [asked], validateOnly: false })
  const { topics } = await client.metadata([topic])
  const { partitions } = topics[0]!
  return (
    partitions.length === partitionCount &&
    partitions.every(({ isrNodes, leaderId, partitionIndex }) => {
      return isrNodes.length === 3 && leaderId === partitionIndex
    })
  )
}
