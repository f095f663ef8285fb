import { checkPod } from '../desired/check-pod.ts'
import { names } from '../desired/names.ts'
import { checkAnnotation, checkHash } from '../desired/pod-template.ts'
import type { Pod } from '../kubernetes/objects.ts'
import { resources } from '../kubernetes/resources.ts'
import { named, type BrokerView } from './broker-view.ts'
import { restartReason } from './due.ts'
import { healthOf, refusalOf } from './pod-health.ts'
import { exactly, type Step } from './step.ts'

/** Whether image, settings and environment that are new to a broker were tried. */
export type CheckState =
  /** `needless`: neither is new, or there is no running broker that a failure could hurt. */
  | { readonly kind: 'needless' | 'wanted' | 'running' | 'passed' }
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string }
  /** The node, or a quota, has no place for it: the restart goes on, and the broker itself is the trial. */
  | { readonly kind: 'unschedulable'; readonly message: string }

export function checkOf(view: BrokerView): CheckState {
  if (!isNeeded(view)) return { kind: 'needless' }
  const check = currentCheck(view)
  if (check === null) return unmade(view)
  if (check.status?.phase === 'Succeeded') return { kind: 'passed' }
  const health = healthOf(check)
  if (health.kind === 'unschedulable') return { kind: 'unschedulable', message: health.message }
  if (check.status?.phase === 'Failed') return failed(check)
  if (health.kind !== 'broken') return { kind: 'running' }
  return {
    kind: 'failed',
    reason: health.reason,
    message: `${health.message} (pod ${check.metadata.name})`,
  }
}

/**
 * What only the room in the namespace speaks against tells nothing of the broker, whose own pod is counted there already. Whatever
 * else refuses a pod with this image, such as a policy, would refuse the broker's too.
 */
function unmade(view: BrokerView): CheckState {
  const message = view.refusedChecks.get(nameOf(view))
  if (message === undefined) return { kind: 'wanted' }
  if (isOfRoom(message)) return { kind: 'unschedulable', message }
  return { kind: 'failed', reason: 'CheckRefused', message }
}

/**
 * By the words of Kubernetes' ResourceQuota and LimitRange, whose answers differ in nothing else from those of other admission. A
 * greatest limit is not among them: limits of a check are those of the broker.
 */
function isOfRoom(message: string): boolean {
  return /\b(exceeded|failed) quota: |\bminimum \S+ usage per |limit to request ratio per /.test(
    message,
  )
}

/** A broker that does not run has nothing to lose: the new template is its chance. */
function isNeeded(view: BrokerView): boolean {
  const { pod } = view
  const health = healthOf(pod)
  if (health.kind !== 'ready' && health.kind !== 'running') return false
  if (view.cluster.spec.state === 'Hibernated' || restartReason(view) === null) return false
  return pod?.metadata.annotations?.[checkAnnotation] !== checkHash(view)
}

function nameOf(view: BrokerView): string {
  return names.checkPod(view.broker.name, checkHash(view))
}

function currentCheck(view: BrokerView): Pod | null {
  return named(view.checks, nameOf(view))
}

function failed(check: Pod): CheckState {
  const refusal = refusalOf(check)
  if (refusal !== null) return { kind: 'failed', ...refusal }
  const ended = check.status?.containerStatuses?.[0]?.state?.terminated
  const message =
    ended === undefined
      ? (check.status?.message ?? 'the pod failed')
      : `logcluster check ended with exit code ${ended.exitCode}`
  return {
    kind: 'failed',
    reason: check.status?.reason ?? 'CheckFailed',
    message: `${message} (pod ${check.metadata.name})`,
  }
}

/** A check that did not end by what it was to check: another one may tell. */
function isInconclusive(check: Pod): boolean {
  const ended = check.status?.containerStatuses?.[0]?.state?.terminated
  return check.status?.phase === 'Failed' && ended === undefined
}

/** Makes the check that is wanted, and removes those that nobody waits for. */
export function checkSteps(view: BrokerView): Step[] {
  const state = checkOf(view)
  const current = state.kind === 'needless' ? null : currentCheck(view)
  const gone = view.checks.filter(
    check =>
      check.metadata.deletionTimestamp === undefined &&
      (check !== current || isInconclusive(check)),
  )
  return [
    ...gone.map((check): Step => ({
      do: 'delete',
      resource: resources.pods,
      exactly: exactly(check),
      what: `Pod ${check.metadata.name}`,
      because: 'nobody waits for this check any more',
    })),
    ...(isToBeMade(state, current) ? [makeCheck(view)] : []),
  ]
}

/** One that was refused is tried again: what refuses it may be mended. */
function isToBeMade({ kind }: CheckState, current: Pod | null): boolean {
  return kind === 'wanted' || (kind === 'failed' && current === null)
}

function makeCheck(view: BrokerView): Step {
  const draft = checkPod(view, view.pod?.spec?.nodeName ?? '')
  return {
    do: 'create',
    ifExists: 'fail',
    resource: resources.pods,
    draft,
    what: `Pod ${draft.metadata.name}`,
    because: `image or settings are new to ${view.broker.name}`,
    isCheck: true,
  }
}
