import type { LogBroker } from '../crd/broker.ts'
import type { LogCluster, PoolSpec } from '../crd/cluster.ts'
import { claimAnnotations } from '../desired/claim.ts'
import type { BrokerFacts } from '../desired/facts.ts'
import { type DiskIdentity, identityOf } from '../../kubernetes/disk-identity.ts'
import { brokerLabel, componentLabel } from '../desired/labels.ts'
import { claimName, names } from '../desired/names.ts'
import type { BrokerPod } from '../desired/pod-template.ts'
import { exposed } from '../desired/services.ts'
import { slotsOf } from '../desired/slots.ts'
import type {
  ConfigMap,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Service,
  StatefulSet,
  StorageClass,
} from '../kubernetes/objects.ts'
import type { Look, Observed, Sight } from './observed.ts'
import { hostOf } from './volume-node.ts'

/** One broker of a cluster that is born: what is wanted of it, and what is. */
export interface BrokerView extends BrokerPod {
  readonly logBroker: LogBroker | null
  readonly identity: DiskIdentity | null
  readonly identityMap: ConfigMap | null
  /** Of this incarnation. */
  readonly claim: PersistentVolumeClaim | null
  /** Of earlier incarnations, the oldest first. */
  readonly retired: readonly PersistentVolumeClaim[]
  readonly statefulSet: StatefulSet | null
  readonly pod: Pod | null
  readonly checks: readonly Pod[]
  readonly refusedChecks: Observed['refusedChecks']
  /** Its ConfigMaps with a broker's file, by name. */
  readonly configurations: ReadonlyMap<string, ConfigMap>
  /** Behind the claim; undefined where it is bound to none. */
  readonly volume: Look<PersistentVolume> | undefined
  /** Of the claim; undefined where nobody needs to know. */
  readonly storageClass: Look<StorageClass> | undefined
  readonly sight: Sight | null
  /** Ports of nodes that it is exposed at are known. */
  readonly hasNodePorts: boolean
}

/** The image of a cluster: what was resolved stays, until the user changes what he wrote. */
export function imageOf({ cluster, defaults }: Pick<Observed, 'cluster' | 'defaults'>): {
  image: string
  version: string
} {
  const { spec, status } = cluster
  const version = spec.version ?? status.version ?? defaults.version
  const repository = spec.image.repository ?? repositoryOf(status.image) ?? defaults.repository
  return { image: `${repository}:${version}`, version }
}

function repositoryOf(image: string | undefined): string | undefined {
  return image?.slice(0, image.lastIndexOf(':'))
}

/** Every broker that the spec wants, in order. */
export function brokerViews(
  observed: Observed,
  clusterId: string,
  fixed: ReadonlyMap<string, string>,
): BrokerView[] {
  const { cluster } = observed
  const places = cluster.spec.pools.flatMap(pool =>
    slotsOf(pool).map(slot => {
      const name = names.broker(cluster.metadata.name, pool.name, slot)
      return { pool, slot, known: knownId(observed, name) }
    }),
  )
  const taken = new Set([
    ...observed.logBrokers.map(({ spec }) => spec.brokerId),
    ...places.flatMap(({ known }) => known ?? []),
  ])
  return places.map(({ pool, slot, known }) => {
    const brokerId = known ?? lowestBeside(taken)
    taken.add(brokerId)
    return view(observed, { pool, slot, brokerId, clusterId, fixed })
  })
}

interface Place {
  readonly pool: PoolSpec
  readonly slot: number
  readonly brokerId: number
  readonly clusterId: string
  readonly fixed: ReadonlyMap<string, string>
}

