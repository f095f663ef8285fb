import type { PersistentVolume, PersistentVolumeClaim as Claim } from '../kubernetes/objects.ts'
import { claim as claimDraft, claimAnnotations } from '../desired/claim.ts'
import { brokerLabel, clusterLabel, managedByLabel } from '../desired/labels.ts'
import { claimName } from '../desired/names.ts'
import { resources } from '../kubernetes/resources.ts'
import { incarnationOf, isUntold, type BrokerView } from './broker-view.ts'
import type { Observed } from './observed.ts'
import { quantityOf } from './quantity.ts'
import { exactly, type Step } from './step.ts'

/** How the volume of a broker is. */
export type StorageState =
  /** `pending`: bound once its pod has a node. `untold`: the broker has not begun, so nothing of it is missing. */
  | { readonly kind: 'untold' | 'wanted' | 'pending' | 'bound' }
  /** Gone, or going, under a broker that had it. */
  | { readonly kind: 'lost'; readonly reason: string; readonly message: string }

/** What the reclaim policy of a volume was before the operator made it Retain. */
const reclaimAnnotation = 'logcluster.dev/reclaim-policy'

export function storageOf(view: BrokerView): StorageState {
  const { claim, broker, pool } = view
  const name = claimName(pool, broker)
  if (claim === null) {
    if (mayMakeClaim(view)) return { kind: 'wanted' }
    if (isUntold(view)) return { kind: 'untold' }
    return lost(view, 'ClaimMissing', `The claim ${name} is not there any more`)
  }
  if (claim.metadata.deletionTimestamp !== undefined) {
    return lost(view, 'ClaimDeleted', `Somebody deleted the claim ${name}; it goes with its pod`)
  }
  if (claim.status?.phase === 'Lost') {
    return lost(view, 'VolumeLost', `The volume of the claim ${name} is not there any more`)
  }
  return { kind: claim.status?.phase === 'Bound' ? 'bound' : 'pending' }
}

/**
 * A claim is made only while no disk has been recorded for this incarnation. After that a new one would be an empty
 * disk in the place of one with data.
 */
function mayMakeClaim({ identity }: BrokerView): boolean {
  return identity !== null && identity.directoryId === ''
}

function lost(view: BrokerView, reason: string, what: string): StorageState {
  const { broker, identity, volume } = view
  const kept =
    typeof volume === 'object' && volume !== null
      ? ` Its volume ${volume.metadata.name} is kept (Retain).`
      : ''
  const disk = identity?.directoryId ? ` with the disk ${identity.directoryId}` : ''
  return {
    kind: 'lost',
    reason,
    message:
      `${what}.${kept} Nothing is put in its place, because it would be empty. Give back a claim of that name${disk}: ` +
      `kubectl logcluster adopt ${view.cluster.metadata.name} does, and by hand it is known by its labels and annotations (${marks(view)}); or accept the loss of the disk by name: ${replaceCommand(broker.name)}`,
  }
}

/** By what a claim is found to be this broker's; the rest the operator writes. */
function marks({ cluster, pool, broker }: BrokerView): string {
  const { labels, annotations } = claimDraft(cluster, pool, broker).metadata
  const all = { ...labels, ...annotations }
  const keys = [managedByLabel, clusterLabel, brokerLabel, claimAnnotations.incarnation]
  return keys.map(key => `${key}: "${all[key]}"`).join(', ')
}

/** What accepts the loss of a broker's disk; the name is written twice, so that nobody does it by chance. */
function replaceCommand(broker: string): string {
  return `kubectl logcluster replace ${broker} --accept-data-loss=${broker}`
}

/** The claim of this incarnation, its size, and the policy of its volume. */
export function storageSteps(view: BrokerView): Step[] {
  if (storageOf(view).kind === 'wanted') return [makeClaim(view)]
  if (isMistaken(view)) return [withdrawn(view)]
  return [...changedClaim(view), ...keptVolume(view)]
}

function makeClaim({ cluster, pool, broker }: BrokerView): Step {
  const draft = claimDraft(cluster, pool, broker)
  return {
    do: 'create',
    ifExists: 'fail',
    resource: resources.persistentVolumeClaims,
    draft,
    what: `PersistentVolumeClaim ${draft.metadata.name}`,
    because: `incarnation ${broker.incarnation} of ${broker.name} has no disk yet`,
  }
}

/**
 * A claim of a StorageClass that nobody wants any more, such as an earlier LogCluster of that name left, for which no volume was ever
 * found: nothing is lost with it, and another one takes its place.
 */
