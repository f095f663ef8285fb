import type { SimClock } from '../../sim/clock.ts'
import type {
  ConfigMap,
  Draft,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Service,
  StatefulSet,
  Stored,
} from '../../src/operator/kubernetes/objects.ts'
import { hostOf } from '../../src/operator/plan/volume-node.ts'
import type { MemoryApi } from './memory-api.ts'
import type { StubDisks } from './stub-disks.ts'

interface Taint {
  readonly key: string
  readonly effect: string
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
  /** Names of pods that began, in order. */
  readonly starts: string[] = []
  check: CheckVerdict = { kind: 'passes' }
  /** Images that no registry has. */
  readonly missingImages = new Set<string>()
  /** The controller of StatefulSets does not see what is new. */
  holdStatefulSets = false
  /** For so many ticks a new pod of a broker does not run yet. */
  startTicks = 0
  /** The node is gone with all that ran there, and nobody tells that of its pods. */
  isDead = false
  /** Where a pod runs. */
  nodeOf: (pod: Pod) => string = pod => this.#nodeOfPod(pod)
  /** The address of the node that a pod runs on. */
  addressOf: (pod: Pod) => string = () => '10.99.0.1'
  /** Nodes that take no pods. */
  readonly cordoned = new Set<string>()
  /** What each Service of that type is given; null where Kubernetes has not come to it. */
  nodePort: number | null = null
  readonly #api: MemoryApi
  readonly #clock: SimClock
  readonly #disks: StubDisks
  /** Nodes that are gone with what ran there, and those that nobody hears of. */
  readonly #gone = new Set<string>()
  readonly #silent = new Set<string>()
  /** Where the volume of a claim is; each on a node of its own, as far as there are some. */
  readonly #names: string[] = []
  /** By name of the pod, ticks that it still takes until it runs. */
  readonly #starting = new Map<string, number>()
  #count = 0

  constructor(api: MemoryApi, clock: SimClock, disks: StubDisks) {
    this.#disks = disks
    this.#api = api
    this.#clock = clock
    this.tellNode(true)
  }

  /** What Kubernetes has found of the node. */
  tellNode(isReady: boolean, name = 'n1', taints: readonly Taint[] = []): void {
    const lastTransitionTime = new Date(this.#clock.now()).toISOString()
    const status = isReady ? 'True' : 'Unknown'
    const conditions = [{ type: 'Ready', status, reason: 'Told', lastTransitionTime }]
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name } }
    this.#api.put({ ...node, spec: { taints }, status: { conditions } } as unknown as Draft)
    if (!this.#names.includes(name)) this.#names.push(name)
    this.#gone.delete(name)
  }

  /** The kubelet and all that ran there are silent, and Kubernetes says so of the node. */
  silence(name: string): void {
    this.tellNode(false, name)
    this.#silent.add(name)
    for (const pod of this.#api.all<Pod>('Pod')) {
      if (pod.spec?.nodeName !== name) continue
      const conditions = [{ type: 'Ready', status: 'False', reason: 'NodeNotReady' }]
      this.#api.put({ ...pod, status: { ...pod.status, conditions } } as unknown as Draft)
    }
    this.tick()
  }

  /** What was silent runs on. */
  wake(name: string): void {
    this.#silent.delete(name)
    this.tellNode(true, name)
  }

  /** Somebody deleted the Node object, and Kubernetes the pods that were there. */
  deleteNode(name: string): void {
    this.#api.remove('Node', { name })
    this.#gone.add(name)
    this.collectPods(name)
  }

  /** The machine is off and its Node object deleted; its pods stand there as they were, until Kubernetes collects them. */
  vanish(name: string): void {
    this.#api.remove('Node', { name })
    this.#gone.add(name)
    this.#silent.add(name)
  }

  /** Kubernetes deletes the pods of a node that is no more. */
  collectPods(name: string): void {
    for (const { spec, metadata } of this.#api.all<Pod>('Pod')) {
      if (spec?.nodeName === name) this.#api.remove('Pod', metadata)
    }
  }

