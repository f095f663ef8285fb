import type {
  ConfigMap,
  Draft,
  PersistentVolumeClaim,
  Pod,
} from '../../../../src/operator/kubernetes/objects.ts'
import type { KubernetesApi } from '../../../../src/operator/kubernetes/api.ts'
import { isNotFound } from '../../../../src/operator/kubernetes/api-error.ts'
import { resources } from '../../../../src/operator/kubernetes/resources.ts'
import type { StubDisks } from '../../../operator/stub-disks.ts'
import type { ControlPlane } from '../../control-plane/control-plane.ts'

/** Between two looks at the pods, milliseconds. */
const periodMs = 40

/**
 * Kubelet of the node `n1`, and the brokers on it, by writes of status: pods that the real scheduler gave that node run, on stub
 * disks, until somebody deletes them.
 */
export class FakeKubelet {
  readonly #plane: ControlPlane
  readonly #api: KubernetesApi
  readonly #namespace: string
  readonly #disks: StubDisks
  #ended: Promise<void> = Promise.resolve()
  #isRunning = false
  #count = 0
  readonly #hosts = new Map<string, string>()
  /** Names of pods of brokers that were begun, in order. */
  readonly starts: string[] = []

  constructor(plane: ControlPlane, api: KubernetesApi, namespace: string, disks: StubDisks) {
    this.#plane = plane
    this.#api = api
    this.#namespace = namespace
    this.#disks = disks
  }

  start(): void {
    this.#isRunning = true
    this.#ended = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isRunning = false
    await this.#ended
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      const pods = await this.#api.list(resources.pods, { namespace: this.#namespace })
      for (const pod of pods) await this.#look(pod).catch(ignoreGone)
      const alive = pods.map(({ metadata }) => this.#hosts.get(metadata.uid) ?? '')
      this.#disks.keep(new Set(alive))
      await new Promise(resolve => setTimeout(resolve, periodMs))
    }
  }

  async #look(pod: Pod): Promise<void> {
    if (pod.spec?.nodeName === undefined) return
    if (pod.metadata.deletionTimestamp !== undefined) return this.#remove(pod)
    if (pod.metadata.labels?.['app.kubernetes.io/component'] === 'check') {
      return this.#tell(pod, { phase: 'Succeeded' })
    }
    return this.#runBroker(pod)
  }

  async #remove({ metadata: { name } }: Pod): Promise<void> {
    const force = ['--grace-period=0', '--force', '--wait=false', '--ignore-not-found']
    await this.#plane.kubectl(['-n', this.#namespace, 'delete', 'pod', name, ...force])
  }

  async #runBroker(pod: Pod): Promise<void> {
    const namespace = this.#namespace
    const broker = pod.metadata.labels?.['logcluster.dev/broker'] ?? ''
    const map = await this.#api.get(resources.configMaps, { namespace, name: `${broker}-identity` })
    const volume = await this.#volumeOf(pod)
    if (volume === null) return
    const host = this.#hostOf(pod)
    const outcome = this.#disks.start(pod, host, volume, (map as ConfigMap | null)?.data)
    if (outcome.kind === 'refuses') {
      const { reason, message } = outcome
      const terminated = {
        exitCode: 1,
        reason: 'Error',
        message: JSON.stringify({ reason, message }),
      }
      return this.#tell(pod, { phase: 'Running', ...container(false, { terminated }) })
    }
    const isReady = outcome.kind === 'runs' && outcome.isReady
    const startedAt = pod.metadata.creationTimestamp
    await this.#tell(pod, {
      phase: 'Running',
      podIP: host,
      podIPs: [{ ip: host }],
      hostIP: '10.99.0.1',
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
      ...container(isReady, { running: { startedAt } }),
    })
  }

  /** The volume behind the claim that the pod names; null where it is not bound. */
  async #volumeOf(pod: Pod): Promise<string | null> {
    const names = pod.spec?.volumes?.flatMap(each => each.persistentVolumeClaim?.claimName ?? [])
    const at = { namespace: this.#namespace, name: names?.[0] ?? '' }
    const claim: PersistentVolumeClaim | null = await this.#api.get(
      resources.persistentVolumeClaims,
      at,
    )
    return claim?.spec?.volumeName ?? null
  }

  #hostOf({ metadata: { uid, name } }: Pod): string {
    const known = this.#hosts.get(uid)
    if (known !== undefined) return known
    const host = `10.244.0.${++this.#count}`
    this.#hosts.set(uid, host)
    this.starts.push(name)
    return host
  }

  async #tell(pod: Pod, status: Record<string, unknown>): Promise<void> {
    const told = status as NonNullable<Pod['status']>
    const isTold =
      pod.status?.phase === told.phase &&
      JSON.stringify(pod.status?.containerStatuses?.[0]?.ready) ===
        JSON.stringify(told.containerStatuses?.[0]?.ready)
    if (isTold) return
    const { apiVersion, kind } = resources.pods
    const { namespace, name, uid } = pod.metadata
    const metadata = { namespace, name, uid } as Draft['metadata']
    await this.#api.applyStatus(resources.pods, { apiVersion, kind, metadata, status } as Draft)
  }
}

function container(ready: boolean, state: object) {
  const fixed = { name: 'broker', image: 'stub', imageID: 'stub', restartCount: 0 }
  return { containerStatuses: [{ ...fixed, ready, state }] }
}

/** What was deleted between a look and a write is looked at again. */
function ignoreGone(error: unknown): void {
  if (!isNotFound(error)) throw error
}
