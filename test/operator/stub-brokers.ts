import { BrokerError } from '../../src/operator/brokers/broker-error.ts'
import type {
  BrokerAccess,
  Brokers,
  BrokerStatus,
  ClusterPlaces,
  ConfigChange,
  DescribedConfig,
  Outcome,
  PeerAccess,
  ReplicaMove,
  RetirementWish,
} from '../../src/operator/brokers/brokers.ts'
import type { StubCluster } from './stub-cluster.ts'

/** A broker that runs, as far as the operator asks it. */
export interface StubBroker {
  readonly status: BrokerStatus
  /** Set by requests, for all brokers and for this one. */
  readonly ofAll: Map<string, string>
  readonly own: Map<string, string>
}

const notAsked = (): never => {
  throw new BrokerError('answered', 'the stub answers no such question')
}

/** The brokers of a world in memory, by the addresses of their pods. */
export class StubBrokers implements Brokers {
  readonly #find: (host: string) => StubBroker | null
  /** Every change of configs that was granted. */
  readonly altered: ConfigChange[] = []
  /** Directories that count no more. */
  readonly retired = new Set<string>()
  /** Partitions of which no other copy is complete. */
  onlyCopies: readonly string[] = []
  /** Replicas that were asked to move, in order. */
  readonly moves: ReplicaMove[] = []
  /** Brokers that were unregistered, in order. */
  readonly forgotten: number[] = []
  /** How often anybody asked how a broker is. */
  looks = 0

  readonly #cluster: StubCluster
  readonly #drain: (brokerId: number, isWanted: boolean) => void

  constructor(disks: { readonly cluster: StubCluster; brokerAt(host: string): StubBroker | null }) {
    this.#cluster = disks.cluster
    this.#find = host => disks.brokerAt(host)
    this.#drain = (id, isWanted) => disks.cluster.drain(id, isWanted)
  }

  async status({ host }: BrokerAccess): Promise<BrokerStatus> {
    this.looks += 1
    return Promise.resolve(this.#broker(host).status)
  }

  async describeConfigs({
    host,
  }: BrokerAccess): Promise<readonly ReadonlyMap<string, DescribedConfig>[]> {
    const { ofAll, own } = this.#broker(host)
    const described = new Map<string, DescribedConfig>()
    for (const [name, value] of ofAll) {
      described.set(name, { value, source: 'dynamic of all', isReadOnly: false })
    }
    for (const [name, value] of own) {
      described.set(name, { value, source: 'dynamic', isReadOnly: false })
    }
    return Promise.resolve([described])
  }

  async alterConfigs(
    { host }: BrokerAccess,
    changes: readonly ConfigChange[],
  ): Promise<readonly Outcome[]> {
    const broker = this.#broker(host)
    for (const { of, configs } of changes) {
      const drain = configs['leadership.drain.enable']
      if (of.kind === 'broker' && of.id !== broker.status.brokerId) {
        throw new BrokerError('answered', `this is broker ${broker.status.brokerId}, not ${of.id}`)
      }
      if (of.kind === 'broker' && drain !== undefined) {
        this.#drain(of.id, drain === 'true')
        continue
      }
      const target = of.kind === 'all brokers' ? broker.ofAll : broker.own
      for (const [name, value] of Object.entries(configs)) {
        if (value === null) target.delete(name)
        else target.set(name, value)
      }
    }
    this.altered.push(...changes)
    return Promise.resolve(changes.map(() => null))
  }

  listTopics = notAsked
  describeTopics = notAsked
  createTopics = notAsked
  deleteTopics = notAsked
  createPartitions = notAsked

  async places({ host }: BrokerAccess, topics?: readonly string[]): Promise<ClusterPlaces> {
    this.#broker(host)
    const all = this.#cluster.places ?? []
    return Promise.resolve({
      racks: new Map(),
      partitions: all.filter(({ topic }) => topics?.includes(topic) ?? true),
      movingCount: all.filter(({ isMoving }) => isMoving).length,
    })
  }

  async moveReplicas(
    { host }: BrokerAccess,
    moves: readonly ReplicaMove[],
  ): Promise<readonly Outcome[]> {
    this.#broker(host)
    this.moves.push(...moves)
    for (const move of moves) this.#cluster.move(move)
    return Promise.resolve(moves.map(() => null))
  }

  async unregister({ host }: BrokerAccess, brokerId: number): Promise<Outcome> {
    this.#broker(host)
    const message = this.#cluster.forget(brokerId)
    if (message === null) this.forgotten.push(brokerId)
    return Promise.resolve(message === null ? null : { error: 'POLICY_VIOLATION', message })
  }

  async retireDirectory(
    access: PeerAccess,
    { directoryId, acceptDataLoss }: RetirementWish,
  ): Promise<Outcome> {
    this.#broker(access.host)
    const missing = this.onlyCopies.filter(name => !acceptDataLoss.includes(name))
    if (missing.length > 0) {
      const message = `Directory ${directoryId} may hold the only complete copy of ${missing.join(', ')}.`
      return Promise.resolve({ error: 'POLICY_VIOLATION', message })
    }
    this.retired.add(directoryId)
    return Promise.resolve(null)
  }

  close(): void {}

  #broker(host: string): StubBroker {
    const broker = this.#find(host)
    if (broker === null) throw new BrokerError('unreachable', `nobody answers at ${host}`)
    return broker
  }
}
