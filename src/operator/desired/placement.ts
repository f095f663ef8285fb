import type { LogCluster } from '../crd/cluster.ts'
import type { Pod } from '../kubernetes/objects.ts'
import { brokerSelector } from './labels.ts'
import { sizeOf } from './replication.ts'

type Affinity = NonNullable<NonNullable<Pod['spec']>['affinity']>
type AntiAffinity = NonNullable<Affinity['podAntiAffinity']>
type Apart = LogCluster['spec']['placement']['zone']

/** From so many brokers on, two of them on one node would be a failure that replicas are there to bear. */
const requiredFrom = 3

/**
 * How a broker keeps apart from the others of its cluster, beside what the user gave (`affinity`). A broker alone has nobody to
 * keep apart from, and its template is what it was before there could be others.
 */
export function apart(
  cluster: LogCluster,
  affinity: Affinity | undefined,
): { readonly affinity?: Affinity } {
  if (sizeOf(cluster) < 2) return affinity === undefined ? {} : { affinity }
  const { host = hostOf(cluster), zone } = cluster.spec.placement
  const wanted: readonly (readonly [string, Apart])[] = [
    ['kubernetes.io/hostname', host],
    ['topology.kubernetes.io/zone', zone],
  ]
  const term = (topologyKey: string) => ({
    topologyKey,
    labelSelector: { matchLabels: { ...brokerSelector(cluster.metadata.name) } },
  })
  const { podAntiAffinity: given, ...rest } = affinity ?? {}
  const required = [
    ...(given?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...wanted.flatMap(([key, how]) => (how === 'Required' ? [term(key)] : [])),
  ]
  const preferred = [
    ...(given?.preferredDuringSchedulingIgnoredDuringExecution ?? []),
    ...wanted.flatMap(([key, how]) =>
      how === 'Preferred' ? [{ weight: 100, podAffinityTerm: term(key) }] : [],
    ),
  ]
  const podAntiAffinity: AntiAffinity = {
    ...(required.length === 0 ? {} : { requiredDuringSchedulingIgnoredDuringExecution: required }),
    ...(preferred.length === 0
      ? {}
      : { preferredDuringSchedulingIgnoredDuringExecution: preferred }),
  }
  const isEmpty = required.length + preferred.length === 0
  const merged: Affinity = isEmpty ? rest : { ...rest, podAntiAffinity }
  return Object.keys(merged).length === 0 ? {} : { affinity: merged }
}

function hostOf(cluster: LogCluster): Apart {
  return sizeOf(cluster) >= requiredFrom ? 'Required' : 'Preferred'
}
