import type { LogCluster } from '../crd/cluster.ts'
import type { Moves } from '../moves/moves.ts'
import type { BrokerView } from '../plan/broker-view.ts'
import { checkOf } from '../plan/check.ts'
import { configWork } from '../plan/configs.ts'
import { isEnding } from '../plan/deletion.ts'
import { isAlone } from '../plan/departure.ts'
import { restartReason } from '../plan/due.ts'
import { lossIn } from '../plan/disk-loss.ts'
import { isAbsenceAccepted } from '../plan/absence.ts'
import type { Hibernation } from '../plan/hibernation.ts'
import type { Observed } from '../plan/observed.ts'
import type { Plan } from '../plan/plan.ts'
import { healthOf } from '../plan/pod-health.ts'
import { rotationOf } from '../plan/rotation.ts'
import { no, yes, type Finding } from './conditions.ts'
import { endingProgress } from './ending.ts'

/** What the operator is at; False where there is nothing to do, or it waits for somebody else. */
export function progress(observed: Observed, plan: Plan, ready: Finding): Finding {
  const { cluster } = observed
  if (plan.tooOld !== null) return no(plan.tooOld.reason, plan.tooOld.message)
  if (isEnding(observed)) return endingProgress(observed)
  if (cluster.spec.reconciliation === 'Paused') {
    return no('Paused', 'spec.reconciliation is Paused.')
  }
  const { birth, views, scaling, hibernation, filling } = plan
  if (birth.kind === 'blocked') return no(birth.reason, birth.message)
  if (birth.kind === 'adopted') return yes('Adopting', 'Volumes that were kept are being adopted.')
  if (birth.kind === 'new') return yes('Creating', 'The metadata of the cluster is being made.')
  if (filling.kind === 'choose' || filling.kind === 'wait') {
    const rest = filling.kind === 'wait' ? `, and waits: ${filling.waitsFor}` : ''
    return yes('Adopting', `The metadata is taken from the longest copy on the disks${rest}.`)
  }
  if (plan.roll.kind === 'wait' && !isAlone(observed)) {
    const { next, due, waitsFor } = plan.roll
    const { name } = (next ?? due[0]!).broker
    return yes('RestartWaiting', `Broker ${name} is to be restarted, and waits: ${waitsFor}.`)
  }
  // Who sleeps leaves when it wakes.
  const leaving = hibernation.kind === 'stop' ? null : departure(cluster, scaling)
  if (leaving !== null) return leaving
  const resting = hibernating(cluster, hibernation)
  if (resting !== null) return resting
  const rotating = rotation(observed)
  if (rotating !== null) return rotating
  for (const view of views) {
    const found = progressOf(view, plan)
    if (found !== null) return found
  }
  const moving = rebalancing(cluster, scaling)
  if (moving !== null) return moving
  if (ready.reason === 'WaitingForNode') return no('WaitingForNode', ready.message)
  return no('Idle', 'There is nothing to do.')
}

/** On the way to sleep, or out of it; null where brokers are on their own way there, or none is. */
function hibernating({ spec }: LogCluster, hibernation: Hibernation): Finding | null {
  if (hibernation.kind === 'awake' || hibernation.kind === 'stop') return null
  const isFalling = spec.state === 'Hibernated'
  const [reason, text] = isFalling
    ? ['Hibernating', 'The cluster is being hibernated']
    : ['Waking', 'The cluster wakes']
  const rest = hibernation.kind === 'wait' ? `, and waits: ${hibernation.waitsFor}` : ''
  return yes(reason, `${text}${rest}.`)
}

/** Passwords change: whom it waits for. */
function rotation(observed: Observed): Finding | null {
  const found = rotationOf(observed)
  if (found.kind === 'idle') return null
  const rest = found.kind === 'wait' ? `, and it waits: ${found.waitsFor}` : ''
  return yes(
    'RotatingPasswords',
    `The passwords of the private listeners are being changed${rest}.`,
  )
}

/** Brokers leave: how far their replicas are. */
function departure(cluster: LogCluster, { departing, away }: Plan['scaling']): Finding | null {
  if (departing.length === 0) return null
  const names = departing.map(({ metadata }) => metadata.name).join(', ')
  if (away === null) return yes('ScalingDown', `Brokers leave: ${names}.`)
  return yes('ScalingDown', `Brokers leave: ${names}. ${onTheirWay(cluster, away)}`)
}

/** Replicas move among brokers that stay: how far they are. What others asked for is no business of ours. */
function rebalancing(cluster: LogCluster, { rebalance }: Plan['scaling']): Finding | null {
  if (rebalance === null) return null
  const { arriving, share, raise } = rebalance
  if (raise.waitingCount > 0) {
    return yes('Rebalancing', `Internal topics get more replicas. ${onTheirWay(cluster, raise)}`)
  }
  if (arriving.length === 0 || share.movingCount + share.waitingCount === 0) return null
  const names = arriving.map(({ metadata }) => metadata.name).join(', ')
  return yes('Rebalancing', `Brokers get their share: ${names}. ${onTheirWay(cluster, share)}`)
}

function onTheirWay({ spec }: LogCluster, { movingCount, waitingCount }: Moves): string {
  const { state } = spec.rebalance
  const held =
    state === 'Active' ? '' : ` Nothing begins, because spec.rebalance.state is ${state}.`
  return `Partitions on their way: ${movingCount}; that have still to move: ${waitingCount}.${held}`
}

function progressOf(view: BrokerView, { settings }: Plan): Finding | null {
  const { cluster, broker, pod, identity, identityMap } = view
  const { name } = broker
  const health = healthOf(pod)
  if (cluster.spec.state === 'Hibernated') {
    // Kubernetes ends it when its node is back.
    const isLeftBehind = health.kind === 'ending' && isAbsenceAccepted(view.logBroker)
    return pod === null || isLeftBehind
      ? null
      : yes('Hibernating', `Broker ${name} is being stopped.`)
  }
  if (lossIn(identityMap)?.incarnation === broker.incarnation) {
    return yes('Replacing', `The disk of broker ${name} is lost, and is being given up.`)
  }
  const isNew = identity === null || identity.directoryId === ''
  if (isNew && broker.incarnation > 1)
    return yes('Replacing', `Broker ${name} is given a new disk.`)
  if (isNew) return yes('Creating', `Broker ${name} is being made.`)
  if (settings.kind === 'problems') return null
  const check = checkOf(view)
  if (check.kind === 'running' || check.kind === 'wanted') {
    return yes('Checking', `Image and settings that are new to broker ${name} are tried first.`)
  }
  if (check.kind === 'failed') return null
  if (restartReason(view) !== null || health.kind === 'ending') {
    return yes('Restarting', `Broker ${name} is being restarted.`)
  }
  if (health.kind === 'absent' || health.kind === 'starting' || health.kind === 'running') {
    return yes('Starting', `Broker ${name} is being started.`)
  }
  const work = configWork(view, settings.dynamic)
  if (work !== null && work.changes.length > 0) {
    return yes('ApplyingConfig', `Settings of broker ${name} are being changed.`)
  }
  return null
}
