import { realClock } from '../../../../src/env/real/clock.ts'
import { realRandom } from '../../../../src/env/real/random.ts'
import type { LogCluster, LogClusterSpecInput } from '../../../../src/operator/crd/cluster.ts'
import type { KubernetesApi } from '../../../../src/operator/kubernetes/api.ts'
import { kubeconfig } from '../../../../src/operator/kubernetes/kubeconfig.ts'
import { Transport } from '../../../../src/operator/kubernetes/transport.ts'
import { OperatorMetrics } from '../../../../src/operator/metrics.ts'
import { controllerNames, Operator } from '../../../../src/operator/operator.ts'
import { logClusters } from '../../../../src/operator/own-kinds.ts'
import { clusterReconcile } from '../../../../src/operator/reconcile/reconcile.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { silentLogger } from '../../../helpers/silent-logger.ts'
import { StubBrokers } from '../../../operator/stub-brokers.ts'
import { StubDisks } from '../../../operator/stub-disks.ts'
import { smallRing } from '../../../operator/world.ts'
import type { ControlPlane } from '../../control-plane/control-plane.ts'
import { apiClient } from './api-client.ts'
import { FakeKubelet } from './fake-kubelet.ts'
import { installCrds } from '../../crds.ts'

export const operatorUser = 'operator-of-clusters'

/** What a whole control plane has once: CRDs, a node that is one in name only, a class of local volumes. */
export async function furnish(plane: ControlPlane): Promise<void> {
  await installCrds(plane)
  const capacity = { cpu: '64', memory: '256Gi', pods: '200' }
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1' } },
    status: {
      capacity,
      allocatable: capacity,
      conditions: [{ type: 'Ready', status: 'True', reason: 'Fake', message: '' }],
    },
  }
  const storageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'local' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
    allowVolumeExpansion: true,
  }
  await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(node) })
  await plane.kubectl(['replace', '--subresource=status', '-f', '-'], {
    input: JSON.stringify(node),
  })
  // Admission gives every new node that taint, and no kubelet takes it away here.
  await plane.kubectl(['taint', 'nodes', 'n1', 'node.kubernetes.io/not-ready-'])
  await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(storageClass) })
}

/** The least that a user writes here. */
export const minimal: LogClusterSpecInput = {
  version: '0.1.0',
  image: { repository: 'registry.example/logcluster' },
  pools: [
    {
      name: 'main',
      storage: { volumes: [{ name: 'data', size: '1Gi', storageClassName: 'local' }] },
    },
  ],
}

/** A namespace with one LogCluster `orders`, an operator in this process, and a kubelet that only tells. */
export class ClusterWorld {
  readonly plane: ControlPlane
  readonly namespace: string
  readonly disks = new StubDisks()
  readonly brokers = new StubBrokers(this.disks)
  readonly kubelet: FakeKubelet
  /** Wraps the operator's API; a test that lets it end at a write gives another. */
  guard: (api: KubernetesApi) => KubernetesApi = api => api
  readonly #admin: ReturnType<typeof apiClient>
  #operator: { operator: Operator; sender: Transport } | null = null

  constructor(plane: ControlPlane, namespace: string) {
    this.plane = plane
    this.namespace = namespace
    this.#admin = apiClient(plane.kubeconfig)
    this.kubelet = new FakeKubelet(plane, this.#admin.api, namespace, this.disks)
  }

  static async make(plane: ControlPlane, namespace: string): Promise<ClusterWorld> {
    const world = new ClusterWorld(plane, namespace)
    await plane.restrictedNamespace(namespace)
    await world.addVolume(1)
    world.kubelet.start()
    return world
  }

  async addVolume(number: number, broker = 'orders-main-0'): Promise<void> {
    const volumeName = `${this.namespace}-${broker === 'orders-main-0' ? '' : `${broker}-`}${number}`
    const hostname = { key: 'kubernetes.io/hostname', operator: 'In', values: ['n1'] }
    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volumeName },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Delete',
        storageClassName: 'local',
        local: { path: `/disks/${volumeName}` },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } },
        claimRef: { namespace: this.namespace, name: `data-${broker}-${number}` },
      },
    }
    await this.plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(volume) })
  }

  startOperator(): void {
    const env = { clock: realClock, random: realRandom }
    const source = kubeconfig(this.plane.kubeconfigOf(`/O=system:masters/CN=${operatorUser}`))
    const sender = new Transport({ source, clock: realClock, userAgent: 'operator' })
    const operator = new Operator({
      env,
      sender,
      brokers: this.brokers,
      logger: silentLogger,
      metrics: new OperatorMetrics(controllerNames),
      watchNamespaces: [this.namespace],
      version: '0.1.0',
      defaultImage: 'localhost/logcluster:0.1.0',
      lease: { namespace: this.namespace, name: 'operator' },
      instance: 'here',
      reconcilers: {
        logcluster: parts =>
          clusterReconcile({ ...parts, api: this.guard(parts.api), ringOf: smallRing }),
        logtopic: () => async () => ({ requeueAfterMs: null }),
      },
      fatal: error => {
        throw error
      },
    })
    this.#operator = { operator, sender }
    operator.start()
  }

  async stopOperator(): Promise<void> {
    const running = this.#operator
    this.#operator = null
    await running?.operator.stop()
    await running?.sender.close()
  }

  async apply(spec: LogClusterSpecInput): Promise<void> {
    const apiVersion = 'logcluster.dev/v1beta1'
    const object = { apiVersion, kind: 'LogCluster', metadata: { name: 'orders' }, spec }
    await this.kubectl(['apply', '-f', '-'], JSON.stringify(object))
  }

  kubectl(args: readonly string[], input?: string) {
    const options = input === undefined ? {} : { input }
    return this.plane.kubectl(['-n', this.namespace, ...args], options)
  }

  cluster(): Promise<LogCluster | null> {
    return this.#admin.api.get(logClusters, { namespace: this.namespace, name: 'orders' })
  }

  /** `True Serving`: status and reason of a condition. */
  async condition(type: string): Promise<string> {
    const found = (await this.cluster())?.status.conditions?.find(each => each.type === type)
    return `${found?.status} ${found?.reason}`
  }

  /** Until nothing more is to be done for the spec that was applied last. */
  async stable(): Promise<void> {
    await eventually(
      'a stable cluster',
      async () => (await this.cluster())!,
      ({ metadata, status }) => {
        const found = status.conditions?.find(({ type }) => type === 'Stable')
        return found?.status === 'True' && found.observedGeneration === metadata.generation
      },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopOperator()
    await this.kubelet[Symbol.asyncDispose]()
    await this.#admin[Symbol.asyncDispose]()
    await this.plane.kubectl(['delete', 'namespace', this.namespace, '--wait=false'])
  }
}
