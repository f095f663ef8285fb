import { clusterObjects } from '../desired/index.ts'
import { brokerLabel, clusterLabel } from '../desired/labels.ts'
import { logBroker } from '../desired/log-broker.ts'
import { names } from '../desired/names.ts'
import { podMonitor } from '../desired/pod-monitor.ts'
import { wantedSettings, type WantedSettings } from '../desired/settings.ts'
import { identityOf } from '../../kubernetes/disk-identity.ts'
import type { Draft, DraftOf, Service } from '../kubernetes/objects.ts'
import { applied } from './applied.ts'
import { birthOf, type Birth } from './birth.ts'
import { brokerViews, type BrokerView, named } from './broker-view.ts'
import { checkSteps } from './check.ts'
import { configSteps } from './configs.ts'
import { departingOf, isAlone } from './departure.ts'
import { diskVerdicts, type DiskVerdict, replacementSteps } from './disk-loss.ts'
import { deletionSteps, finalizerSteps } from './deletion.ts'
import {
  alsoEarlier,
  earlierListeners,
  inLiveOrder,
  type EarlierListeners,
} from './earlier-listeners.ts'
import { fillingOf, fillingSteps, type Filling } from './filling.ts'
import { genesisSteps } from './genesis.ts'
import {
  heldBy,
  hibernationOf,
  hibernationSteps,
  leavingSteps,
  type Hibernation,
} from './hibernation.ts'
import { isNewPlace, permission, recorded, replaced, rewritten } from './identity.ts'
import { logBrokers } from '../own-kinds.ts'
import { resourceOf } from './kinds.ts'
import { leadershipSteps } from './leadership.ts'
import { leftoverSteps } from './leftovers.ts'
import { oldestOperatorSteps, type TooOld, tooOldFor } from './operator-versions.ts'
import type { Observed, Ring } from './observed.ts'
import { configurationSteps, restartSteps, statefulSetSteps } from './restart.ts'
import { rollOf, type Roll } from './roll.ts'
import { rackSteps } from './rack.ts'
import { rotationSteps } from './rotation.ts'
import { type Scaling, scalingOf, scalingSteps } from './scaling.ts'
import { sharedAddress, withAddresses } from './shared-addresses.ts'
import { retiredSteps, storageSteps } from './storage.ts'
import { inLine, optional, type Step } from './step.ts'
import { withThrottle } from './throttle.ts'
import { toldCluster, type ToldCluster } from './told.ts'

/** What a pass is about to do, and what it decided by. */
export interface Plan {
  readonly birth: Birth
  /** Why nothing is done, and only looked; null where this operator may act. */
  readonly tooOld: TooOld | null
  readonly settings: WantedSettings
  /** Every broker that is wanted; none while the cluster is blocked. */
  readonly views: readonly BrokerView[]
  /** Of each broker's disk, by name of the broker. */
  readonly disks: ReadonlyMap<string, DiskVerdict>
  /** What brokers tell of the cluster; null where none does. */
  readonly told: ToldCluster | null
  readonly roll: Roll
  readonly scaling: Scaling
  readonly hibernation: Hibernation
  readonly filling: Filling
  readonly steps: readonly Step[]
}

/** The front door of the room: from the wish and the world to the writes that bring them together, in order. Same input, same plan. */
export function plan(observed: Observed, ring: Ring): Plan {
  const birth = birthOf(observed)
  const tooOld = tooOldFor(observed.cluster, observed.operatorVersion)
  const config = withThrottle(wantedSettings(observed.cluster.spec.config), observed.cluster)
  const fixed = config.kind === 'settings' ? config.fixed : new Map<string, string>()
  const seen = birth.kind === 'blocked' ? [] : brokerViews(observed, birth.clusterId, fixed)
  const settings = withAddresses(config, sharedAddress(seen, departingOf(observed)))
  const hibernation = hibernationOf(observed, seen)
  const views = heldBy(hibernation, seen)
  const disks = diskVerdicts(observed, birth.kind === 'born' ? views : [])
  const told = toldCluster(views)
  const filling = fillingOf(observed, views)
  const isRolled = settings.kind === 'settings' && !isFalling(observed) && !holds(filling)
  const roll: Roll = isRolled ? rollOf(observed, views, told) : { kind: 'idle' }
  const scaling = scalingOf(observed, views)
  const found = { birth, tooOld, settings, views, disks, told, roll, scaling, hibernation, filling }
  return { ...found, steps: stepsOf(observed, ring, found) }
}

