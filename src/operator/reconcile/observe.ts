import type { LogCluster } from '../crd/cluster.ts'
import { claimAnnotations } from '../desired/claim.ts'
import { brokerLabel, clusterLabel, componentLabel } from '../desired/labels.ts'
import { names } from '../desired/names.ts'
import { secretState, type PrivatePasswords } from '../desired/secret.ts'
import { privatePort } from '../crd/ports.ts'
import { isForbidden } from '../kubernetes/api-error.ts'
import type { Cache } from '../kubernetes/cache.ts'
import type {
  Node,
  ObjectName,
  PersistentVolume,
  Pod,
  Secret,
  StorageClass,
  Stored,
} from '../kubernetes/objects.ts'
import { resources, type Resource } from '../kubernetes/resources.ts'
import type { BrokerAccess } from '../brokers/brokers.ts'
import { deletesVolumes } from '../plan/deletion.ts'
import { logBrokers, logClusters } from '../own-kinds.ts'
import { podMonitors } from '../plan/kinds.ts'
import type {
  ImageDefaults,
  Look,
  Observed,
  Ring,
  RingSight,
  SecretSight,
  Sight,
} from '../plan/observed.ts'
import { isReady } from '../plan/pod-health.ts'
import { quantityOf } from '../plan/quantity.ts'
import { hostOf } from '../plan/volume-node.ts'
import { Memory } from './memory.ts'
import { ReplicaLooks } from './replica-looks.ts'
import type { Caches } from '../caches.ts'
import type { ClusterParts } from './parts.ts'
import { Sights } from './sights.ts'
import { strangersOf } from './strangers.ts'

/** For so long a Secret, a volume or a monitor is taken to be as it was. */
const trustMs = 30_000

/** Where objects are looked for: in what watches told, or at the API server itself. */
export type Source = 'caches' | 'live'

/** The kinds of which a cluster has objects, but for those that are made elsewhere. */
interface Found extends Pick<
  Observed,
  'logBrokers' | 'statefulSets' | 'pods' | 'claims' | 'configMaps' | 'services' | 'others'
> {}

/** Looks at everything that the passes of LogClusters decide by. */
export class Observer {
  readonly #parts: ClusterParts
  readonly #sights: Sights
  readonly #secrets: Memory<Secret | null>
  readonly #leases: Memory<boolean>
  readonly #volumes: Memory<Look<PersistentVolume>>
  readonly #monitors: Memory<Stored | null>
  readonly #storageClasses: Memory<Look<StorageClass>>
  readonly #replicas: ReplicaLooks

  constructor(parts: ClusterParts) {
    this.#parts = parts
    this.#sights = new Sights(parts.brokers, parts.clock)
    this.#secrets = new Memory(parts.clock, trustMs)
    this.#leases = new Memory(parts.clock, trustMs)
    this.#volumes = new Memory(parts.clock, trustMs)
    this.#monitors = new Memory(parts.clock, trustMs)
    this.#storageClasses = new Memory(parts.clock, trustMs)
    this.#replicas = new ReplicaLooks(parts.brokers, parts.clock)
  }

  /** null where there is no such LogCluster. What is not born yet is looked at live: that look permits genesis. */
  async observe(at: Required<ObjectName>, source: Source): Promise<Observed | null> {
    const cached = this.#parts.caches.logClusters.get(at)
    if (source === 'caches' && cached === undefined) return null
    const isLive = source === 'live' || cached === undefined || !isBorn(cached)
    const cluster = isLive ? await this.#parts.api.get(logClusters, at) : cached
    if (cluster === null) return null
    const found = isLive ? await this.#list(at) : fromCaches(this.#parts.caches, at)
    return this.#complete(cluster, found)
  }

  /** What was looked at once is looked at again: something of it was written, or is to be. */
  forget({ namespace, name }: Required<ObjectName>): void {
    const key = `${namespace}/${name}`
    this.#secrets.forget(key)
    this.#leases.forget(key)
    this.#monitors.forget(key)
    this.#replicas.forget()
    this.#volumes.forgetAll()
  }