function isMistaken(view: BrokerView): boolean {
  const { claim, pool, storageClass } = view
  if (storageOf(view).kind !== 'pending' || claim === null || !mayMakeClaim(view)) return false
  if ((claim.spec?.volumeName ?? '') !== '') return false
  const wanted = pool.storage.volumes[0]!.storageClassName
  return wanted === undefined ? storageClass === null : wanted !== claim.spec?.storageClassName
}

function withdrawn({ claim, broker }: BrokerView): Step {
  return {
    do: 'delete',
    resource: resources.persistentVolumeClaims,
    exactly: exactly(claim!),
    what: `PersistentVolumeClaim ${claim!.metadata.name}`,
    because: `it never had a volume, and ${broker.name} wants one of another StorageClass`,
  }
}

/** What only a person can mend of a volume that is there, or is to be; null where nothing is. */
export function storageTrouble(view: BrokerView): Trouble | null {
  const { claim, storageClass, pool } = view
  const className = claim?.spec?.storageClassName ?? ''
  if (storageOf(view).kind === 'pending' && storageClass === null) {
    return {
      reason: 'StorageClassMissing',
      message: `There is no StorageClass ${className}, which the claim ${claim?.metadata.name} names: make it, or delete the LogCluster and name another one.`,
    }
  }
  if (!isTooSmall(view) || mayExpand(view)) return null
  return {
    reason: 'ExpansionRefused',
    message:
      `The spec wants ${pool.storage.volumes[0]!.size}, the claim ${claim?.metadata.name} has ${sizeOf(view)}, and its StorageClass ${className} does not allow expansion: ` +
      `set allowVolumeExpansion there if its volumes can grow, or give back the earlier size.`,
  }
}

interface Trouble {
  readonly reason: string
  readonly message: string
}

/** The spec wants more than the volume has. A larger one than is wanted is accepted as it is. */
function isTooSmall(view: BrokerView): boolean {
  const { claim, pool } = view
  if (storageOf(view).kind !== 'bound' || claim === null) return false
  return isLarger(pool.storage.volumes[0]!.size, sizeOf(view))
}

/** What a claim has, or has asked for where that is more. */
function sizeOf({ claim }: BrokerView): string | undefined {
  const requested = claim?.spec?.resources?.requests?.['storage']
  const capacity = claim?.status?.capacity?.['storage']
  return (quantityOf(capacity) ?? 0) > (quantityOf(requested) ?? 0) ? capacity : requested
}

function mayExpand({ storageClass }: BrokerView): boolean {
  if (storageClass === null) return false
  // Who may not look leaves it to the API server to refuse.
  return (
    storageClass === undefined ||
    storageClass === 'forbidden' ||
    storageClass.allowVolumeExpansion === true
  )
}

function isLarger(wanted: string | number, found: string | undefined): boolean {
  return (quantityOf(wanted) ?? 0) > (quantityOf(found) ?? Infinity)
}

/** A claim that is too small is expanded; its annotations tell the disk once that is recorded. */
function changedClaim(view: BrokerView): Step[] {
  const { claim } = view
  if (claim === null || claim.metadata.deletionTimestamp !== undefined) return []
  return [
    ...annotated(view, claim),
    ...(isTooSmall(view) && mayExpand(view) ? [expanded(view, claim)] : []),
  ]
}

function annotated({ cluster, pool, broker, identity }: BrokerView, claim: Claim): Step[] {
  const directoryId = identity?.directoryId ?? ''
  const found = claim.metadata.annotations
  const wanted = {
    ...claimDraft(cluster, pool, broker).metadata.annotations,
    ...(directoryId === '' ? {} : { [claimAnnotations.directoryId]: directoryId }),
    ...isBack(found),
  }
  if (has(found, wanted)) return []
  return [
    {
      do: 'patch',
      resource: resources.persistentVolumeClaims,
      exactly: exactly(claim),
      fields: { metadata: { annotations: wanted } },
      what: `PersistentVolumeClaim ${claim.metadata.name}`,
      because: 'it is to tell whose disk it has',
    },
  ]
}

function expanded({ cluster, pool, broker }: BrokerView, claim: Claim): Step {
  const { name } = claim.metadata
  const { size } = pool.storage.volumes[0]!
  return {
    do: 'patch',
    resource: resources.persistentVolumeClaims,
    exactly: exactly(claim),
    fields: { spec: { resources: claimDraft(cluster, pool, broker).spec!.resources } },
    what: `PersistentVolumeClaim ${name}`,
    because: `the spec wants ${size}`,
    isOptional: true,
    event: {
      type: 'Normal',
      reason: 'VolumeExpanded',
      action: 'Expand',
      note: `The claim ${name} was asked to grow to ${size}.`,
    },
  }
}

