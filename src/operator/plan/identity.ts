import { zeroUuid } from '../../lib/uuid.ts'
import { claimAnnotations } from '../desired/claim.ts'
import { type DiskIdentity, identityData } from '../../kubernetes/disk-identity.ts'
import { identityMap } from '../desired/identity.ts'
import { claimName, names } from '../desired/names.ts'
import type { ConfigMap } from '../kubernetes/objects.ts'
import { resources } from '../kubernetes/resources.ts'
import { isUntold, type BrokerView } from './broker-view.ts'
import { isAlone } from './departure.ts'
import type { Observed } from './observed.ts'
import type { Step, StepEvent } from './step.ts'

/** How the disk of a broker and what is recorded of it stand to one another. */
export type IdentityState =
  | { readonly kind: 'missing' | 'waiting' | 'recorded' }
  /** The broker has told the id of a disk that nothing is recorded of. */
  | { readonly kind: 'told'; readonly directoryId: string }
  | { readonly kind: 'wrong'; readonly reason: string; readonly message: string }

export function identityStateOf(view: BrokerView): IdentityState {
  const { identity, identityMap: map, broker, sight } = view
  if (identity === null) {
    return map === null
      ? { kind: 'missing' }
      : wrong(
          'IdentityDamaged',
          `The ConfigMap ${map.metadata.name} is not as the operator wrote it`,
        )
  }
  if (identity.clusterId !== broker.clusterId || identity.brokerId !== broker.brokerId) {
    const whose = `broker ${identity.brokerId} of cluster ${identity.clusterId}`
    return wrong('IdentityForeign', `The ConfigMap ${names.identity(broker.name)} is of ${whose}`)
  }
  if (identity.directoryId !== '') return { kind: 'recorded' }
  const told = sight?.kind === 'seen' ? sight.status : null
  if (told === null || told.directoryId === zeroUuid) return { kind: 'waiting' }
  const isOurs =
    told.clusterId === broker.clusterId &&
    told.brokerId === broker.brokerId &&
    (told.incarnation === 0 || told.incarnation === broker.incarnation) &&
    isOnClaim(view)
  return isOurs ? { kind: 'told', directoryId: told.directoryId } : { kind: 'waiting' }
}

/** Whether its pod has the disk of this incarnation: one of an earlier one may still be ending. */
export function isOnClaim({ pod, pool, broker }: BrokerView): boolean {
  const wanted = claimName(pool, broker)
  return (
    pod?.spec?.volumes?.some(({ persistentVolumeClaim: named }) => named?.claimName === wanted) ??
    false
  )
}

function wrong(reason: string, what: string): IdentityState {
  return {
    kind: 'wrong',
    reason,
    message: `${what}. Give back what it was, or delete it: it is then written anew, without permission to format.`,
  }
}

/**
 * An empty disk may become this broker's, once: at the birth of the cluster, and when a place is new in it. There is no
 * other moment at which that is allowed but a replacement.
 */
export function permission(view: BrokerView): Step {
  const step = create(view, { ...blank(view), mayFormat: true }, 'its first disk may be formatted')
  return { ...step, isPermission: true }
}

/**
 * A place that nothing tells of a broker of: no LogBroker, no identity, no claim. And disks of other brokers are recorded,
 * so that the cluster's data is known to be elsewhere: the only broker of a cluster whose objects were all deleted is no new one.
 */
export function isNewPlace(view: BrokerView, isDataElsewhere: boolean): boolean {
  return isUntold(view) && isDataElsewhere
}

/** After birth: what is known of the disk, and never a permission. */
export function rewritten(view: BrokerView): Step {
  const directoryId =
    view.logBroker?.status.directoryId ??
    view.claim?.metadata.annotations?.[claimAnnotations.directoryId] ??
    ''
  return create(
    view,
    { ...blank(view), directoryId },
    'its disk exists, and nothing tells which it is',
  )
}

function blank({ broker }: BrokerView): DiskIdentity {
  const { clusterId, brokerId, incarnation } = broker
  return { clusterId, brokerId, incarnation, directoryId: '', mayFormat: false }
}

function create({ cluster, broker }: BrokerView, identity: DiskIdentity, because: string): Step {
  return {
    do: 'create',
    ifExists: 'same',
    resource: resources.configMaps,
    draft: identityMap(cluster, broker, identity),
    what: `ConfigMap ${names.identity(broker.name)}`,
    because,
  }
}

/** Records a disk and withdraws the permission to format, in one write that nobody else's may precede. */
export function recorded(view: BrokerView): Step[] {
  const state = identityStateOf(view)
  if (state.kind !== 'told' || view.identity === null || view.identityMap === null) return []
  const { broker } = view
  const identity = { ...view.identity, directoryId: state.directoryId, mayFormat: false }
  return [
    swap(view.identityMap, identity, 'the broker has told which disk it is', {
      type: 'Normal',
      reason: 'DiskRecorded',
      action: 'RecordDisk',
      note: `Recorded disk ${state.directoryId} as incarnation ${broker.incarnation} of ${broker.name}.`,
    }),
  ]
}

/** Why a disk is not given up although somebody asked for it; null where nobody did, or it will be. */
export function replacementRefusal(view: BrokerView, observed: Observed): string | null {
  const { logBroker, broker, sight } = view
  if (!isAlone(observed)) return null
  const wish = logBroker?.spec.replace
  if (wish === undefined || wish.incarnation !== broker.incarnation) return null
  if (wish.dataLoss === 'Accept') return null
  const lost =
    sight?.kind === 'seen' ? `its ${sight.status.partitionCount} partitions` : 'all its partitions'
  return (
    `spec.replace of LogBroker ${broker.name} would lose ${lost}, of which there is no other copy. ` +
    `Accept that by name with spec.replace.dataLoss: Accept, or remove spec.replace.`
  )
}

/** The disk of this incarnation is given up: the next one begins empty, and may be formatted. */
export function replaced(view: BrokerView, observed: Observed): Step[] {
  const { logBroker, broker } = view
  const wish = logBroker?.spec.replace
  const isWanted = wish?.incarnation === broker.incarnation && wish.dataLoss === 'Accept'
  // Of several, who still has copies decides (`replacementSteps`).
  if (!isWanted || !isAlone(observed)) return []
  return swapped(view, `spec.replace gives up incarnation ${broker.incarnation}`)
}

/** The swap to the next incarnation, which begins with an empty disk. */
export function swapped(
  { broker, identity, identityMap: map }: BrokerView,
  because: string,
): Step[] {
  if (identity === null || map === null) return []
  // Nothing is filled from an empty disk.
  const { mayFill: _, ...rest } = identity
  const next = {
    ...rest,
    incarnation: identity.incarnation + 1,
    directoryId: '',
    mayFormat: true,
  }
  return [
    swap(map, next, because, {
      type: 'Warning',
      reason: 'DiskReplaced',
      action: 'ReplaceDisk',
      note: `Gave up disk ${identity.directoryId || '(never recorded)'} of ${broker.name}, incarnation ${identity.incarnation}; incarnation ${next.incarnation} begins with an empty one.`,
    }),
  ]
}

function swap(map: ConfigMap, identity: DiskIdentity, because: string, event: StepEvent): Step {
  return {
    do: 'replace',
    resource: resources.configMaps,
    stored: { ...map, data: identityData(identity) } as ConfigMap,
    what: `ConfigMap ${map.metadata.name}`,
    because,
    event,
  }
}