function holds(filling: Filling): boolean {
  return filling.kind === 'wait' && filling.isHeld === true
}

/** Nobody is restarted on the way to the end of all. */
function isFalling(observed: Observed): boolean {
  return observed.cluster.spec.state === 'Hibernated' && !isAlone(observed)
}

function stepsOf(observed: Observed, ring: Ring, found: Omit<Plan, 'steps'>): readonly Step[] {
  const { cluster } = observed
  const { birth, tooOld, settings, views, disks, filling } = found
  if (tooOld !== null) return []
  if (cluster.metadata.deletionTimestamp !== undefined) return deletionSteps(observed)
  if (cluster.spec.reconciliation === 'Paused') return []
  if (birth.kind === 'blocked') return []
  const first = finalizerSteps(observed)
  // The LogCluster is another version after it, and what comes next is decided by that.
  if (first.length > 0) return first
  if (birth.kind !== 'born') return genesisSteps(observed, birth, { ring, views })
  const oldest = oldestOperatorSteps(cluster)
  if (oldest.length > 0) return oldest
  const earlier = earlierListeners(observed, views)
  return [
    ...sharedSteps(observed, ring, views, earlier),
    ...views.flatMap(view => {
      const steps = diskSteps(view, observed, isDataElsewhere(observed, views))
      return inLine([view.broker.name], steps)
    }),
    ...optional(views.flatMap(view => rackSteps(view, observed))),
    ...(settings.kind === 'settings' && !holds(filling) ? brokerSteps(views, settings) : []),
    ...fillingSteps(filling),
    ...inLine(['passwords'], rotationSteps(observed)),
    ...inLine(['scaling'], leavingSteps(observed, found.hibernation)),
    ...hibernationSteps(found.hibernation),
    ...leadershipSteps(observed, views, found),
    ...restartSteps(found.roll),
    ...optional(leftoverSteps(observed, views, earlier)),
    ...monitorSteps(observed),
    ...inLine(['scaling'], scalingSteps(observed, found)),
    ...replacementSteps(views, disks),
  ]
}

/** What does not depend on how any broker is. */
function sharedSteps(
  observed: Observed,
  ring: Ring,
  views: readonly BrokerView[],
  earlier: EarlierListeners,
): Step[] {
  const { cluster } = observed
  const leaving = departingOf(observed).map(({ metadata }) => metadata.name)
  const brokers = [...views.map(({ broker }) => broker.name), ...leaving]
  return [
    ...inLine(brokers, [...secretSteps(observed), ...leaseSteps(observed, ring)]),
    ...clusterObjects(cluster, ring.names, brokers)
      .map(draft => reachable(draft, observed, earlier))
      .flatMap(draft => restedOn(draft, brokers, applied(observed, draft))),
    // Before its LogBroker: with that, and without an identity, it would be one whose identity was lost.
    ...views
      .filter(view => isNewPlace(view, isDataElsewhere(observed, views)))
      .flatMap(view => inLine([view.broker.name], [permission(view)])),
    ...views
      .filter(view => view.logBroker === null)
      .flatMap(view => inLine([view.broker.name], [makeLogBroker(view)])),
  ]
}

