import type { Brokers } from '../../../../src/operator/brokers/brokers.ts'
import { WireBrokers } from '../../../../src/operator/brokers/wire-brokers.ts'
import type { LogTopic, LogTopicSpecInput } from '../../../../src/operator/crd/topic.ts'
import { realClock } from '../../../../src/env/real/clock.ts'
import { NodeNetwork } from '../../../../src/env/real/network.ts'
import { realRandom } from '../../../../src/env/real/random.ts'
import { kubeconfig } from '../../../../src/operator/kubernetes/kubeconfig.ts'
import { Transport } from '../../../../src/operator/kubernetes/transport.ts'
import { OperatorMetrics } from '../../../../src/operator/metrics.ts'
import { controllerNames, Operator } from '../../../../src/operator/operator.ts'
import { topicsReconciler } from '../../../../src/operator/topics/reconcile-topics.ts'
import type { InProcessBroker } from '../../../helpers/in-process.ts'
import { passwords, privatePort, startPrivate } from '../../../helpers/private-broker.ts'
import { silentLogger } from '../../../helpers/silent-logger.ts'
import type { ControlPlane } from '../../control-plane/control-plane.ts'

export const operatorUser = 'operator-of-topics'

let serial = 0

/** A namespace with a LogCluster `orders` whose one broker runs in this process. */
export class TopicWorld {
  readonly plane: ControlPlane
  readonly namespace: string
  readonly broker: InProcessBroker
  /** What Kubernetes knows the broker's pod by. */
  readonly address = `10.7.0.${++serial}`

  private constructor(plane: ControlPlane, namespace: string, broker: InProcessBroker) {
    this.plane = plane
    this.namespace = namespace
    this.broker = broker
  }

  static async make(plane: ControlPlane, namespace: string): Promise<TopicWorld> {
    const world = new TopicWorld(plane, namespace, await startPrivate())
    await plane.kubectl(['create', 'namespace', namespace])
    const clusterRef = { name: 'orders' }
    await world.apply({ kind: 'LogCluster', name: 'orders', spec: clusterSpec })
    const broker = { clusterRef, pool: 'main', slot: 0, brokerId: 0 }
    await world.apply({ kind: 'LogBroker', name: 'orders-main-0', spec: broker })
    await world.#pod()
    const password = `--from-literal=operator=${passwords.operator}`
    await world.kubectl(['create', 'secret', 'generic', 'orders-private', password])
    return world
  }

  /** Of the broker, at an address by which we know it; nobody schedules it. */
  async #pod(): Promise<void> {
    const labels = {
      'app.kubernetes.io/managed-by': 'logcluster-operator',
      'app.kubernetes.io/component': 'broker',
      'logcluster.dev/cluster': 'orders',
      'logcluster.dev/broker': 'orders-main-0',
    }
    const name = 'orders-main-0-0'
    const spec = { containers: [{ name: 'broker', image: 'none' }] }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec }
    await this.kubectl(['create', '-f', '-'], JSON.stringify(pod))
    const status = JSON.stringify({
      status: { podIP: this.address, podIPs: [{ ip: this.address }] },
    })
    await this.kubectl(['patch', 'pod', name, '--subresource=status', '--type=merge', '-p', status])
  }

  kubectl(args: readonly string[], input?: string) {
    const options = input === undefined ? {} : { input }
    return this.plane.kubectl(['-n', this.namespace, ...args], options)
  }

  async topic(name: string, spec: Omit<LogTopicSpecInput, 'clusterRef'> = {}): Promise<void> {
    await this.apply({ kind: 'LogTopic', name, spec: { clusterRef: { name: 'orders' }, ...spec } })
  }

  async apply({ kind, name, spec }: { kind: string; name: string; spec: object }): Promise<void> {
    const object = { apiVersion: 'logcluster.dev/v1beta1', kind, metadata: { name }, spec }
    await this.kubectl(['apply', '-f', '-'], JSON.stringify(object))
  }

  async read(name: string): Promise<LogTopic> {
    const { stdout } = await this.kubectl(['get', 'logtopic', name, '-o', 'json'])
    return JSON.parse(stdout) as LogTopic
  }

  /** `status reason` of a condition. */
  async condition(name: string, type = 'Ready'): Promise<string> {
    const { status } = await this.read(name)
    const found = status.conditions?.find(it => it.type === type)
    return `${found?.status} ${found?.reason}`
  }

  /** Reasons of the events of an object. */
  async events(name: string): Promise<string[]> {
    const selector = `--field-selector=regarding.name=${name}`
    const asked = ['get', 'events.events.k8s.io', selector, '-o', 'jsonpath={.items[*].reason}']
    return (await this.kubectl(asked)).stdout.split(' ').filter(reason => reason !== '')
  }
}

const clusterSpec = {
  version: '0.1.0',
  pools: [{ name: 'main', brokers: 1, storage: { volumes: [{ name: 'data', size: '1Gi' }] } }],
}

/** Brokers by the addresses of their pods, at which nobody is. */
function routed(worlds: readonly TopicWorld[], inner: Brokers, calls: string[]): Brokers {
  return new Proxy(inner, {
    get: (target, method: keyof Brokers) => {
      if (method === 'close') return () => target.close()
      return (broker: { host: string }, ...rest: unknown[]) => {
        calls.push(method)
        const world = worlds.find(({ address }) => address === broker.host)!
        const here = { ...broker, host: '127.0.0.1', port: privatePort(world.broker) }
        return (target[method] as (...args: unknown[]) => unknown).call(target, here, ...rest)
      }
    },
  })
}

/** An operator in this process, whose LogClusters nobody changes. */
export function operatorOf(plane: ControlPlane, worlds: readonly TopicWorld[]) {
  const env = { clock: realClock, random: realRandom, network: new NodeNetwork() }
  const source = kubeconfig(plane.kubeconfigOf(`/O=system:masters/CN=${operatorUser}`))
  const sender = new Transport({ source, clock: realClock, userAgent: 'operator' })
  const calls: string[] = []
  const failures: unknown[] = []
  const brokers = new WireBrokers(env)
  const metrics = new OperatorMetrics(controllerNames)
  const operator = new Operator({
    env,
    sender,
    brokers: routed(worlds, brokers, calls),
    logger: silentLogger,
    metrics,
    watchNamespaces: worlds.map(({ namespace }) => namespace),
    version: '0.1.0',
    defaultImage: 'none',
    lease: { namespace: 'default', name: 'topics' },
    instance: 'here',
    reconcilers: {
      logcluster: () => async () => ({ requeueAfterMs: null }),
      logtopic: topicsReconciler,
    },
    fatal: error => failures.push(error),
  })
  return {
    operator,
    metrics,
    calls,
    failures,
    async [Symbol.asyncDispose]() {
      await operator.stop()
      brokers.close()
      await sender.close()
    },
  }
}
