import { restartedAtAnnotation, templateAnnotation, templateHash } from '../desired/pod-template.ts'
import type { BrokerView } from './broker-view.ts'

/** Why a broker's pod has to be made anew; null where it has not. */
export type RestartReason = 'template' | 'restartedAt'

export function restartReason(view: BrokerView): RestartReason | null {
  const { pod, broker } = view
  if (pod === null) return null
  const annotations = pod.metadata.annotations ?? {}
  if (annotations[templateAnnotation] !== templateHash(view)) return 'template'
  return isRequested(
    pod.metadata.creationTimestamp,
    annotations[restartedAtAnnotation],
    broker.restartedAt,
  )
    ? 'restartedAt'
    : null
}

/** Once per value: the pod that obeyed it carries it, and one that is younger need not obey. */
function isRequested(
  createdAt: string | undefined,
  obeyed: string | undefined,
  wanted: string,
): boolean {
  if (wanted === '' || obeyed === wanted) return false
  return createdAt === undefined || Date.parse(createdAt) < Date.parse(wanted)
}