  /** Of a principal at the private listeners; null where the Secret is not there. */
  async password(
    { namespace, name }: Required<ObjectName>,
    user: keyof PrivatePasswords = 'operator',
  ): Promise<string | null> {
    const secret = await this.#secret({ namespace, name })
    const data = secret?.data?.[user]
    return data === undefined ? null : atob(data)
  }

  #secret({ namespace, name }: Required<ObjectName>): Promise<Secret | null> {
    return this.#secrets.get(`${namespace}/${name}`, () =>
      this.#parts.api.get(resources.secrets, { namespace, name: names.privateSecret(name) }),
    )
  }

  async #secretSight(at: Required<ObjectName>): Promise<SecretSight | null> {
    const secret = await this.#secret(at)
    return secret?.data?.['operator'] === undefined ? null : secretState(secret)
  }

  async #complete(cluster: LogCluster, found: Found): Promise<Observed> {
    const { namespace, name } = cluster.metadata
    const at = { namespace, name }
    const ring = this.#parts.ringOf(namespace, name)
    const password = await this.password(at)
    const monitor = await this.#monitor(cluster)
    const observed: Observed = {
      ...found,
      others: monitor === null ? found.others : [...found.others, monitor],
      cluster,
      nowMs: this.#parts.clock.now(),
      strangers: isBorn(cluster) ? [] : strangersOf(cluster, this.#parts.caches),
      secret: await this.#secretSight(at),
      ring: await this.#ringSight(cluster, ring),
      hasLease: await this.#hasLease(cluster, ring),
      volumes: await this.#volumesOf(found),
      storageClasses: await this.#storageClassesOf(cluster, found),
      nodes: new Map(),
      sights: await this.#sightsOf(at, found, password),
      outliving: [],
      glance: null,
      places: null,
      refusedChecks: new Map(),
      defaults: defaultsOf(this.#parts.defaultImage),
      operatorVersion: this.#parts.version,
    }
    const isGoing = cluster.metadata.deletionTimestamp !== undefined && deletesVolumes(observed)
    const outliving = isGoing ? await this.#outliving(at, found) : []
    return {
      ...observed,
      outliving,
      nodes: await this.#nodesOf(observed),
      ...(await this.#replicas.look(observed, tellerOf(observed, password))),
    }
  }

  /** Past every cache, by the label that the operator puts on all that it makes. */
  async #list({ namespace, name }: Required<ObjectName>): Promise<Found> {
    const { api } = this.#parts
    const all = <Object extends Stored>(resource: Resource<Object>, more = '') =>
      api.list(resource, { namespace, labelSelector: `${clusterLabel}=${name}${more}` })
    const [pdbs, accounts, roles, bindings] = await Promise.all([
      all(resources.podDisruptionBudgets),
      all(resources.serviceAccounts),
      all(resources.roles),
      all(resources.roleBindings),
    ])
    const [brokers, statefulSets, pods, claims, configMaps, services] = await Promise.all([
      all(logBrokers),
      all(resources.statefulSets),
      all(resources.pods),
      all(resources.persistentVolumeClaims),
      all(resources.configMaps, `,${componentLabel}!=metadata`),
      all(resources.services),
    ])
    return {
      logBrokers: brokers,
      statefulSets,
      pods,
      claims,
      configMaps,
      services,
      others: [...pdbs, ...accounts, ...roles, ...bindings],
    }
  }

  /** Only a cluster that is not born asks whether its metadata is there. */
  async #ringSight(cluster: LogCluster, ring: Ring): Promise<RingSight> {
    const [first] = ring.names.configMaps
    if (cluster.status.clusterId !== undefined || first === undefined) return { kind: 'absent' }
    const { namespace } = cluster.metadata
    const slot = await this.#parts.api.get(resources.configMaps, { namespace, name: first })
    const clusterId = slot?.metadata.annotations?.[claimAnnotations.clusterId]
    if (slot === null) return { kind: 'absent' }
    return { kind: 'present', clusterId: clusterId ?? 'nobody knows which' }
  }

  /** Of a cluster that is born: genesis makes it before, whatever is there. */
  #hasLease({ metadata, status }: LogCluster, { names: { leases } }: Ring): Promise<boolean> {
    const { namespace } = metadata
    const [name] = leases
    if (status.clusterId === undefined || name === undefined) return Promise.resolve(true)
    return this.#leases.get(`${namespace}/${metadata.name}`, async () => {
      return (await this.#parts.api.get(resources.leases, { namespace, name })) !== null
    })
  }

  async #volumesOf({ claims }: Found): Promise<ReadonlyMap<string, Look<PersistentVolume>>> {
    const looks = new Map<string, Look<PersistentVolume>>()
    for (const { spec, metadata, status } of claims) {
      const name = spec?.volumeName
      if (name === undefined || name === '') continue
      // Another size or another phase of the claim is another look at its volume.
      const key = `${name} ${metadata.uid} ${status?.phase} ${status?.capacity?.['storage']}`
      looks.set(
        name,
        await this.#volumes.get(key, () => this.#look(resources.persistentVolumes, name)),
      )
    }
    return looks
  }

  /** Of claims that wait for a volume, or may have to grow. */
  async #storageClassesOf(
    { spec }: LogCluster,
    { claims }: Found,
  ): Promise<ReadonlyMap<string, Look<StorageClass>>> {
    const looks = new Map<string, Look<StorageClass>>()
    const sizes = spec.pools.flatMap(({ storage }) => storage.volumes.map(({ size }) => size))
    const largest = Math.max(...sizes.map(size => quantityOf(size) ?? 0))
    for (const { spec: claim, status } of claims) {
      const name = claim?.storageClassName
      const isSettled =
        status?.phase === 'Bound' && (quantityOf(status.capacity?.['storage']) ?? 0) >= largest
      if (name === undefined || name === '' || isSettled || looks.has(name)) continue
      const look = () => this.#look(resources.storageClasses, name)
      looks.set(name, await this.#storageClasses.get(name, look))
    }
    return looks
  }

  /** The nodes that brokers run on, as far as watches told; and those that they are bound to, looked at anew, while they do not run there. */
  async #nodesOf(observed: Observed): Promise<ReadonlyMap<string, Look<Node>>> {
    const looks = new Map<string, Look<Node>>()
    const { namespace, name: clusterName } = observed.cluster.metadata
    const carrying = observed.pods.filter(isBroker).flatMap(({ spec }) => spec?.nodeName ?? [])
    const followed = this.#parts.nodes.follow(`${namespace}/${clusterName}`, new Set(carrying))
    for (const pod of observed.pods.filter(isBroker)) {
      const isHeard = observed.sights.get(pod.metadata.labels?.[brokerLabel] ?? '')?.kind === 'seen'
      if (isHeard && isReady(pod)) continue
      for (const name of nodesOfPod(pod, observed)) {
        if (!looks.has(name)) looks.set(name, await this.#look(resources.nodes, name))
      }
    }
    for (const { metadata, status } of observed.logBrokers) {
      const isHeard = observed.sights.get(metadata.name)?.kind === 'seen'
      // Where its disk is, though no pod is there any more.
      const name = isHeard ? undefined : status.node
      if (name !== undefined && !looks.has(name)) {
        looks.set(name, await this.#look(resources.nodes, name))
      }
    }
    return new Map([...followed, ...looks])
  }

  async #look<Object extends Stored>(
    resource: Resource<Object>,
    name: string,
  ): Promise<Look<Object>> {
    try {
      return await this.#parts.api.get(resource, { name })
    } catch (error) {
      if (isForbidden(error)) return 'forbidden'
      throw error
    }
  }

  async #sightsOf(
    at: Required<ObjectName>,
    { pods }: Found,
    password: string | null,
  ): Promise<ReadonlyMap<string, Sight>> {
    const asked = pods.filter(pod => isBroker(pod) && isRunning(pod))
    if (password === null) return new Map()
    const sights = await Promise.all(
      asked.map(async pod => {
        const access = { host: pod.status!.podIP!, port: privatePort, password }
        const sight = await this.#sights.ask(pod.metadata.uid, access)
        if (sight.kind === 'silent' && sight.isRefused) this.forget(at)
        return [pod.metadata.labels?.[brokerLabel] ?? '', sight] as const
      }),
    )
    return new Map(sights)
  }

  /** Its kind is there only where the Prometheus operator is. */
  async #monitor(cluster: LogCluster): Promise<Stored | null> {
    const { namespace, name } = cluster.metadata
    return this.#monitors.get(`${namespace}/${name}`, async () => {
      try {
        return await this.#parts.api.get(podMonitors, { namespace, name: names.podMonitor(name) })
      } catch (error) {
        if (isForbidden(error)) return null
        throw error
      }
    })
  }

  async #outliving(at: Required<ObjectName>, { configMaps }: Found): Promise<readonly Stored[]> {
    const { api } = this.#parts
    const labelSelector = `${clusterLabel}=${at.name},${componentLabel}=metadata`
    const scope = { namespace: at.namespace, labelSelector }
    const [maps, leases] = await Promise.all([
      api.list(resources.configMaps, scope),
      api.list(resources.leases, scope),
    ])
    return [...configMaps.filter(isIdentity), ...maps, ...leases]
  }
}