/**
 * What is deleted by mistake is then still there: the policy of a bound volume becomes Retain. And it tells whose it is, as its claim does,
 * to whoever finds it when claims and LogCluster are gone with their namespace (`kubectl logcluster adopt`).
 */
function keptVolume({ volume, cluster, pool, broker }: BrokerView): Step[] {
  if (!isVolume(volume)) return []
  const before = volume.spec?.persistentVolumeReclaimPolicy ?? 'Delete'
  // Only labels of our own: whoever made the volume may know it by others.
  const labels = { [clusterLabel]: cluster.metadata.name, [brokerLabel]: broker.name }
  const annotations = {
    ...claimDraft(cluster, pool, broker).metadata.annotations,
    ...isBack(volume.metadata.annotations),
  }
  const isMarked =
    has(volume.metadata.labels, labels) && has(volume.metadata.annotations, annotations)
  if (before === 'Retain' && isMarked) return []
  const policy = before === 'Retain' ? {} : { [reclaimAnnotation]: before }
  return [
    {
      do: 'patch',
      resource: resources.persistentVolumes,
      exactly: exactly(volume),
      fields: {
        metadata: { labels, annotations: { ...annotations, ...policy } },
        spec: { persistentVolumeReclaimPolicy: 'Retain' },
      },
      what: `PersistentVolume ${volume.metadata.name}`,
      because: `the data of ${broker.name} must outlive its claim`,
      isOptional: true,
    },
  ]
}

/** A broker that had left has come back to its disk. */
function isBack(found: Readonly<Record<string, string>> | undefined): Record<string, null> {
  return found?.[claimAnnotations.left] === undefined ? {} : { [claimAnnotations.left]: null }
}

/** The disks of a broker that has left, emptied, tell that, to whoever finds them without their cluster. */
export function leftSteps({ claims, volumes }: Observed, broker: string): Step[] {
  const annotations = { [claimAnnotations.left]: 'true' }
  const told = { fields: { metadata: { annotations } }, because: `${broker} left` } as const
  return claims
    .filter(({ metadata }) => metadata.labels?.[brokerLabel] === broker)
    .flatMap(claim => {
      const volume = volumes.get(claim.spec?.volumeName ?? '')
      const steps: Step[] = []
      if (!has(claim.metadata.annotations, annotations)) {
        const resource = resources.persistentVolumeClaims
        const what = `PersistentVolumeClaim ${claim.metadata.name}`
        steps.push({ do: 'patch', resource, exactly: exactly(claim), what, ...told })
      }
      if (isVolume(volume) && !has(volume.metadata.annotations, annotations)) {
        const resource = resources.persistentVolumes
        const what = `PersistentVolume ${volume.metadata.name}`
        const isOptional = true
        steps.push({ do: 'patch', resource, exactly: exactly(volume), what, ...told, isOptional })
      }
      return steps
    })
}

function has(
  found: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string | null>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => found?.[key] === value)
}

/** With `whenReplaced: Delete` the claims of earlier incarnations go, and their volumes with them, once the new disk is recorded. */
export function retiredSteps(
  { pool, broker, retired, identity }: BrokerView,
  observed: Pick<Observed, 'volumes'>,
): Step[] {
  if (pool.storage.retention.whenReplaced !== 'Delete' || !identity?.directoryId) return []
  return retired
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .flatMap(claim => [
      ...givenBack(claim, observed),
      {
        do: 'delete',
        resource: resources.persistentVolumeClaims,
        exactly: exactly(claim),
        what: `PersistentVolumeClaim ${claim.metadata.name}`,
        because: `incarnation ${incarnationOf(claim)} of ${broker.name} is replaced, and whenReplaced is Delete`,
      },
    ])
}

/** Before a claim is deleted: the reclaim policy of its volume as it was before the operator changed it. */
export function givenBack({ spec }: Claim, { volumes }: Pick<Observed, 'volumes'>): Step[] {
  const volume = volumes.get(spec?.volumeName ?? '')
  if (!isVolume(volume)) return []
  const before = volume.metadata.annotations?.[reclaimAnnotation]
  if (before === undefined || before === volume.spec?.persistentVolumeReclaimPolicy) return []
  return [
    {
      do: 'patch',
      resource: resources.persistentVolumes,
      exactly: exactly(volume),
      fields: { spec: { persistentVolumeReclaimPolicy: before } },
      what: `PersistentVolume ${volume.metadata.name}`,
      because: 'it goes with its claim, as its StorageClass says',
      isOptional: true,
    },
  ]
}

function isVolume(volume: BrokerView['volume']): volume is PersistentVolume {
  return typeof volume === 'object' && volume !== null
}
