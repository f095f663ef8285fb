import { names } from '../desired/names.ts'
import type { ConfigMap, Node } from '../kubernetes/objects.ts'
import { resources } from '../kubernetes/resources.ts'
import { named, type BrokerView } from './broker-view.ts'
import { departingOf, isAlone } from './departure.ts'
import { isOnClaim, swapped } from './identity.ts'
import type { Look, Observed } from './observed.ts'
import { isHeard, isServing, refusalOf } from './pod-health.ts'
import type { Step, StepEvent } from './step.ts'
import { hostOf } from './volume-node.ts'

/** What proves that a disk is lost. A node that is only silent proves nothing: it is waited for. */
type LossReason = 'NodeGone' | 'NodeOutOfService' | 'DiskFailed' | 'Requested'

export interface DiskLoss {
  readonly incarnation: number
  readonly reason: LossReason
  /** What was seen, as a sentence. */
  readonly message: string
}

/**
 * Whether the disk of a broker is given up. `found`: it is proven, and is noted before anything is done. `latched`: it was noted,
 * and nothing that comes back later undoes it. `deferred`: proven, and something else comes first.
 */
export type DiskVerdict =
  | { readonly kind: 'kept' }
  | { readonly kind: 'found' | 'latched'; readonly loss: DiskLoss }
  | { readonly kind: 'deferred'; readonly loss: DiskLoss; readonly message: string }

/** Of every broker, by its name. Same input, same verdicts. */
export function diskVerdicts(
  observed: Observed,
  views: readonly BrokerView[],
): ReadonlyMap<string, DiskVerdict> {
  const verdicts = new Map<string, DiskVerdict>()
  const { spec } = observed.cluster
  const isIdle = spec.reconciliation === 'Paused' || spec.state === 'Hibernated'
  let busyWith = views.find(isInFlight)?.broker.name ?? null
  for (const view of views) {
    const verdict = isIdle ? kept : verdictOf(view, { observed, views, busyWith })
    if (verdict.kind === 'found') busyWith ??= view.broker.name
    verdicts.set(view.broker.name, verdict)
  }
  return verdicts
}

const kept: DiskVerdict = { kind: 'kept' }

/** From the note that a disk is lost until the broker serves from its next one. */
function isInFlight({ identityMap }: BrokerView): boolean {
  return lossIn(identityMap) !== null
}

interface Circumstances {
  readonly observed: Observed
  readonly views: readonly BrokerView[]
  /** The broker whose disk is being replaced; null where none is. */
  readonly busyWith: string | null
}

function verdictOf(view: BrokerView, circumstances: Circumstances): DiskVerdict {
  const { broker, identity, identityMap } = view
  // A broker alone has the only copy of everything: only a person gives that up (`replaced`).
  if (isAlone(circumstances.observed) || !identity?.directoryId) return kept
  const latched = lossIn(identityMap)
  if (latched?.incarnation === broker.incarnation) return { kind: 'latched', loss: latched }
  const loss = lossOf(view, circumstances.observed)
  if (loss === null) return kept
  const message = obstacleOf(view, loss, circumstances)
  return message === null ? { kind: 'found', loss } : { kind: 'deferred', loss, message }
}

function lossOf(view: BrokerView, observed: Observed): DiskLoss | null {
  const { broker, logBroker } = view
  const { name, incarnation } = broker
  if (logBroker?.spec.replace?.incarnation === incarnation) {
    const message = `spec.replace of LogBroker ${name} gives up its disk.`
    return { incarnation, reason: 'Requested', message }
  }
  // Whoever serves has his disk.
  if (isServing(view)) return null
  const refusal = refusalOf(view.pod)
  if (refusal?.reason === 'DataDirectoryFailed' && isOnClaim(view) && !isRunning(view)) {
    return { incarnation, reason: 'DiskFailed', message: refusal.message }
  }
  const node = nodeOfDisk(view)
  if (node === null || !isTied(view)) return null
  const found = nodeLoss(observed.nodes.get(node))
  if (found === null) return null
  const message =
    found === 'NodeGone'
      ? `The Node ${node}, on which the disk of broker ${name} is, was deleted.`
      : `The Node ${node}, on which the disk of broker ${name} is, has the taint ${outOfService}.`
  return { incarnation, reason: found, message }
}

/** Whoever sets it says that the node is off, and does not come back by itself (Kubernetes, non-graceful node shutdown). */
const outOfService = 'node.kubernetes.io/out-of-service'

function nodeLoss(node: Look<Node> | undefined): 'NodeGone' | 'NodeOutOfService' | null {
  if (node === undefined || node === 'forbidden') return null
  if (node === null) return 'NodeGone'
  const isOff = node.spec?.taints?.some(
    ({ key, effect }) => key === outOfService && effect === 'NoExecute',
  )
  return isOff === true ? 'NodeOutOfService' : null
}

/** Where the disk of this incarnation is, by the name of the Node that its pod ran on; null where it never ran. */
export function nodeOfDisk(view: BrokerView): string | null {
  const { pod, logBroker, broker } = view
  if (pod?.spec?.nodeName !== undefined && isOnClaim(view)) return pod.spec.nodeName
  const { incarnation, node } = logBroker?.status ?? {}
  return incarnation === broker.incarnation ? (node ?? null) : null
}

/** The volume can be reached from one node alone, or is gone with it. One that cannot be looked at may be anywhere. */
function isTied({ volume, claim }: BrokerView): boolean {
  return claim === null || volume === null || hostOf(volume) !== null
}

