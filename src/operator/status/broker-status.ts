import { withinBounds } from '../crd/bounds.ts'
import type { BrokerConditionType, LogBrokerStatus } from '../crd/broker.ts'
import type { WantedSettings } from '../desired/settings.ts'
import { addressesOf } from '../desired/addresses.ts'
import { claimAnnotations } from '../desired/claim.ts'
import { canonical } from '../desired/hash.ts'
import { restartedAtAnnotation, templateAnnotation } from '../desired/pod-template.ts'
import { checkOf } from '../plan/check.ts'
import { incarnationOf, type BrokerView } from '../plan/broker-view.ts'
import { configWork } from '../plan/configs.ts'
import { isEnding } from '../plan/deletion.ts'
import { restartReason } from '../plan/due.ts'
import { lossIn, nodeOfDisk } from '../plan/disk-loss.ts'
import { identityStateOf } from '../plan/identity.ts'
import type { Observed } from '../plan/observed.ts'
import { rackOf } from '../plan/rack.ts'
import { storageOf, storageTrouble } from '../plan/storage.ts'
import { catchUpBytes, roughQuantity } from './catch-up.ts'
import { conditionsFrom, formerly, no, unknown, yes, type Finding } from './conditions.ts'
import { ending } from './ending.ts'
import { nodeOf, readinessOf } from './broker-readiness.ts'

/** The status of one LogBroker. `now` is RFC 3339, and is written only where something became what it is. */
export function brokerStatus(
  view: BrokerView,
  observed: Observed,
  { settings, now }: { readonly settings: WantedSettings; readonly now: string },
): LogBrokerStatus {
  const findings = findingsOf(view, observed, settings)
  const { logBroker, broker, identity, sight } = view
  const before = logBroker?.status
  const annotations = view.pod?.metadata.annotations ?? {}
  const told = sight?.kind === 'seen' ? sight.status : null
  const node = nodeOfDisk(view) ?? nodeOf(view)
  return withinBounds('LogBroker', {
    ...optional({
      observedGeneration: logBroker?.metadata.generation,
      incarnation: identity?.incarnation,
      clusterId: broker.clusterId,
      directoryId: identity?.directoryId || undefined,
      node: node ?? undefined,
      rack: rackTold(view, observed),
      volume: volumeStatus(view),
      addresses: addresses(view),
      retiredVolumes: retiredVolumes(view, now),
      diskLost: diskLost(view, now),
      catchUp: roughQuantity(catchUpBytes(observed).get(broker.brokerId) ?? 0),
      appliedConfig: appliedConfig(view, settings),
      restartedAt: annotations[restartedAtAnnotation] ?? before?.restartedAt,
      version: told?.version ?? before?.version,
      image: view.pod?.spec?.containers[0]?.image ?? before?.image,
      templateHash: annotations[templateAnnotation] ?? before?.templateHash,
      startedAt:
        told === null ? before?.startedAt : new Date(Number(told.startedAtMs)).toISOString(),
      cachestatSource: told === null ? before?.cachestatSource : told.pageCacheSource || undefined,
      quarantine: told === null ? before?.quarantine : (told.quarantineReason ?? undefined),
    }),
    columns: { status: findings.Ready.reason === 'Serving' ? 'Running' : findings.Ready.reason },
    conditions: conditionsFrom(findings, before?.conditions, {
      generation: logBroker?.metadata.generation ?? 0,
      now,
    }),
  })
}

export type BrokerFindings = Readonly<Record<BrokerConditionType, Finding>>

export function findingsOf(
  view: BrokerView,
  observed: Observed,
  settings: WantedSettings,
): BrokerFindings {
  if (isEnding(observed)) {
    const { notReady, notAsked } = ending
    return {
      Ready: notReady,
      StorageBound: notAsked,
      IdentityRecorded: notAsked,
      ConfigApplied: notAsked,
    }
  }
  return {
    Ready: readinessOf(view, observed),
    StorageBound: storageFinding(view),
    IdentityRecorded: identityFinding(view),
    ConfigApplied: configFinding(view, settings),
  }
}

function storageFinding(view: BrokerView): Finding {
  const { claim, volume, broker } = view
  const state = storageOf(view)
  const loss = lossIn(view.identityMap)
  if (loss?.incarnation === broker.incarnation) {
    return no('DiskLost', `${loss.message} It is being replaced.`)
  }
  const trouble = storageTrouble(view)
  if (trouble !== null) return no(trouble.reason, trouble.message)
  switch (state.kind) {
    case 'lost':
      return no(state.reason, state.message)
    case 'untold':
    case 'wanted':
      return no('ClaimMissing', `The claim of broker ${broker.name} is not made yet.`)
    case 'pending':
      return no('Pending', `The claim ${claim?.metadata.name} is not bound to a volume yet.`)
    case 'bound':
      break
  }
  const name = claim?.spec?.volumeName ?? ''
  if (volume === 'forbidden') {
    return yes(
      'BoundUnprotected',
      `Bound to volume ${name}, which the operator has no right to look at: set its persistentVolumeReclaimPolicy to Retain.`,
    )
  }
  const resizing = claim?.status?.conditions?.find(({ type }) => /Resiz/.test(type))
  if (resizing?.status === 'True') {
    return yes('Expanding', resizing.message ?? `Volume ${name} is being expanded.`)
  }
  return yes('Bound', `Bound to volume ${name}.`)
}

