import type { SimClock } from '../../sim/clock.ts'
import { identityOf } from '../../src/operator/desired/identity.ts'
import type {
  ConfigMap,
  Draft,
  PersistentVolumeClaim,
  Pod,
  Service,
  StatefulSet,
  Stored,
} from '../../src/operator/kubernetes/objects.ts'
import type { MemoryApi } from './memory-api.ts'
import type { StubBroker } from './stub-brokers.ts'

/** What is on a disk; null where it is empty. */
interface Content {
  readonly directoryId: string
  readonly clusterId: string
  readonly incarnation: number
}

type Tree = Record<string, unknown>

/** What a check pod comes to. */
export type CheckVerdict =
  | { readonly kind: 'passes' | 'hangs' }
  | { readonly kind: 'fails'; readonly message: string }
  | { readonly kind: 'unschedulable' }

/**
 * Controllers, scheduler, kubelet and brokers in memory: each `tick` moves every object by one stage. Brokers keep the rules of
 * identity that real ones keep.
 */
export class MemoryNodes {
  /** By name of the PersistentVolume. */
  readonly disks = new Map<string, Content | null>()
  /** Each time that a disk was formatted, by name of its volume. */
  readonly formats: string[] = []
  /** Names of pods that began, in order. */
  readonly starts: string[] = []
  check: CheckVerdict = { kind: 'passes' }
  /** Images that no registry has. */
  readonly missingImages = new Set<string>()
  /** The controller of StatefulSets does not see what is new. */
  holdStatefulSets = false
  /** What each Service of that type is given; null where Kubernetes has not come to it. */
  nodePort: number | null = null
  readonly #api: MemoryApi
  readonly #clock: SimClock
  readonly #brokers = new Map<string, StubBroker>()
  #count = 0
  readonly #ofAll = new Map<string, string>()