function fromCaches(caches: Caches, { namespace, name }: Required<ObjectName>): Found {
  const word = `${namespace}/${name}`
  const all = <Object extends Stored>(cache: Cache<Object>): readonly Object[] =>
    cache.indexed(word)
  return {
    logBrokers: all(caches.logBrokers),
    statefulSets: all(caches.statefulSets),
    pods: all(caches.pods),
    claims: all(caches.persistentVolumeClaims),
    configMaps: all(caches.configMaps),
    services: all(caches.services),
    others: [
      ...all(caches.podDisruptionBudgets),
      ...all(caches.serviceAccounts),
      ...all(caches.roles),
      ...all(caches.roleBindings),
    ],
  }
}

/** A broker to ask about the cluster, one that serves: whoever is starting may not know the topics yet. */
function tellerOf({ pods, sights }: Observed, password: string | null): BrokerAccess | null {
  const pod = pods.find(each => {
    const sight = sights.get(each.metadata.labels?.[brokerLabel] ?? '')
    return isBroker(each) && isReady(each) && sight?.kind === 'seen' && sight.status.isReady
  })
  const host = pod?.status?.podIP
  return host === undefined || password === null ? null : { host, port: privatePort, password }
}

function isBorn({ status }: LogCluster): boolean {
  return status.clusterId !== undefined
}