/** Brokers need their account, what it may do, and their names in DNS; one alone the Service that it tells its clients of. */
function restedOn(
  { kind, metadata }: Draft,
  brokers: readonly string[],
  steps: readonly Step[],
): Step[] {
  const broker = metadata.labels?.[brokerLabel]
  if (broker !== undefined) return inLine([broker], steps)
  const headless = names.headlessService(metadata.labels?.[clusterLabel] ?? '')
  const isNeeded = kind === 'Service' ? metadata.name === headless : kind !== 'PodDisruptionBudget'
  return isNeeded ? inLine(brokers, steps) : optional(steps)
}

/**
 * What an earlier LogCluster of this name has left is about to be deleted by Kubernetes. Brokers that begin with it would be given other
 * passwords while they run, each at another moment, and refuse one another until all have them.
 */
function secretSteps({ secret, cluster }: Observed): Step[] {
  const what = `Secret of ${cluster.metadata.name}`
  if (secret === null) {
    return [{ do: 'make secret', what, because: 'the private listeners need passwords' }]
  }
  if (secret.owners.includes(cluster.metadata.uid)) return []
  return [{ do: 'take over secret', what, because: 'it was that of an earlier LogCluster' }]
}

/** The brokers' Lease holds no data, so it is made again where somebody deleted it; they make nothing themselves. */
function leaseSteps({ hasLease, cluster }: Observed, ring: Ring): Step[] {
  const { clusterId } = cluster.status
  if (hasLease || clusterId === undefined) return []
  return ring
    .objects(clusterId, 'disks')
    .filter(({ kind }) => kind === 'Lease')
    .map(draft => ({
      do: 'create',
      ifExists: 'same',
      resource: resourceOf(draft),
      draft,
      what: `Lease ${draft.metadata.name}`,
      because: 'brokers need it to agree who tries to be the controller',
    }))
}

/** A disk of a broker that is wanted, or leaves, is recorded. */
function isDataElsewhere(observed: Observed, views: readonly BrokerView[]): boolean {
  const leaving = departingOf(observed).map(({ metadata }) =>
    identityOf(named(observed.configMaps, names.identity(metadata.name))?.data),
  )
  const all = [...views.map(({ identity }) => identity), ...leaving]
  return all.some(identity => (identity?.directoryId ?? '') !== '')
}

/** Which disk a broker has. */
function diskSteps(view: BrokerView, observed: Observed, isElsewhere: boolean): Step[] {
  // What comes next depends on the identity that it is given before.
  if (isNewPlace(view, isElsewhere)) return []
  if (view.identityMap === null) return [rewritten(view)]
  const given = replaced(view, observed)
  // What comes next depends on which disk that is.
  if (given.length > 0) return given
  return [...storageSteps(view), ...recorded(view), ...retiredSteps(view, observed)]
}

/** What a broker runs with. */
function brokerSteps(
  views: readonly BrokerView[],
  { dynamic }: Extract<WantedSettings, { kind: 'settings' }>,
): Step[] {
  return views.flatMap(view => [
    ...inLine(
      [view.broker.name],
      [...configurationSteps(view), ...checkSteps(view), ...statefulSetSteps(view)],
    ),
    ...inLine([`settings of ${view.broker.name}`], configSteps(view, dynamic)),
  ])
}

function makeLogBroker({ cluster, broker }: BrokerView): Step {
  return {
    do: 'create',
    ifExists: 'fail',
    resource: logBrokers,
    draft: logBroker(cluster, broker),
    what: `LogBroker ${broker.name}`,
    because: `pool ${broker.pool} has a slot ${broker.slot}`,
  }
}

function monitorSteps(observed: Observed): Step[] {
  const draft = podMonitor(observed.cluster)
  if (draft === null) return []
  return optional(applied(observed, draft))
}

/** Of a Service: no client that was told of it loses its way. */
function reachable(draft: Draft, { services }: Observed, earlier: EarlierListeners): Draft {
  if (draft.kind !== 'Service') return draft
  const live = named(services, draft.metadata.name)
  return inLiveOrder(alsoEarlier(draft as DraftOf<Service>, live, earlier), live)
}
