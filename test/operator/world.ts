import { SimClock } from '../../sim/clock.ts'
import { simRandom } from '../../sim/random.ts'
import { Prng } from '../../src/lib/prng.ts'
import type { Brokers } from '../../src/operator/brokers/brokers.ts'
import type { LogBroker } from '../../src/operator/crd/broker.ts'
import {
  logClusterSpec,
  type LogCluster,
  type LogClusterSpecInput,
} from '../../src/operator/crd/cluster.ts'
import { apiVersion } from '../../src/operator/crd/object.ts'
import { clusterLabels } from '../../src/operator/desired/labels.ts'
import { isConflict } from '../../src/operator/kubernetes/api-error.ts'
import type { ObjectEvent } from '../../src/operator/kubernetes/events.ts'
import type {
  ConfigMap,
  Draft,
  Node,
  PersistentVolumeClaim,
  Pod,
  Secret,
  StatefulSet,
  Stored,
} from '../../src/operator/kubernetes/objects.ts'
import type { Ring } from '../../src/operator/plan/observed.ts'
import { clusterReconcile } from '../../src/operator/reconcile/reconcile.ts'
import type { Outcome, Reconcile } from '../../src/operator/reconciler.ts'
import { silentLogger } from '../helpers/silent-logger.ts'
import { MemoryApi } from './memory-api.ts'
import { MemoryNodes } from './memory-nodes.ts'
import { StubBrokers } from './stub-brokers.ts'
import { StubDisks } from './stub-disks.ts'

export const at = { namespace: 'streaming', name: 'orders' } as const
export const broker = 'orders-main-0'

/** The operator is gone, between two writes or in the middle of one. */
export class Crash extends Error {}

/** What an operator is started as. */
interface OperatorProgram {
  readonly version: string
  readonly defaultImage: string
}

/** What a user writes at least. */
export const minimal: LogClusterSpecInput = {
  version: '0.1.0',
  image: { repository: 'registry.example/logcluster' },
  pools: [{ name: 'main', storage: { volumes: [{ name: 'data', size: '1Gi' }] } }],
}

/** A Kubernetes cluster in memory, with an operator that may end at any write. */
export class World {
  readonly api = new MemoryApi()
  readonly clock = new SimClock()
  readonly disks = new StubDisks()
  readonly nodes = new MemoryNodes(this.api, this.clock, this.disks)
  readonly brokers = new StubBrokers(this.disks)
  readonly events: ObjectEvent[] = []
  /** The fields of what the operator logged of what it did. */
  readonly logged: Readonly<Record<string, unknown>>[] = []
  /** Called whenever Kubernetes has moved on. */
  onRound: () => void = () => {}
  #program: OperatorProgram = { version: '0.1.0', defaultImage: 'localhost/logcluster:0.1.0' }
  #operator: Reconcile = this.#start()

  constructor() {
    // A kubelet that is fast.
    this.disks.revisionAt = () => this.secret('revision')
  }

  /** A value of the Secret of the private listeners; empty where it has none. */
  secret(key: string): string {
    const at = { namespace: 'streaming', name: 'orders-private' }
    const value = this.api.find<Secret>('Secret', at)?.data?.[key]
    return value === undefined ? '' : atob(value)
  }

  /** One whose objects were kept (`kept`): Kubernetes and the disks go on where they were. */
  static from(objects: readonly Stored[]): World {
    const world = new World()
    world.api.load(objects.map(withDefaults))
    for (const claim of world.api.all<PersistentVolumeClaim>('PersistentVolumeClaim')) {
      const owner = claim.metadata.labels?.['logcluster.dev/broker']
      const { namespace } = claim.metadata
      const name = `${owner}-identity`
      const identity = world.api.find<ConfigMap>('ConfigMap', { namespace: namespace!, name })
      world.disks.load(claim.spec!.volumeName!, identity?.data)
    }
    for (const { status } of world.api.all<LogBroker>('LogBroker')) {
      for (const [name, value] of Object.entries(status.appliedConfig ?? {})) {
        world.disks.configs.set(name, value)
      }
    }
    // Their processes run on, and answer.
    world.nodes.tick()
    return world
  }

  /** As many nodes, `n1` and so on, each for one broker. */
  withNodes(count: number): this {
    for (let number = 1; number <= count; number++) this.nodes.tellNode(true, `n${number}`)
    return this
  }

  /** What a user applies: the whole spec, with the defaults of the schema. */
  apply(spec: LogClusterSpecInput): void {
    const live = this.api.find<LogCluster>('LogCluster', at)
    const draft = live ?? { apiVersion, kind: 'LogCluster', metadata: { ...at }, status: {} }
    this.api.put({ ...draft, spec: logClusterSpec.parse(spec) } as unknown as Draft)
  }

  /** Another process, which knows nothing of what the one before was doing. */
  restartOperator(program: Partial<OperatorProgram> = {}): void {
    this.#program = { ...this.#program, ...program }
    this.#operator = this.#start()
  }

  /** One pass; false where the operator ended in it, or is to look again, as its queue would let it. */
  async pass(): Promise<boolean> {
    try {
      await this.#operator(at)
      return true
    } catch (error) {
      if (error instanceof Crash) this.restartOperator()
      else if (!isConflict(error)) throw error
      return false
    }
  }

  /** One pass, and when the next one is due. */
  outcome(): Promise<Outcome> {
    return this.#operator(at)
  }

