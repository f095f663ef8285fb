import type { LogBroker } from '../../../src/operator/crd/broker.ts'
import type { LogCluster } from '../../../src/operator/crd/cluster.ts'
import type { Pod, PersistentVolume } from '../../../src/operator/kubernetes/objects.ts'
import { BrokerClient } from '../../helpers/broker-client.ts'
import { eventually } from '../../helpers/eventually.ts'
import { TruthChecker, truthful } from '../truth-checker.ts'
import { example } from './installed.ts'
import { sharedAccess, sharedCluster } from './shared.ts'

export const pod = 'orders-main-0-0'
const logBroker = 'orders-main-0'

/** The LogCluster `orders` of an example in a namespace of its own, on the shared nodes. */
export class Orders {
  readonly namespace: string
  /** The example that it is made of, a path. */
  readonly file: string

  constructor(namespace: string, exampleName = 'minimal.yaml') {
    this.namespace = namespace
    this.file = example(exampleName)
  }

  /** Made, at rest, and where clients find it: CoreDNS and kube-proxy learn of a new Service a little after the operator is content. */
  async make(): Promise<void> {
    await sharedAccess().plane.kubectl(['create', 'namespace', this.namespace])
    await this.apply()
    await this.until('Stable', 'True Stable')
    using _ = await reached('the bootstrap Service', () => this.connect())
  }

  async apply(): Promise<void> {
    await this.kubectl('apply', '-f', this.file)
  }

  async kubectl(...args: readonly string[]): Promise<string> {
    return (await sharedAccess().plane.kubectl(['-n', this.namespace, ...args])).stdout
  }

  async read<Object>(kind: string, name: string): Promise<Object> {
    return JSON.parse(await this.kubectl('get', kind, name, '-o', 'json')) as Object
  }

  /** Load, and whether what the cluster says of itself is so, from now on. */
  truth(): TruthChecker {
    const { plane, names } = sharedAccess()
    return new TruthChecker({ plane, names, namespace: this.namespace, name: 'orders' })
  }

