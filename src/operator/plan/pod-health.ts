import type { Pod } from '../kubernetes/objects.ts'
import type { Sight } from './observed.ts'

/** How a broker's pod is, as far as Kubernetes knows. */
export type PodHealth =
  | { readonly kind: 'absent' | 'starting' | 'running' | 'ready' | 'ending' }
  /** No node takes it; the message is the scheduler's. */
  | { readonly kind: 'unschedulable'; readonly message: string }
  /** It will not run as it is: by a word of kubelet's, or of the broker's own, and a sentence. */
  | { readonly kind: 'broken'; readonly reason: string; readonly message: string }

/** Why a broker refused to start, as it wrote it into its termination log. */
export interface Refusal {
  readonly reason: string
  readonly message: string
}

/** Kubelet's words for what only another pod cures. */
const hopeless: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'ErrImageNeverPull',
  'ErrImagePull',
  'ImageInspectError',
  'ImagePullBackOff',
  'InvalidImageName',
  'RunContainerError',
])

export function healthOf(pod: Pod | null): PodHealth {
  if (pod === null) return { kind: 'absent' }
  if (pod.metadata.deletionTimestamp !== undefined) return { kind: 'ending' }
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    return { kind: 'unschedulable', message: scheduled.message ?? 'no node takes the pod' }
  }
  const container = pod.status?.containerStatuses?.[0]
  const waiting = container?.state?.waiting
  const refusal = refusalOf(pod)
  const isDown = container?.state?.running === undefined
  if (isDown && refusal !== null) return { kind: 'broken', ...refusal }
  if (waiting?.reason !== undefined && hopeless.has(waiting.reason)) {
    return { kind: 'broken', reason: waiting.reason, message: whyDown(pod, waiting.message) }
  }
  if (pod.status?.phase === 'Failed') {
    const reason = pod.status.reason ?? 'PodFailed'
    return { kind: 'broken', reason, message: pod.status.message ?? 'the pod failed' }
  }
  if (isReady(pod)) return { kind: 'ready' }
  return { kind: container?.state?.running === undefined ? 'starting' : 'running' }
}

/** It has its disk, and serves from it: among several brokers in sync. One that is ending does not count. */
export function isServing({ pod }: { readonly pod: Pod | null }): boolean {
  return healthOf(pod).kind === 'ready'
}

/** It serves, and answered just now: of a pod whose node is gone nobody says any more that it is not ready. */
export function isHeard(view: { readonly pod: Pod | null; readonly sight: Sight | null }): boolean {
  return isServing(view) && view.sight?.kind === 'seen'
}

/** What kubelet last found of its readiness. */
export function isReady(pod: Pod | null): boolean {
  return pod?.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
}

/** The last sentence of a broker that would not start; null where it left none. */
export function refusalOf(pod: Pod | null): Refusal | null {
  const container = pod?.status?.containerStatuses?.[0]
  const ended = container?.state?.terminated ?? container?.lastState?.terminated
  return ended?.message === undefined ? null : parseRefusal(ended.message)
}

/** One line of JSON: `{"reason":"CamelCase","message":"..."}`. Whatever else stands there is none of ours. @internal */
export function parseRefusal(text: string): Refusal | null {
  try {
    const found: unknown = JSON.parse(text.trim().split('\n').at(-1) ?? '')
    if (typeof found !== 'object' || found === null) return null
    const { reason, message } = found as Record<string, unknown>
    if (typeof reason !== 'string' || typeof message !== 'string') return null
    return /^[A-Z][A-Za-z0-9]{0,127}$/.test(reason) ? { reason, message } : null
  } catch {
    return null
  }
}

function whyDown(pod: Pod, message: string | undefined): string {
  const ended = pod.status?.containerStatuses?.[0]?.lastState?.terminated
  const code = ended === undefined ? '' : ` (its last exit code is ${ended.exitCode})`
  return `${message ?? 'the container does not start'}${code}`
}
