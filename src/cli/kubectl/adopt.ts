import type { LogCluster } from '../../operator/crd/cluster.ts'
import { claimAnnotations } from '../../operator/desired/claim.ts'
import { brokerLabel, brokerLabels, clusterLabel } from '../../operator/desired/labels.ts'
import { list, type Kubectl, type KubernetesObject } from './kubectl.ts'

export interface AdoptWish {
  /** The LogCluster that was, and is to be again. */
  readonly name: string
  readonly scope: readonly string[]
}

/** As much of a volume as tells whose it is; the operator has written labels and annotations. */
interface Volume extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & {
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: {
    readonly accessModes: readonly string[]
    readonly capacity: { readonly storage: string }
    readonly storageClassName?: string
    readonly claimRef?: {
      readonly namespace: string
      readonly name: string
      readonly uid?: string
      readonly resourceVersion?: string
    }
  }
  readonly status?: { readonly phase?: string }
}

/** A volume that was a broker's, in the namespace that is meant. */
interface Kept {
  readonly volume: Volume
  readonly broker: string
  readonly clusterId: string
  readonly incarnation: number
  /** The name of its claim. */
  readonly claim: string
}

const ofClaims: ReadonlySet<string> = new Set(Object.values(claimAnnotations))

/**
 * `kubectl logcluster adopt`: each broker's newest volume gets the claim that it had, where that is gone. A volume that was left is held for
 * a claim of that name and uid, which is no more; so the uid is taken out, and nothing else may have the volume meanwhile. Asked
 * again, it does what is left. Returns what to tell.
 */
export async function adopt(kubectl: Kubectl, { name, scope }: AdoptWish): Promise<string> {
  const namespace = await namespaceOf(kubectl, scope)
  const within = `--namespace=${namespace}`
  const volumes = await list<Volume>(kubectl, 'persistentvolumes', [
    `--selector=${clusterLabel}=${name}`,
  ])
  const kept = newest(volumes.flatMap(volume => keptIn(namespace, volume)))
  if (kept.length === 0) {
    throw new Error(
      `no volume says that it was one of a LogCluster ${name} in namespace ${namespace}`,
    )
  }
  const clusterId = oneId(kept, name)
  await refuseAnother(kubectl, { name, within, clusterId })
  const claims = await list(kubectl, 'persistentvolumeclaims', [within])
  const there = new Set(claims.map(({ metadata }) => metadata.name))
  const lost = kept.filter(({ claim }) => !there.has(claim))
  for (const each of lost) await giveBack(kubectl, each, { name, namespace, within })
  const told = kept.map(each => {
    const done = there.has(each.claim) ? 'is there already' : `is given back`
    return `${each.broker}: claim ${each.claim} of volume ${each.volume.metadata.name} ${done}`
  })
  return [
    ...told,
    `These are the disks of cluster ${clusterId}. Apply its LogCluster again: the operator adopts them, and formats nothing.`,
  ].join('\n')
}

/** That of the options, or of the context. */
async function namespaceOf(kubectl: Kubectl, scope: readonly string[]): Promise<string> {
  const given = scope.findLast(each => each.startsWith('--namespace='))
  if (given !== undefined) return given.slice('--namespace='.length)
  const asked = ['config', 'view', '--minify', '-o', 'jsonpath={..namespace}']
  return (await kubectl.run(asked)).trim() || 'default'
}

function keptIn(namespace: string, volume: Volume): Kept[] {
  const { claimRef } = volume.spec
  const { labels, annotations } = volume.metadata
  const broker = labels?.[brokerLabel]
  const clusterId = annotations?.[claimAnnotations.clusterId]
  if (claimRef?.namespace !== namespace || broker === undefined || clusterId === undefined)
    return []
  const incarnation = Number(annotations?.[claimAnnotations.incarnation])
  // Somebody else may have got it since.
  if (!claimRef.name.endsWith(`-${broker}-${incarnation}`)) return []
  return [{ volume, broker, clusterId, incarnation, claim: claimRef.name }]
}

/** Of each broker the one that it had last; what was replaced before stays where it is. */
function newest(all: readonly Kept[]): Kept[] {
  const byBroker = new Map<string, Kept>()
  for (const each of all) {
    const found = byBroker.get(each.broker)
    if (found === undefined || found.incarnation < each.incarnation) byBroker.set(each.broker, each)
  }
  return [...byBroker.values()].toSorted((a, b) => (a.broker < b.broker ? -1 : 1))
}

function oneId(kept: readonly Kept[], name: string): string {
  const [first] = kept
  const other = kept.find(({ clusterId }) => clusterId !== first!.clusterId)
  if (other === undefined) return first!.clusterId
  const told = kept.map(
    each => `${each.volume.metadata.name} of ${each.broker} is of cluster ${each.clusterId}`,
  )
  throw new Error(
    `these volumes were of different clusters named ${name}: ${told.join(', ')}. Take the label ${clusterLabel} off those that are not meant.`,
  )
}

/** A LogCluster that has begun with other disks would not take these. */
async function refuseAnother(
  kubectl: Kubectl,
  { name, within, clusterId }: { name: string; within: string; clusterId: string },
): Promise<void> {
  const clusters = await list<LogCluster & KubernetesObject>(kubectl, 'logclusters', [within])
  const found = clusters.find(({ metadata }) => metadata.name === name)?.status?.clusterId
  if (found === undefined || found === clusterId) return
  throw new Error(
    `the volumes are of cluster ${clusterId}, and the LogCluster ${name} has begun as ${found}: delete it, and the claims and ConfigMaps of its name, first`,
  )
}

async function giveBack(
  kubectl: Kubectl,
  { volume, broker, claim }: Kept,
  { name, namespace, within }: { name: string; namespace: string; within: string },
): Promise<void> {
  const { accessModes, capacity, storageClassName = '', claimRef } = volume.spec
  const marks = Object.entries(volume.metadata.annotations ?? {}).filter(([key]) =>
    ofClaims.has(key),
  )
  const held = ['uid', 'resourceVersion'].filter(field => field in claimRef!)
  if (held.length > 0) {
    // The test refuses where somebody else has it by now.
    const patches = [
      { op: 'test', path: '/spec/claimRef/uid', value: claimRef!.uid },
      ...held.map(field => ({ op: 'remove', path: `/spec/claimRef/${field}` })),
    ]
    const change = ['--type=json', '--patch', JSON.stringify(patches)]
    await kubectl.run(['patch', 'persistentvolume', volume.metadata.name, ...change])
  }
  const object = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      namespace,
      name: claim,
      labels: brokerLabels(name, broker, 'broker'),
      annotations: Object.fromEntries(marks),
    },
    spec: {
      accessModes,
      storageClassName,
      volumeName: volume.metadata.name,
      resources: { requests: { storage: capacity.storage } },
    },
  }
  await kubectl.run(['create', within, '--filename=-'], JSON.stringify(object))
}