/** Why a disk that is lost is not given up yet, as a sentence; null where it is. */
function obstacleOf(
  view: BrokerView,
  { reason }: DiskLoss,
  { observed, views, busyWith }: Circumstances,
): string | null {
  const { broker } = view
  if (busyWith !== null && busyWith !== broker.name) {
    return `It is replaced after broker ${busyWith}: one disk at a time.`
  }
  // A person who asks has looked.
  if (reason === 'Requested') return null
  const others = views.filter(each => each.broker.name !== broker.name && !isHeard(each))
  const elsewhere = others.filter(other => !isSameNode(other, view))
  const missing = [
    ...elsewhere.map(other => other.broker.name),
    ...leavingUnheard(observed, nodeOfDisk(view)),
  ]
  if (missing.length === 0) return null
  return (
    `Nothing is given up while brokers of other nodes do not serve either (${missing.join(', ')}): they may have the copies that are needed. ` +
    `It is replaced when they serve; or, if you know better, with kubectl logcluster replace ${broker.name}.`
  )
}

/** Brokers that leave, on other nodes than that one, and may have the copies that are needed. */
function leavingUnheard(observed: Observed, node: string | null): string[] {
  const { pods, sights } = observed
  return departingOf(observed).flatMap(({ metadata: { name }, status }) => {
    const pod = named(pods, names.pod(name))
    const isAway = !isHeard({ pod, sight: sights.get(name) ?? null })
    const isOnNode = node !== null && (pod?.spec?.nodeName ?? status.node) === node
    return isAway && !isOnNode ? [name] : []
  })
}

function isSameNode(one: BrokerView, other: BrokerView): boolean {
  const node = nodeOfDisk(one)
  return node !== null && node === nodeOfDisk(other)
}

function isRunning({ pod }: BrokerView): boolean {
  return pod?.status?.containerStatuses?.[0]?.state?.running !== undefined
}

/**
 * The note that a disk is lost stands beside the record of which disk it is, and is written by the same compare-and-swap: nothing that
 * is seen later, or by an operator that was stopped in between, undoes it.
 */
const lossAnnotation = 'logcluster.dev/disk-lost'

/** What the identity of a broker says of a loss; null where it says nothing, or nothing that the operator wrote. */
export function lossIn(map: ConfigMap | null): DiskLoss | null {
  const text = map?.metadata.annotations?.[lossAnnotation]
  if (text === undefined) return null
  try {
    const { incarnation, reason, message } = JSON.parse(text) as Partial<DiskLoss>
    const isWhole = incarnation !== undefined && reason !== undefined && message !== undefined
    return isWhole ? { incarnation, reason, message } : null
  } catch {
    return null
  }
}

/**
 * Gives up the disk that is lost. It is noted first. Then the controller hears, and refuses where it may be the last complete copy of
 * anything that is not named; only then may an empty one take its place (durability.md 3.2). Last of all steps: while it is refused
 * everything else goes on.
 */
export function replacementSteps(
  views: readonly BrokerView[],
  verdicts: ReadonlyMap<string, DiskVerdict>,
): Step[] {
  return views.flatMap(view => {
    const verdict = verdicts.get(view.broker.name)
    if (verdict?.kind === 'found') return noted(view, verdict.loss)
    if (verdict?.kind === 'latched') return replacement(view, verdict.loss)
    return over(view)
  })
}

function noted(view: BrokerView, loss: DiskLoss): Step[] {
  const { broker, identityMap } = view
  if (identityMap === null) return []
  return [
    annotated(identityMap, JSON.stringify(loss), {
      because: `its disk is lost (${loss.reason})`,
      event: {
        type: 'Warning',
        reason: 'DiskLost',
        action: 'ReplaceDisk',
        note: `${loss.message} Incarnation ${loss.incarnation} of ${broker.name} is replaced.`,
      },
    }),
  ]
}

function replacement(view: BrokerView, { reason, message }: DiskLoss): Step[] {
  const { broker, logBroker, identity } = view
  if (identity === null) return []
  return [
    {
      do: 'retire directory',
      broker: broker.name,
      directoryId: identity.directoryId,
      acceptDataLoss: logBroker?.spec.acceptDataLoss ?? [],
      what: `Directory ${identity.directoryId} of broker ${broker.name}`,
      because: `it is lost (${reason})`,
      isPermission: true,
    },
    ...swapped(view, message),
  ]
}

/** The next disk is recorded, and served from. */
function over(view: BrokerView): Step[] {
  const { broker, identity, identityMap } = view
  const loss = lossIn(identityMap)
  if (loss === null || identityMap === null || !identity?.directoryId || !isServing(view)) return []
  return [
    annotated(identityMap, null, {
      because: 'it serves from its next disk',
      event: {
        type: 'Normal',
        reason: 'DiskReplacementDone',
        action: 'ReplaceDisk',
        note: `Broker ${broker.name} serves from disk ${identity.directoryId}, incarnation ${broker.incarnation}.`,
      },
    }),
  ]
}

function annotated(
  map: ConfigMap,
  text: string | null,
  told: { readonly because: string; readonly event: StepEvent },
): Step {
  const { [lossAnnotation]: _, ...rest } = map.metadata.annotations ?? {}
  const annotations = text === null ? rest : { ...rest, [lossAnnotation]: text }
  return {
    do: 'replace',
    resource: resources.configMaps,
    stored: { ...map, metadata: { ...map.metadata, annotations } } as ConfigMap,
    what: `ConfigMap ${map.metadata.name}`,
    ...told,
  }
}