  /** As `kubectl cordon` and `uncordon`. */
  cordon(name: string, isCordoned = true): void {
    if (isCordoned) this.cordoned.add(name)
    else this.cordoned.delete(name)
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Told' }]
    const spec = isCordoned ? { unschedulable: true } : {}
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec }
    this.#api.put({ ...node, status: { conditions } } as unknown as Draft)
  }

  /** True where something moved. */
  tick(): boolean {
    const before = this.#version()
    if (!this.holdStatefulSets) {
      for (const each of this.#api.all<StatefulSet>('StatefulSet')) this.#runStatefulSet(each)
    }
    for (const each of this.#api.all<Service>('Service')) this.#givePorts(each)
    const pods = this.isDead ? [] : this.#api.all<Pod>('Pod')
    const running = pods.filter(({ spec }) => !this.#silent.has(spec?.nodeName ?? ''))
    const begun = running.filter(pod => !this.#isStarting(pod))
    for (const each of begun) this.#runPod(each)
    this.#disks.keep(new Set(begun.map(ipOf)))
    this.#protectClaims()
    return this.#version() !== before || begun.length < running.length
  }

  #isStarting({ metadata: { name } }: Pod): boolean {
    const left = this.#starting.get(name) ?? 0
    this.#starting.set(name, Math.max(0, left - 1))
    return left > 0
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
    const isUnheard = pod !== null && this.#silent.has(pod.spec?.nodeName ?? '')
    const isEnding = pod?.metadata.deletionTimestamp !== undefined
    if (pod !== null && !isWanted && !isEnding) this.#end(pod, isUnheard ? ['kubelet'] : [])
    if (!isUnheard && isEnding) this.#end(pod, [])
    if (isWanted && pod === null) this.#makePod(set, at)
    this.#setStatus(set, { observedGeneration: set.metadata.generation })
  }

  /** It is gone once nobody has to do anything for that; nobody ends what a silent node has. */
  #end(pod: Pod, finalizers: readonly string[]): void {
    const deletionTimestamp = new Date(this.#clock.now()).toISOString()
    const metadata = { ...pod.metadata, deletionTimestamp, finalizers }
    this.#api.put({ ...pod, metadata } as unknown as Draft)
  }

  #makePod(set: StatefulSet, at: { namespace: string; name: string }): void {
    const { metadata, spec } = set.spec!.template
    const { name, uid } = set.metadata
    this.starts.push(at.name)
    this.#starting.set(at.name, this.startTicks)
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
    if (pod.spec?.nodeName === undefined && this.cordoned.has(this.nodeOf(pod))) {
      const message = '1 node(s) were unschedulable'
      const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }
      return this.#setStatus(pod, { phase: 'Pending', conditions: [condition] })
    }
    const claim = this.#claimOf(pod)
    const isGoing = claim?.metadata.deletionTimestamp !== undefined
    if (claim === null || (isGoing && pod.spec?.nodeName === undefined)) {
      const message = 'persistentvolumeclaim is not there, or being deleted'
      const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }
      return this.#setStatus(pod, { phase: 'Pending', conditions: [condition] })
    }
    if (claim.spec?.volumeName === undefined) return this.#bind(claim)
    if (this.#gone.has(this.#nodeOf(claim)) || this.#silent.has(this.#nodeOf(claim))) {
      const message = "0/3 nodes are available: node(s) didn't match volume node affinity"
      const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }
      return this.#setStatus(pod, { phase: 'Pending', conditions: [condition] })
    }
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

  #nodeOf({ spec }: PersistentVolumeClaim): string {
    const volume = this.#api.find<PersistentVolume>('PersistentVolume', {
      name: spec?.volumeName ?? '',
    })
    return hostOf(volume ?? undefined) ?? 'n1'
  }

  /** The first node that is there and has no volume of ours. */
  #freeNode(): string {
    const claims = this.#api.all<PersistentVolumeClaim>('PersistentVolumeClaim')
    const bound = claims.filter(({ spec }) => spec?.volumeName !== undefined)
    const taken = new Set(bound.map(each => this.#nodeOf(each)))
    const isFree = (name: string): boolean =>
      !taken.has(name) && !this.#gone.has(name) && !this.#silent.has(name)
    return this.#names.find(isFree) ?? 'n1'
  }

  #bind(claim: PersistentVolumeClaim): void {
    const className = claim.spec?.storageClassName
    const hasClass = className === undefined || this.#api.find('StorageClass', { name: className })
    if (!hasClass) return
    const name = `pv-${++this.#count}`
    const storage = claim.spec?.resources?.requests?.['storage'] ?? ''
    const hostname = { key: 'kubernetes.io/hostname', operator: 'In', values: [this.#freeNode()] }
    this.#disks.contents.set(name, null)
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

  #runBroker(pod: Pod, claim: PersistentVolumeClaim): void {
    const { namespace = '' } = pod.metadata
    const owner = pod.metadata.labels?.['logcluster.dev/broker'] ?? ''
    const map = this.#api.find<ConfigMap>('ConfigMap', { namespace, name: `${owner}-identity` })
    const outcome = this.#disks.start(pod, ipOf(pod), claim.spec!.volumeName!, map?.data)
    if (outcome.kind === 'waits') return this.#wait(pod, { running: {} })
    if (outcome.kind === 'refuses') {
      const { reason, message } = outcome
      const line = `${JSON.stringify({ reason, message })}\n`
      return this.#wait(pod, { terminated: { exitCode: 1, message: line } })
    }
    this.#setStatus(pod, {
      phase: 'Running',
      podIP: ipOf(pod),
      hostIP: this.addressOf(pod),
      conditions: [{ type: 'Ready', status: outcome.isReady ? 'True' : 'False' }],
      containerStatuses: [{ ready: outcome.isReady, state: { running: {} } }],
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
      spec: isPod ? { ...spec, nodeName: this.nodeOf(live as Pod) } : spec,
      status,
    } as unknown as Draft)
  }

  #nodeOfPod(pod: Pod): string {
    const claim = this.#claimOf(pod)
    return claim === null ? 'n1' : this.#nodeOf(claim)
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
