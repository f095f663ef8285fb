import { uuidFrom } from '../../lib/uuid.ts'
import { claimAnnotations } from '../desired/claim.ts'
import { identityOf } from '../../kubernetes/disk-identity.ts'
import type { Observed } from './observed.ts'

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
  const { cluster, ring } = observed
  const born = cluster.status.clusterId
  if (born !== undefined) return { kind: 'born', clusterId: born }
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
  return { kind: 'adopted', clusterId, claims: kept.map(({ name }) => name) }
}

/** The id of a cluster that begins: of its object's uid, so that a genesis that was interrupted goes on with the same. */
function clusterIdFrom(uid: string): string {
  return uuidFrom(Buffer.from(uid.replaceAll('-', ''), 'hex'))
}

/** Claims of this cluster's name that tell whose disk is behind them. */
function keptClaims({ claims }: Observed): { name: string; clusterId: string }[] {
  return claims
    .flatMap(({ metadata: { name, annotations } }) => {
      const clusterId = annotations?.[claimAnnotations.clusterId]
      return clusterId === undefined ? [] : [{ name, clusterId }]
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function differ(
  kept: readonly { readonly name: string; readonly clusterId: string }[],
  given: string | undefined,
): Birth {
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
