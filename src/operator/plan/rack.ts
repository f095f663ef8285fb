import { rackAnnotation } from '../desired/rack.ts'
import { resources } from '../kubernetes/resources.ts'
import type { BrokerView } from './broker-view.ts'
import type { Observed } from './observed.ts'
import { exactly, type Step } from './step.ts'

/** What is known of a broker's rack. */
export type RackState =
  | { readonly kind: 'unwanted' | 'unknown' }
  | { readonly kind: 'known'; readonly rack: string }
  /** Its node does not tell, or nobody may look. */
  | { readonly kind: 'untold'; readonly message: string }

export function rackOf(
  { cluster, pod, broker }: Pick<BrokerView, 'cluster' | 'pod' | 'broker'>,
  { nodes }: Pick<Observed, 'nodes'>,
): RackState {
  const label = cluster.spec.rack?.nodeLabel
  if (label === undefined) return { kind: 'unwanted' }
  const name = pod?.spec?.nodeName
  const node = name === undefined ? undefined : nodes.get(name)
  const told = pod?.metadata.annotations?.[rackAnnotation]
  const rack = typeof node === 'object' ? node?.metadata.labels?.[label] : undefined
  if (rack) return known(rack)
  if (told) return known(told)
  if (node === undefined || node === null) return { kind: 'unknown' }
  if (node === 'forbidden') {
    return untold(
      `The operator has no right to look at node ${name}: give it one, or remove spec.rack.`,
    )
  }
  return untold(
    `Broker ${broker.name} waits for its rack: node ${name} has no label ${label}. Label the node, or remove spec.rack.`,
  )
}

function known(rack: string): RackState {
  return { kind: 'known', rack }
}

function untold(message: string): RackState {
  return { kind: 'untold', message }
}

/** Tells a pod the rack of the node that it came to; kubelet shows it to the broker at once, which waits for it. */
export function rackSteps(view: BrokerView, observed: Observed): Step[] {
  const { pod } = view
  const state = rackOf(view, observed)
  if (state.kind !== 'known' || pod === null) return []
  if (pod.metadata.deletionTimestamp !== undefined) return []
  if (pod.metadata.annotations?.[rackAnnotation] === state.rack) return []
  return [
    {
      do: 'patch',
      resource: resources.pods,
      exactly: exactly(pod),
      fields: { metadata: { annotations: { [rackAnnotation]: state.rack } } },
      what: `Pod ${pod.metadata.name}`,
      because: `it is on a node of rack ${state.rack}`,
    },
  ]
}
