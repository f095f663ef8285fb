import { uuidFrom } from '../../lib/uuid.ts'
import { claimAnnotations } from '../desired/claim.ts'
import { brokerLabel, clusterLabel } from '../desired/labels.ts'
import { names } from '../desired/names.ts'
import { slotsOf } from '../desired/slots.ts'
import { identityOf } from '../../kubernetes/disk-identity.ts'
import { brokerViews } from './broker-view.ts'
import type { Observed, Stranger } from './observed.ts'
import { whose } from './ownership.ts'
import { sharedAddress } from './shared-addresses.ts'

/**
 * Whether a cluster has begun, and as which. `born`: its id is in the status, which is the moment of birth. `new`: nothing is
 * there, and genesis may be. `adopted`: disks may be there, so genesis may not: it would be an empty cluster beside its data.
 */
export type Birth =
  | { readonly kind: 'born'; readonly clusterId: string }
  | { readonly kind: 'new'; readonly clusterId: string }
  | {
      readonly kind: 'adopted'
      readonly clusterId: string
      /** Claims that were kept, by name in order; none where `spec.clusterId` alone says so. */
      readonly claims: readonly string[]
    }
  | { readonly kind: 'blocked'; readonly reason: string; readonly message: string }

export function birthOf(observed: Observed): Birth {
  const birth = beginning(observed)
  if (birth.kind !== 'new' && birth.kind !== 'adopted') return birth
  const shared = sharedAddress(brokerViews(observed, birth.clusterId, new Map()))
  return shared === null ? birth : { kind: 'blocked', ...shared }
}

function beginning(observed: Observed): Birth {
  const { cluster, ring } = observed
  const born = cluster.status.clusterId
  if (born !== undefined) return { kind: 'born', clusterId: born }
  const [stranger] = observed.strangers
  if (stranger !== undefined) return nameTaken(observed, stranger)
  const kept = keptClaims(observed)
  const ids = new Set(kept.map(({ clusterId }) => clusterId))
  const given = cluster.spec.clusterId
  if (given !== undefined) ids.add(given)
  if (ids.size > 1) return differ(kept, given)
  const [found] = ids
  const clusterId = found ?? clusterIdFrom(cluster.metadata.uid)
  const remembered = [
    ...(ring.kind === 'present' ? [ring.clusterId] : []),
    ...identityIds(observed),
  ]
  const foreign = remembered.find(id => id !== clusterId)
  if (foreign !== undefined) return foreignMetadata(cluster.metadata.name, foreign, found)
  if (found === undefined) return { kind: 'new', clusterId }
  const homeless = withoutPlace(observed, kept)
  if (homeless.length > 0) return brokersMissing(observed, homeless)
  return { kind: 'adopted', clusterId, claims: kept.map(({ name }) => name) }
}

/** The id of a cluster that begins: of its object's uid, so that a genesis that was interrupted goes on with the same. */
function clusterIdFrom(uid: string): string {
  return uuidFrom(Buffer.from(uid.replaceAll('-', ''), 'hex'))
}

interface Kept {
  readonly name: string
  readonly clusterId: string
  readonly broker: string
  /** Its broker was emptied before it left. */
  readonly hasLeft: boolean
}

/** Claims of this cluster's name that tell whose disk is behind them. */
function keptClaims({ claims }: Observed): Kept[] {
  return claims
    .flatMap(({ metadata: { name, annotations, labels } }) => {
      const clusterId = annotations?.[claimAnnotations.clusterId]
      if (clusterId === undefined) return []
      const hasLeft = annotations?.[claimAnnotations.left] !== undefined
      return [{ name, clusterId, broker: labels?.[brokerLabel] ?? name, hasLeft }]
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * Claims of brokers that the spec has no place for, and that did not leave. What is adopted would be without them as if they had never
 * been: the longest copy of the metadata log may be theirs, and records that nobody else has.
 */
function withoutPlace({ cluster }: Observed, kept: readonly Kept[]): readonly Kept[] {
  const wanted = new Set(
    cluster.spec.pools.flatMap(pool =>
      slotsOf(pool).map(slot => names.broker(cluster.metadata.name, pool.name, slot)),
    ),
  )
  return kept.filter(({ broker, hasLeft }) => !hasLeft && !wanted.has(broker))
}

/** Nothing is begun that could not be gone on with. */
function nameTaken({ strangers }: Observed, { object, pool }: Stranger): Birth {
  const { length } = strangers
  const others = length === 1 ? '' : ` (and ${length - 1} other objects)`
  return {
    kind: 'blocked',
    reason: 'NameTaken',
    message:
      `${object.kind} ${object.metadata.name}${others} is ${whose(object)}, and a broker of pool ${pool} would need the name: ` +
      `choose another name for the pool, or for this LogCluster.`,
  }
}

function brokersMissing({ cluster }: Observed, homeless: readonly Kept[]): Birth {
  const brokers = [...new Set(homeless.map(({ broker }) => broker))].join(', ')
  const claims = homeless.map(({ name }) => name).join(' ')
  return {
    kind: 'blocked',
    reason: 'BrokersMissing',
    message:
      `Volumes of brokers are here that spec.pools has no place for: ${brokers}. Give back their pools and numbers; once the cluster serves, ` +
      `a lower number empties them first. To go on without what is on them take their claims out of the cluster, which deletes nothing: ` +
      `kubectl label pvc -n ${cluster.metadata.namespace} ${claims} ${clusterLabel}-`,
  }
}

function differ(kept: readonly Kept[], given: string | undefined): Birth {
  const found = kept.map(({ name, clusterId }) => `${name} is of cluster ${clusterId}`).join(', ')
  const message =
    given === undefined
      ? `Claims that were kept are of different clusters: ${found}. Set spec.clusterId to the one to go on with, and move the other claims out of the namespace.`
      : `spec.clusterId is ${given}, but ${found}. Give the id that the claims have, or move them out of the namespace.`
  return { kind: 'blocked', reason: 'ClusterIdsDiffer', message }
}

/** Of whose disks identities are recorded. */
function identityIds({ configMaps }: Observed): string[] {
  return configMaps.flatMap(({ data, metadata }) => {
    if (metadata.annotations?.[claimAnnotations.clusterId] === undefined) return []
    return identityOf(data)?.clusterId ?? []
  })
}

function foreignMetadata(name: string, of: string, found: string | undefined): Birth {
  const ours = found === undefined ? 'no volume of it is here' : `the volumes are of ${found}`
  return {
    kind: 'blocked',
    reason: 'MetadataOfAnotherCluster',
    message:
      `What is kept in ConfigMaps of ${name} (${name}-md-*, ${name}-*-identity) is of cluster ${of}, and ${ours}. ` +
      `To go on with that cluster set spec.clusterId to ${of} and give back its volumes; to begin anew delete ` +
      `these ConfigMaps, ${name}-snap-* and the Lease ${name}-controller.`,
  }
}