function view(observed: Observed, place: Place): BrokerView {
  const { cluster } = observed
  const { pool, slot, brokerId, clusterId, fixed } = place
  const name = names.broker(cluster.metadata.name, pool.name, slot)
  const identityMap = named(observed.configMaps, names.identity(name))
  const identity = identityOf(identityMap?.data)
  const logBroker = named(observed.logBrokers, name)
  const claims = claimsOf(observed, name)
  const incarnation =
    identity?.incarnation ??
    logBroker?.status.incarnation ??
    Math.max(1, ...claims.map(incarnationOf))
  const nodePorts = nodePortsOf(cluster, name, observed.services)
  const broker: BrokerFacts = {
    name,
    pool: pool.name,
    slot,
    brokerId,
    incarnation,
    clusterId,
    image: imageOf(observed).image,
    nodePorts,
    restartedAt: later(cluster.spec.restartedAt, logBroker?.spec.restartedAt),
  }
  const claim = named(claims, claimName(pool, broker))
  const volume = observed.volumes.get(claim?.spec?.volumeName ?? '')
  const pods = observed.pods.filter(({ metadata }) => metadata.labels?.[brokerLabel] === name)
  return {
    cluster,
    pool,
    broker: { ...broker, ...keptRack(logBroker, volume, cluster) },
    fixed,
    logBroker,
    identity,
    identityMap,
    claim,
    retired: claims
      .filter(each => incarnationOf(each) < incarnation)
      .toSorted((a, b) => incarnationOf(a) - incarnationOf(b)),
    statefulSet: named(observed.statefulSets, name),
    pod: named(pods, names.pod(name)),
    checks: pods.filter(({ metadata }) => metadata.labels?.[componentLabel] === 'check'),
    refusedChecks: observed.refusedChecks,
    configurations: new Map(
      observed.configMaps
        .filter(({ metadata }) => metadata.name.startsWith(names.configuration(name, '')))
        .map(map => [map.metadata.name, map]),
    ),
    volume,
    storageClass: observed.storageClasses.get(claim?.spec?.storageClassName ?? ''),
    sight: observed.sights.get(name) ?? null,
    hasNodePorts: nodePorts.size === exposed(cluster).length,
  }
}

/** The rack that a pod is born with: that of the node which its volume lies on, so that it starts while no operator runs. */
function keptRack(
  logBroker: LogBroker | null,
  volume: BrokerView['volume'],
  { spec }: LogCluster,
): { readonly rack?: string } {
  const rack = logBroker?.status.rack
  return spec.rack === undefined || rack === undefined || hostOf(volume) === null ? {} : { rack }
}

/** Kafka's number of a broker, as it was recorded; undefined where it never was. */
function knownId(observed: Observed, name: string): number | undefined {
  const recorded = named(observed.logBrokers, name)?.spec.brokerId
  const identity = identityOf(named(observed.configMaps, names.identity(name))?.data)
  const kept = claimsOf(observed, name).map(({ metadata }) =>
    Number(metadata.annotations?.[claimAnnotations.brokerId] ?? Number.NaN),
  )
  return recorded ?? identity?.brokerId ?? kept.find(Number.isInteger)
}

function lowestBeside(taken: ReadonlySet<number>): number {
  let id = 0
  while (taken.has(id)) id++
  return id
}

function claimsOf({ claims }: Observed, broker: string): PersistentVolumeClaim[] {
  return claims.filter(
    ({ metadata }) =>
      metadata.labels?.[brokerLabel] === broker &&
      metadata.annotations?.[claimAnnotations.incarnation] !== undefined,
  )
}

/** Nothing tells of a broker in this place: no LogBroker, no identity, no claim. */
export function isUntold({ logBroker, identityMap, claim, retired }: BrokerView): boolean {
  return logBroker === null && identityMap === null && claim === null && retired.length === 0
}

/** Which disk of its broker a claim is for. */
export function incarnationOf({ metadata }: PersistentVolumeClaim): number {
  return Number(metadata.annotations?.[claimAnnotations.incarnation] ?? 0)
}

/** The ports that Kubernetes gave, or that were asked for. */
function nodePortsOf(
  cluster: LogCluster,
  broker: string,
  services: readonly Service[],
): ReadonlyMap<string, number> {
  return new Map(
    exposed(cluster).flatMap(({ name, port }) => {
      const ports = named(services, names.listenerOfBroker(broker, name))?.spec?.ports
      // An earlier one may be beside it.
      const given = ports?.find(each => each.port === port)?.nodePort
      return given === undefined ? [] : [[name, given] as const]
    }),
  )
}

/** The later of two RFC 3339 times; '' where there is none. */
function later(a: string | undefined, b: string | undefined): string {
  if (a === undefined || b === undefined) return a ?? b ?? ''
  return Date.parse(a) >= Date.parse(b) ? a : b
}

/** The object of this name, or null. */
export function named<Object extends { readonly metadata: { readonly name: string } }>(
  objects: readonly Object[],
  name: string,
): Object | null {
  return objects.find(({ metadata }) => metadata.name === name) ?? null
}