  /** Passes, and Kubernetes at work between them, until neither has anything more to do. */
  async converge(): Promise<void> {
    let quiet = 0
    for (let round = 0; round < 200; round++) {
      const before = this.api.writes.length + this.brokers.altered.length
      const isWhole = await this.pass()
      const wrote = this.api.writes.length + this.brokers.altered.length - before
      const isBusy = this.nodes.tick()
      this.onRound()
      this.clock.advance(1000)
      quiet = isWhole && wrote === 0 && !isBusy ? quiet + 1 : 0
      if (quiet === 4) return
    }
    const last = this.api.writes.slice(-6).join('; ')
    throw new Error(`no rest after 200 rounds: ${this.cluster.status.columns?.status}; ${last}`)
  }

  get cluster(): LogCluster {
    return this.get<LogCluster>('LogCluster', at.name)
  }

  get logBroker(): LogBroker {
    return this.get<LogBroker>('LogBroker', broker)
  }

  get pod(): Pod {
    return this.get<Pod>('Pod', `${broker}-0`)
  }

  get statefulSet(): StatefulSet {
    return this.get<StatefulSet>('StatefulSet', broker)
  }

  get identity(): Readonly<Record<string, string>> {
    return this.get<ConfigMap>('ConfigMap', `${broker}-identity`).data ?? {}
  }

  get<Object extends Stored>(kind: string, name: string): Object {
    const found = this.api.find<Object>(kind, { namespace: at.namespace, name })
    if (found === null) throw new Error(`there is no ${kind} ${name}`)
    return found
  }

  has(kind: string, name: string): boolean {
    return this.api.find(kind, { namespace: at.namespace, name }) !== null
  }

  /** `True Serving`: status and reason of one of the cluster's conditions. */
  condition(type: string): string {
    const found = this.cluster.status.conditions?.find(each => each.type === type)
    return `${found?.status} ${found?.reason}`
  }

  message(type: string): string {
    return this.cluster.status.conditions?.find(each => each.type === type)?.message ?? ''
  }

  #start(): Reconcile {
    const { api, clock } = this
    const brokers = counted(this.brokers, api)
    const cache = <Object extends Stored>(kind: string) => api.cache<Object>(kind)
    return clusterReconcile({
      api,
      brokers,
      clock,
      random: simRandom(new Prng(1)),
      logger: { ...silentLogger, info: fields => void this.logged.push(fields) },
      events: { tell: event => void this.events.push(event) },
      nodes: {
        follow: (_cluster, names) =>
          new Map(
            [...names].flatMap(name => {
              const node = this.api.find<Node>('Node', { name })
              return node === null ? [] : [[name, node] as const]
            }),
          ),
      },
      ...this.#program,
      ringOf: smallRing,
      caches: {
        logClusters: cache('LogCluster'),
        logTopics: cache('LogTopic'),
        logBrokers: cache('LogBroker'),
        statefulSets: cache('StatefulSet'),
        pods: cache('Pod'),
        services: cache('Service'),
        configMaps: cache('ConfigMap'),
        persistentVolumeClaims: cache('PersistentVolumeClaim'),
        podDisruptionBudgets: cache('PodDisruptionBudget'),
        serviceAccounts: cache('ServiceAccount'),
        roles: cache('Role'),
        roleBindings: cache('RoleBinding'),
      },
    })
  }
}

const acts: ReadonlySet<string> = new Set<keyof Brokers>([
  'alterConfigs',
  'moveReplicas',
  'retireDirectory',
  'unregister',
])

/** What the operator has brokers do is a write like those to Kubernetes: it may end before and after it. */
function counted(brokers: Brokers, api: MemoryApi): Brokers {
  return new Proxy(brokers, {
    get(target, name: keyof Brokers) {
      const method = target[name] as (...args: unknown[]) => Promise<unknown>
      const ask = method.bind(target)
      if (!acts.has(name)) return ask
      return (...args: unknown[]) => api.act(`ask ${name}`, () => ask(...args))
    },
  })
}

/** As the API server gives what was stored before a field had its default. */
function withDefaults(object: Stored): Stored {
  if (object.kind !== 'LogCluster') return object
  const { spec } = object as unknown as { readonly spec: LogClusterSpecInput }
  return { ...object, spec: logClusterSpec.parse(spec) } as Stored
}

/** A ring of two slots and a Lease, so that a crash at each of its writes is soon tried. */
export function smallRing(namespace: string, cluster: string): Ring {
  const slots = [`${cluster}-md-00`, `${cluster}-md-01`]
  const lease = `${cluster}-controller`
  const metadata = (name: string, clusterId: string) => ({
    namespace,
    name,
    labels: clusterLabels(cluster, 'metadata'),
    annotations: { 'logcluster.dev/cluster-id': clusterId },
  })
  return {
    names: { configMaps: slots, leases: [lease] },
    objects: (clusterId, from) => [
      ...slots.map(name => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: metadata(name, clusterId),
        data: { from },
      })),
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: metadata(lease, clusterId),
        spec: {},
      } as Draft,
    ],
  }
}

/** A world with a cluster that is served. */
export async function created(spec: LogClusterSpecInput = minimal): Promise<World> {
  const world = new World()
  world.apply(spec)
  await world.converge()
  return world
}

/** Minimal, with another pool. */
export function pool(changes: object): LogClusterSpecInput {
  return { ...minimal, pools: [{ ...minimal.pools[0]!, ...changes }] }
}

export function reasons(world: World): string[] {
  return world.events.map(({ reason }) => reason)
}