function isBroker({ metadata }: Pod): boolean {
  return metadata.labels?.[componentLabel] === 'broker'
}

/** A process may answer there. */
function isRunning({ status }: Pod): boolean {
  return status?.podIP !== undefined && status.containerStatuses?.[0]?.state?.running !== undefined
}

function isIdentity({ metadata: { name, ownerReferences } }: Stored): boolean {
  return name.endsWith('-identity') && ownerReferences === undefined
}

/** Where a pod is, and where its volume lies. */
function nodesOfPod(pod: Pod, { claims, volumes }: Observed): string[] {
  const named = pod.spec?.volumes?.flatMap(each => each.persistentVolumeClaim?.claimName ?? [])
  const lying = claims
    .filter(({ metadata }) => named?.includes(metadata.name))
    .flatMap(({ spec }) => hostOf(volumes.get(spec?.volumeName ?? '')) ?? [])
  return [...new Set([...(pod.spec?.nodeName === undefined ? [] : [pod.spec.nodeName]), ...lying])]
}

/** `repository:tag`; a colon before a slash is a registry's port. */
function defaultsOf(image: string): ImageDefaults {
  const at = image.lastIndexOf(':')
  if (at <= image.lastIndexOf('/')) return { repository: image, version: 'latest' }
  return { repository: image.slice(0, at), version: image.slice(at + 1) }
}