  constructor(api: MemoryApi, clock: SimClock) {
    this.#api = api
    this.#clock = clock
    api.put({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n1' },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    } as Draft)
  }

  /** The broker that answers at this address; null where none does. */
  brokerAt(host: string): StubBroker | null {
    return this.#brokers.get(host) ?? null
  }

  /** Dynamic settings of all brokers, as somebody else might change them. */
  get configs(): Map<string, string> {
    return this.#ofAll
  }

  /** True where something moved. */
  tick(): boolean {
    const before = this.#version()
    if (!this.holdStatefulSets) {
      for (const each of this.#api.all<StatefulSet>('StatefulSet')) this.#runStatefulSet(each)
    }
    for (const each of this.#api.all<Service>('Service')) this.#givePorts(each)
    for (const each of this.#api.all<Pod>('Pod')) this.#runPod(each)
    this.#drop()
    this.#protectClaims()
    return this.#version() !== before
  }

  #version(): string {
    const all = ['StatefulSet', 'Pod', 'PersistentVolumeClaim', 'Service'].flatMap(kind =>
      this.#api.all(kind),
    )
    return all.map(({ metadata }) => metadata.resourceVersion).join()
  }

  #runStatefulSet(set: StatefulSet): void {
    const name = `${set.metadata.name}-0`
    const at = { namespace: set.metadata.namespace!, name }
    const pod = this.#api.find<Pod>('Pod', at)
    const isWanted = set.spec?.replicas !== 0
    if (!isWanted && pod !== null) this.#api.remove('Pod', at)
    if (isWanted && pod === null) this.#makePod(set, at)
    this.#setStatus(set, { observedGeneration: set.metadata.generation })
  }

  #makePod(set: StatefulSet, at: { namespace: string; name: string }): void {
    const { metadata, spec } = set.spec!.template
    const { name, uid } = set.metadata
    this.starts.push(at.name)
    this.#api.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...metadata,
        ...at,
        creationTimestamp: new Date(this.#clock.now()).toISOString(),
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid }],
      },
      spec: structuredClone(spec),
      status: { phase: 'Pending' },
    } as unknown as Draft)
  }

  #givePorts(service: Service): void {
    const { spec } = service
    if (spec?.type !== 'NodePort' || this.nodePort === null) return
    const ports = spec.ports?.map(port => ({ nodePort: this.nodePort, ...port }))
    this.#api.put({ ...service, spec: { ...spec, ports } } as unknown as Draft)
  }

  #runPod(pod: Pod): void {
    if (pod.metadata.labels?.['app.kubernetes.io/component'] === 'check') return this.#runCheck(pod)
    const claim = this.#claimOf(pod)
    const isGoing = claim?.metadata.deletionTimestamp !== undefined
    if (claim === null || (isGoing && pod.spec?.nodeName === undefined)) {
      const message = 'persistentvolumeclaim is not there, or being deleted'
      const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }
      return this.#setStatus(pod, { phase: 'Pending', conditions: [condition] })
    }
    if (claim.spec?.volumeName === undefined) return this.#bind(claim)
    const image = pod.spec!.containers[0]!.image ?? ''
    if (this.missingImages.has(image)) {
      return this.#wait(pod, { waiting: { reason: 'ImagePullBackOff', message: `no ${image}` } })
    }
    this.#runBroker(pod, claim)
  }

  #claimOf(pod: Pod): PersistentVolumeClaim | null {
    const named = pod.spec?.volumes?.find(each => each.persistentVolumeClaim !== undefined)
    const name = named?.persistentVolumeClaim?.claimName ?? ''
    const { namespace = '' } = pod.metadata
    return this.#api.find<PersistentVolumeClaim>('PersistentVolumeClaim', { namespace, name })
  }

  #bind(claim: PersistentVolumeClaim): void {
    const name = `pv-${++this.#count}`
    const storage = claim.spec?.resources?.requests?.['storage'] ?? ''
    const hostname = { key: 'kubernetes.io/hostname', operator: 'In', values: ['n1'] }
    this.disks.set(name, null)
    this.#api.put({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        persistentVolumeReclaimPolicy: 'Delete',
        capacity: { storage },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } },
      },
    } as unknown as Draft)
    this.#api.put({
      ...claim,
      spec: { ...claim.spec, volumeName: name },
      status: { phase: 'Bound', capacity: { storage } },
    } as unknown as Draft)
  }

  /** As `src/broker` does it: an empty disk needs a permission, and nothing is served before it was recorded. */
  #runBroker(pod: Pod, claim: PersistentVolumeClaim): void {
    const { namespace = '' } = pod.metadata
    const owner = pod.metadata.labels?.['logcluster.dev/broker'] ?? ''
    const map = this.#api.find<ConfigMap>('ConfigMap', { namespace, name: `${owner}-identity` })
    const identity = identityOf(map?.data)
    if (identity === null) return this.#wait(pod, { running: {} })
    const volume = claim.spec!.volumeName!
    const found = this.disks.get(volume) ?? this.#format(volume, identity)
    if (found === null) return this.#refuse(pod, 'DataDirectoryEmpty', 'the disk is empty')
    const isOurs =
      found.clusterId === identity.clusterId &&
      found.incarnation === identity.incarnation &&
      (identity.directoryId === '' || identity.directoryId === found.directoryId)
    if (!isOurs) return this.#refuse(pod, 'DataDirectoryForeign', 'the disk is of another')
    const isReady = identity.directoryId === found.directoryId && !identity.mayFormat
    this.#answer(pod, { ...found, brokerId: identity.brokerId, isReady })
    this.#setStatus(pod, {
      phase: 'Running',
      podIP: ipOf(pod),
      hostIP: '10.99.0.1',
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
      containerStatuses: [{ ready: isReady, state: { running: {} } }],
    })
  }

  #format(
    volume: string,
    {
      mayFormat,
      clusterId,
      incarnation,
    }: { mayFormat: boolean; clusterId: string; incarnation: number },
  ): Content | null {
    if (!mayFormat) return null
    this.formats.push(volume)
    const directoryId = `disk${++this.#count}`.padEnd(22, 'A')
    const content = { directoryId, clusterId, incarnation }
    this.disks.set(volume, content)
    return content
  }

  #answer(pod: Pod, told: Content & { brokerId: number; isReady: boolean }): void {
    const { brokerId, clusterId, directoryId, incarnation, isReady } = told
    this.#brokers.set(ipOf(pod), {
      ofAll: this.#ofAll,
      own: new Map(),
      status: {
        brokerId,
        clusterId,
        directoryId,
        incarnation,
        isReady,
        startedAtMs: BigInt(Date.parse(pod.metadata.creationTimestamp!)) as never,
        version: '0.1.0',
        notReadyReason: isReady ? null : 'Waits for the operator to record the disk.',
        startClass: 'A',
        startReason: '',
        quarantineReason: null,
        isMetadataWaiting: false,
        strayCount: 0,
        partitionCount: 3,
        offlinePartitions: [],
        pageCacheSource: 'mincore',
      },
    })
  }

  #runCheck(pod: Pod): void {
    const { check } = this
    switch (check.kind) {
      case 'hangs':
        return this.#setStatus(pod, { phase: 'Running' })
      case 'passes':
        return this.#setStatus(pod, { phase: 'Succeeded' })
      case 'fails': {
        const message = JSON.stringify({ reason: 'ConfigurationInvalid', message: check.message })
        const terminated = { exitCode: 78, message }
        return this.#setStatus(pod, {
          phase: 'Failed',
          containerStatuses: [{ state: { terminated } }],
        })
      }
      case 'unschedulable': {
        const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }
        return this.#setStatus(pod, {
          phase: 'Pending',
          conditions: [{ ...condition, message: 'no room' }],
        })
      }
    }
  }

  #refuse(pod: Pod, reason: string, message: string): void {
    this.#brokers.delete(ipOf(pod))
    const terminated = { exitCode: 1, message: `${JSON.stringify({ reason, message })}\n` }
    this.#wait(pod, { terminated })
  }

  #wait(pod: Pod, state: Tree): void {
    this.#setStatus(pod, {
      phase: 'Pending',
      podIP: ipOf(pod),
      containerStatuses: [{ ready: false, state }],
    })
  }

  #setStatus(object: Stored, status: Tree): void {
    const live = this.#api.find(object.kind, object.metadata)
    const isPod = object.kind === 'Pod' && 'phase' in status && status['phase'] !== 'Pending'
    if (live === null) return
    const spec = (live as unknown as { spec: Tree }).spec
    this.#api.put({
      ...live,
      spec: isPod ? { ...spec, nodeName: 'n1' } : spec,
      status,
    } as unknown as Draft)
  }

  /** Brokers whose pods are gone answer no more. */
  #drop(): void {
    const alive = new Set(this.#api.all<Pod>('Pod').map(ipOf))
    for (const host of this.#brokers.keys()) if (!alive.has(host)) this.#brokers.delete(host)
  }

  /** A claim that was deleted goes once no pod that has a node names it. */
  #protectClaims(): void {
    const named = new Set(
      this.#api
        .all<Pod>('Pod')
        .filter(({ spec }) => spec?.nodeName !== undefined)
        .flatMap(pod => pod.spec?.volumes ?? [])
        .flatMap(each => each.persistentVolumeClaim?.claimName ?? []),
    )
    for (const claim of this.#api.all<PersistentVolumeClaim>('PersistentVolumeClaim')) {
      const finalizers = named.has(claim.metadata.name) ? ['kubernetes.io/pvc-protection'] : []
      this.#api.put({ ...claim, metadata: { ...claim.metadata, finalizers } })
    }
  }
}

function ipOf({ metadata }: Pod): string {
  return `10.0.0.${Number.parseInt(metadata.uid.slice(-6), 16)}`
}
