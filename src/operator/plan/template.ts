import { statefulSet } from '../desired/stateful-set.ts'
import type { BrokerView } from './broker-view.ts'
import { differs } from './difference.ts'

/** Whether the StatefulSet would make the pod that is wanted: its controller has seen the template. */
export function isTemplateCurrent(view: BrokerView): boolean {
  const { statefulSet: live } = view
  if (live === null || differs(live, statefulSet(view))) return false
  return (live.status?.observedGeneration ?? 0) >= (live.metadata.generation ?? 0)
}
