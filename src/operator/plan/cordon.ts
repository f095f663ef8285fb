import type { Node } from '../kubernetes/objects.ts'
import type { BrokerView } from './broker-view.ts'
import type { Look } from './observed.ts'

/** What those who are about to empty a node put on it beside or instead of a cordon. */
const drainTaints: ReadonlySet<string> = new Set([
  'ToBeDeletedByClusterAutoscaler',
  'karpenter.sh/disrupted',
  'node.kubernetes.io/unschedulable',
])

/** The node that the broker's pod is on, where that is being emptied: a pod that goes does not come back there; null where it is not. */
export function cordonedNodeOf(
  { pod }: BrokerView,
  nodes: ReadonlyMap<string, Look<Node>>,
): string | null {
  const name = pod?.spec?.nodeName
  const node = nodes.get(name ?? '')
  if (name === undefined || typeof node !== 'object' || node === null) return null
  const isTainted = node.spec?.taints?.some(({ key }) => drainTaints.has(key)) ?? false
  return node.spec?.unschedulable === true || isTainted ? name : null
}
