import { setTimeout as sleep } from 'node:timers/promises'
import { BrokerCluster } from '../helpers/broker-cluster.ts'
import type { Cluster } from '../helpers/cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { KafkaCluster } from '../helpers/kafka-cluster.ts'
import { ClusterWitness } from './cluster-witness.ts'
import type { Ground, Victim } from './ground.ts'

/** How long a killed broker is away: longer than it takes the others to choose another leader. */
const awayMs = 4000

/** Whose brokers these are: ours, or those of Apache Kafka 4.3.1 to see what is to be expected. */
export type Maker = 'ours' | 'kafka'

const makers = { ours: BrokerCluster, kafka: KafkaCluster } as const

/** Three brokers with all replicas on each, of which one is killed by SIGKILL in the middle of each scenario. */
export class ThreeBrokers implements Ground {
  readonly isKilled = true
  readonly #maker: Maker
  readonly #cluster: Cluster
  readonly #settings: Readonly<Record<string, string>>
  readonly #witness: ClusterWitness
  #comesBack: Promise<void> = Promise.resolve()
  /** Since `begin`, here or on a twin. */
  #hasStruck = false
  #parent: ThreeBrokers | null = null

  static async start(
    settings: Readonly<Record<string, string>>,
    maker: Maker = 'ours',
  ): Promise<ThreeBrokers> {
    const ground = new ThreeBrokers(await makers[maker].start(3, settings), settings, maker)
    await ground.calm()
    return ground
  }

  private constructor(cluster: Cluster, settings: Readonly<Record<string, string>>, maker: Maker) {
    this.#maker = maker
    this.#cluster = cluster
    this.#settings = settings
    this.#witness = new ClusterWitness(cluster)
  }

  get address(): string {
    return this.#cluster.brokers.map(({ address }) => address).join()
  }

  get output(): string {
    return this.#cluster.brokers.map(({ output }) => output).join('')
  }

  connect(): Promise<ClusterWitness> {
    return Promise.resolve(new ClusterWitness(this.#cluster))
  }

  /** Before a scenario: all brokers run, all replicas are in sync, and its middle is to come. */
  async begin(): Promise<void> {
    await this.calm()
    this.#hasStruck = false
  }

  /** Whether the middle has been. */
  get hasStruck(): boolean {
    return this.#hasStruck
  }

  async middle(victim: Victim): Promise<void> {
    if (this.#hasStruck) return
    // Nobody may be missing already: with two away an acknowledgement could rightly be withheld.
    await this.calm()
    const id =
      victim.is === 'leader'
        ? await this.#witness.leaderOf(victim)
        : await this.#witness.coordinatorOf(victim.group)
    this.#hasStruck = true
    if (this.#parent !== null) this.#parent.#hasStruck = true
    const broker = this.#cluster.broker(id)
    await broker.kill()
    this.#comesBack = sleep(awayMs).then(() => broker.start())
    this.#comesBack.catch(() => {})
  }

  /** All brokers run, and every partition has a leader and all of its replicas in sync. */
  async calm(): Promise<void> {
    await this.#comesBack
    const look = () => this.#witness.metadata()
    await eventually('all replicas in sync', look, ({ brokers, topics }) => {
      const partitions = topics.flatMap(topic => topic.partitions)
      const isWhole = partitions.every(
        ({ leaderId, isrNodes, replicaNodes }) =>
          leaderId >= 0 && isrNodes.length === replicaNodes.length,
      )
      return isWhole && brokers.length === this.#cluster.brokers.length
    })
  }

  async dataDirOf(topic: string): Promise<string> {
    const leader = await this.#witness.leaderOf({ topic, partition: 0 })
    return this.#cluster.broker(leader).dataDir
  }

  async restartLeader(topic: string): Promise<void> {
    await this.calm()
    const leader = await this.#witness.leaderOf({ topic, partition: 0 })
    await this.#cluster.broker(leader).stop()
    await this.#cluster.broker(leader).start()
  }

  /** Of all of them. */
  async unflushedBytes(): Promise<number> {
    await this.#comesBack
    const all = this.#cluster.brokers.map(broker => broker.metric('logcluster_unflushed_bytes'))
    return (await Promise.all(all)).reduce((sum, bytes) => sum + bytes, 0)
  }

  async twin(settings: Readonly<Record<string, string>>): Promise<ThreeBrokers> {
    const twin = await ThreeBrokers.start({ ...this.#settings, ...settings }, this.#maker)
    twin.#parent = this
    return twin
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#comesBack.catch(() => {})
    this.#witness.close()
    await this.#cluster[Symbol.asyncDispose]()
  }
}