function identityFinding(view: BrokerView): Finding {
  const { identity, broker } = view
  const state = identityStateOf(view)
  switch (state.kind) {
    case 'wrong':
      return no(state.reason, state.message)
    case 'recorded':
      return yes(
        'Recorded',
        `Disk ${identity?.directoryId} is incarnation ${broker.incarnation} of broker ${broker.name}.`,
      )
    case 'told':
    case 'missing':
    case 'waiting':
      return no('NotRecorded', `Broker ${broker.name} has not told which disk it has yet.`)
  }
}

function configFinding(view: BrokerView, settings: WantedSettings): Finding {
  if (settings.kind === 'problems') return no(settings.reason, settings.problems.join('. '))
  const { broker } = view
  const check = checkOf(view)
  if (check.kind === 'failed') {
    return no(
      'CheckFailed',
      `Image and settings that are wanted do not work, and broker ${broker.name} runs on with the earlier ones: ${check.reason}: ${check.message}`,
    )
  }
  if (check.kind !== 'needless')
    return no('RestartPending', `Broker ${broker.name} is to be restarted.`)
  if (view.pod === null || restartReason(view) === 'template') {
    return no('RestartPending', `Broker ${broker.name} runs with what was wanted earlier.`)
  }
  const work = configWork(view, settings.dynamic)
  if (work === null) return lastKnown(view, settings.dynamic)
  if (work.changes.length > 0)
    return no('Applying', `Settings of broker ${broker.name} are being changed.`)
  return yes('Applied', `Broker ${broker.name} runs with spec.config.`)
}

/** A broker that does not answer has what it had, unless something else is wanted by now. */
function lastKnown(
  { broker, logBroker }: BrokerView,
  dynamic: ReadonlyMap<string, string>,
): Finding {
  const former = formerly(logBroker?.status.conditions, 'ConfigApplied')
  const applied = logBroker?.status.appliedConfig ?? {}
  const isWanted = canonical(applied) === canonical(Object.fromEntries(dynamic))
  if (former?.status === 'True' && isWanted) return former
  return unknown('NotAsked', `Broker ${broker.name} has not told its settings.`)
}

/** What is set for the spec at the broker, once it is; until then whatever may have been set. */
function appliedConfig(view: BrokerView, settings: WantedSettings) {
  const before = view.logBroker?.status.appliedConfig
  if (settings.kind === 'problems') return before
  const work = configWork(view, settings.dynamic)
  if (work === null) return before
  if (work.changes.length > 0) return work.remember
  return settings.dynamic.size === 0 ? undefined : Object.fromEntries(settings.dynamic)
}

function volumeStatus({ claim }: BrokerView): LogBrokerStatus['volume'] {
  if (claim === null) return undefined
  return optional({
    claim: claim.metadata.name,
    persistentVolume: claim.spec?.volumeName,
    requested: claim.spec?.resources?.requests?.['storage'],
    size: claim.status?.capacity?.['storage'],
  })
}

function rackTold(view: BrokerView, observed: Observed): string | undefined {
  const state = rackOf(view, observed)
  if (state.kind === 'known') return state.rack
  return state.kind === 'unwanted' ? undefined : view.logBroker?.status.rack
}

/** As far as node and ports are known; where a pod is being made anew, as they were. */
function addresses({ cluster, broker, pod, logBroker }: BrokerView): LogBrokerStatus['addresses'] {
  const before = new Map(logBroker?.status.addresses?.map(each => [each.listener, each]))
  const found = addressesOf(cluster, broker, pod?.status?.hostIP ?? '').flatMap(address => {
    if (address.host !== '' && !Number.isNaN(address.port)) return [address]
    const known = before.get(address.listener)
    return known === undefined ? [] : [known]
  })
  return found.length === 0 ? undefined : found
}

/** As it is noted beside the identity. */
function diskLost(
  { identityMap, logBroker }: BrokerView,
  now: string,
): LogBrokerStatus['diskLost'] {
  const loss = lossIn(identityMap)
  if (loss === null) return undefined
  const before = logBroker?.status.diskLost
  return { ...loss, since: before?.incarnation === loss.incarnation ? before.since : now }
}

function retiredVolumes(view: BrokerView, now: string): LogBrokerStatus['retiredVolumes'] {
  const before = view.logBroker?.status.retiredVolumes ?? []
  const found = view.retired.map(claim => {
    const incarnation = incarnationOf(claim)
    const known = before.find(each => each.incarnation === incarnation)
    const loss = lossIn(view.identityMap)
    return {
      ...optional({
        persistentVolume: claim.spec?.volumeName,
        directoryId: claim.metadata.annotations?.[claimAnnotations.directoryId],
      }),
      incarnation,
      claim: claim.metadata.name,
      reason: known?.reason ?? (loss?.incarnation === incarnation ? loss.reason : 'Replaced'),
      retiredAt: known?.retiredAt ?? now,
    }
  })
  return found.length === 0 ? undefined : found.slice(-32)
}

/** Without the fields that are undefined: JSON has none such. */
function optional<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Fields]?: Exclude<Fields[Key], undefined>
  }
}
