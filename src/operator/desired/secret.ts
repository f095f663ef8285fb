import { otherPasswordOf, privatePrincipals } from '../../lib/principals.ts'
import type { LogCluster } from '../crd/cluster.ts'
import type { DraftOf, Secret } from '../kubernetes/objects.ts'
import { clusterLabels, ownedBy } from './labels.ts'
import { names } from './names.ts'

/** Passwords at the private listeners, by principal. */
export interface PrivatePasswords {
  readonly operator: string
  readonly broker: string
}

/**
 * Which passwords there are beside those that everybody logs in with. `None`: none. `Introduced`: the next ones, so that they are taken
 * before anybody uses them. `Used`: the former ones, as long as somebody may still use them.
 */
export type Overlap = 'None' | 'Introduced' | 'Used'

/** On the Secret: how far a change of its passwords is, and the wish that was granted last. */
const overlapAnnotation = 'logcluster.dev/passwords-overlap'
const rotatedAtAnnotation = 'logcluster.dev/passwords-rotated-at'

/** Made once by a POST: passwords are chance, and what is made again is another. */
export function privateSecret(cluster: LogCluster, passwords: PrivatePasswords): DraftOf<Secret> {
  const { namespace, name } = cluster.metadata
  const { passwordsRotatedAt } = cluster.spec
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name: names.privateSecret(name),
      labels: clusterLabels(name, 'cluster'),
      ...(passwordsRotatedAt === undefined
        ? {}
        : { annotations: { [rotatedAtAnnotation]: passwordsRotatedAt } }),
      ownerReferences: ownedBy(cluster),
    },
    type: 'Opaque',
    data: { operator: btoa(passwords.operator), broker: btoa(passwords.broker) },
  }
}

/** What a Secret says beside its passwords. */
export interface SecretState {
  readonly overlap: Overlap
  /** Counts its states, as brokers tell which one they have; empty: it never changed. */
  readonly revision: string
  /** The wish that was granted last, or is on its way; empty: none. */
  readonly rotatedAt: string
  /** Uids of the objects that it goes with. */
  readonly owners: readonly string[]
}

export function secretState({ metadata, data }: Secret): SecretState {
  const overlap = metadata.annotations?.[overlapAnnotation]
  const revision = data?.['revision']
  return {
    overlap: overlap === 'Introduced' || overlap === 'Used' ? overlap : 'None',
    revision: revision === undefined ? '' : atob(revision),
    rotatedAt: metadata.annotations?.[rotatedAtAnnotation] ?? '',
    owners: metadata.ownerReferences?.map(({ uid }) => uid) ?? [],
  }
}

/** The Secret of an earlier LogCluster of this name, so that it does not go with that. */
export function takenOver(secret: Secret, cluster: LogCluster): Secret {
  return { ...secret, metadata: { ...secret.metadata, ownerReferences: ownedBy(cluster) } }
}

/** Which state comes before which. */
const before: Readonly<Record<Overlap, Overlap>> = {
  Introduced: 'None',
  Used: 'Introduced',
  None: 'Used',
}

/**
 * The Secret one state on; null where it is not in the state before, because somebody else was faster. `fresh`: passwords for the
 * next state, where they are to be introduced.
 */
export function rotatedSecret(
  secret: Secret,
  { to, rotatedAt }: { readonly to: Overlap; readonly rotatedAt: string },
  fresh: () => PrivatePasswords,
): Secret | null {
  const { overlap, revision } = secretState(secret)
  if (overlap !== before[to]) return null
  const { annotations = {} } = secret.metadata
  const { [overlapAnnotation]: _, ...rest } = annotations
  const marked = {
    ...rest,
    [rotatedAtAnnotation]: rotatedAt,
    ...(to === 'None' ? {} : { [overlapAnnotation]: to }),
  }
  const data = { ...passwordsIn(secret, to, fresh), revision: btoa(`${Number(revision) + 1}`) }
  return { ...secret, metadata: { ...secret.metadata, annotations: marked }, data } as Secret
}

function passwordsIn(
  { data = {} }: Secret,
  to: Overlap,
  fresh: () => PrivatePasswords,
): Record<string, string> {
  const next: Record<string, string> = {}
  const made = to === 'Introduced' ? fresh() : null
  for (const principal of privatePrincipals) {
    const [used, other] = [data[principal] ?? '', data[otherPasswordOf(principal)] ?? '']
    next[principal] = to === 'Used' ? other : used
    if (made !== null) next[otherPasswordOf(principal)] = btoa(made[principal])
    if (to === 'Used') next[otherPasswordOf(principal)] = used
  }
  return next
}