  /**
   * Load on the cluster for the time of `act`, through which it has to tell the truth of itself, to keep what it
   * acknowledged, and to let no request wait for longer than `longestWaitMsMax`. It ends when the load goes through again: after an
   * outage CoreDNS may tell where a pod was for a minute and more (89 s seen), and nobody can read what was acknowledged before.
   */
  async truthfully(
    longestWaitMsMax: number,
    act: (truth: TruthChecker) => Promise<void>,
  ): Promise<void> {
    await this.#watched(longestWaitMsMax, async truth => {
      await seen(truth)
      await act(truth)
      await seen(truth, truth.succeeded.fetch + 1, longestWaitMsMax)
    })
  }

  /**
   * The same while who speaks for the cluster is away or was set back in time: what is said of it counts from when the load goes
   * through again. Until then it may be that Kubernetes leads to where a pod was, or calls one not ready that serves.
   */
  async truthfullyAfter(longestWaitMsMax: number, act: () => Promise<void>): Promise<void> {
    await this.truthfully(longestWaitMsMax, async truth => {
      await truth.whileVoiceless(async () => {
        await act()
        await seen(truth, truth.succeeded.fetch + 1, longestWaitMsMax)
      })
      await seen(truth, truth.succeeded.fetch + 10, longestWaitMsMax)
    })
  }

  /** The same from before the cluster is there: how long it takes to come up is part of the longest wait. */
  async truthfullyFromBirth(longestWaitMsMax: number, act: () => Promise<void>): Promise<void> {
    await this.#watched(longestWaitMsMax, async truth => {
      await act()
      await seen(truth)
    })
  }

  async #watched(
    longestWaitMsMax: number,
    act: (truth: TruthChecker) => Promise<void>,
  ): Promise<void> {
    const truth = this.truth()
    try {
      await act(truth)
    } catch (error) {
      await truth.stop()
      throw error
    }
    const report = await truth.stop()
    console.log(JSON.stringify(report))
    truthful(report, { longestWaitMsMax })
  }

  /** To whichever broker the bootstrap Service leads. */
  connect(timeoutMs = 2_000): Promise<BrokerClient> {
    return this.connectTo(`orders-bootstrap.${this.namespace}.svc`, 9092, timeoutMs)
  }

  /** To a host by its name in the cluster. */
  protected async connectTo(name: string, port: number, timeoutMs: number): Promise<BrokerClient> {
    const host = await sharedAccess().names.resolve(name)
    return BrokerClient.connect(port, { host, timeoutMs })
  }

  cluster(): Promise<LogCluster> {
    return this.read('logcluster', 'orders')
  }

  broker(name = logBroker): Promise<LogBroker> {
    return this.read('logbroker', name)
  }

  async patch(spec: object): Promise<void> {
    await this.kubectl('patch', 'lc', 'orders', '--type=merge', '-p', JSON.stringify({ spec }))
  }

  async patchBroker(spec: object, name = logBroker): Promise<void> {
    await this.kubectl('patch', 'lb', name, '--type=merge', '-p', JSON.stringify({ spec }))
  }

  /** `True Serving`: status and reason of a condition, for the spec that is there now; '' before it was looked at. */
  async condition(type: string): Promise<string> {
    const { metadata, status } = await this.cluster()
    const found = status.conditions?.find(each => each.type === type)
    return found?.observedGeneration === metadata.generation
      ? `${found.status} ${found.reason}`
      : ''
  }

  /** Within a minute, or `msMax`. */
  until(type: string, wanted: string, msMax?: number): Promise<string> {
    return eventually(
      `${type} ${wanted}`,
      () => this.condition(type),
      found => found === wanted,
      msMax,
    )
  }

  /** Another pod has another one. */
  async podUid(): Promise<string> {
    return (await this.read<Pod>('pod', pod)).metadata.uid
  }

  async identity(name = logBroker): Promise<object> {
    return (await this.read<{ data: object }>('configmap', `${name}-identity`)).data
  }

  /** The sentence of a condition. */
  async message(type: string): Promise<string> {
    const { status } = await this.cluster()
    return status.conditions?.find(each => each.type === type)?.message ?? ''
  }

  /** Reasons of the events of the LogCluster. */
  async events(): Promise<readonly string[]> {
    const asked = ['get', 'events.events.k8s.io', '--field-selector=regarding.kind=LogCluster']
    return (await this.kubectl(...asked, '-o', 'jsonpath={.items[*].reason}')).split(' ')
  }

  /** Its namespace is deleted with all that is in it. */
  async deleteNamespace(): Promise<void> {
    const { plane } = sharedAccess()
    const asked = ['namespace', this.namespace, '--ignore-not-found']
    await plane.kubectl(['delete', ...asked, '--wait=false'])
    await eventually(
      `the namespace ${this.namespace} is gone`,
      async () => (await plane.kubectl(['get', ...asked, '-o', 'name'])).stdout,
      found => found === '',
      namespaceMs,
    )
  }

  /** Removed with its namespace; its volumes, which were kept, are emptied and given to whoever comes next. */
  async remove(): Promise<void> {
    const { plane, nodes } = sharedCluster()
    await this.deleteNamespace()
    for (const disk of nodes.flatMap(({ disks }) => disks)) {
      const asked = await plane.kubectl(['get', 'pv', disk.volume, '-o', 'json'])
      const { spec, status } = JSON.parse(asked.stdout) as PersistentVolume
      // Failed: to be deleted with its claim, and nobody is there who does.
      const isLeft = status?.phase === 'Released' || status?.phase === 'Failed'
      if (!isLeft || spec?.claimRef?.namespace !== this.namespace) continue
      disk.empty()
      // As an administrator gives a volume away again that was kept.
      const free = { spec: { claimRef: null, persistentVolumeReclaimPolicy: 'Delete' } }
      const patch = ['--type=merge', '-p', JSON.stringify(free)]
      await plane.kubectl(['patch', 'pv', disk.volume, ...patch])
    }
  }
}

/** By a port of a node: of any, once kube-proxy has given it to each. */
export function connectToNode(host: string, port: number): Promise<BrokerClient> {
  return reached(`${host}:${port}`, () => BrokerClient.connect(port, { host, timeoutMs: 10_000 }))
}

/** What is reached as soon as Kubernetes leads there. */
async function reached(what: string, connect: () => Promise<BrokerClient>): Promise<BrokerClient> {
  const { client } = await eventually(
    what,
    async () => {
      try {
        return { client: await connect() }
      } catch (error) {
        return { failure: String(error) }
      }
    },
    seen => seen.client !== undefined,
  )
  return client!
}

/** Until it is plain that its load goes through; after a scenario, that it does again. */
async function seen(truth: TruthChecker, count = 10, msMax?: number): Promise<void> {
  await eventually(
    'records that came back',
    () => ({ fetched: truth.succeeded.fetch, lastFailure: truth.lastFailure }),
    ({ fetched }) => fetched >= count,
    msMax,
  )
}

/** Pods are given their time to end, and on a loaded machine that is some; Kubernetes looks again a minute later, and after an outage it begins late. */
const namespaceMs = 200_000
