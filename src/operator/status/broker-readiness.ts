import type { Node } from '../kubernetes/objects.ts'
import type { BrokerView } from '../plan/broker-view.ts'
import type { Look, Observed } from '../plan/observed.ts'
import { isAlone } from '../plan/departure.ts'
import { nodeOfDisk } from '../plan/disk-loss.ts'
import { durationOf } from '../plan/duration.ts'
import { healthOf, type PodHealth } from '../plan/pod-health.ts'
import { hostOf } from '../plan/volume-node.ts'
import { formerly, no, unknown, yes, type Finding } from './conditions.ts'

/** A broker that does not answer for so long is one that may not serve; below, one question may have been lost. */
const silenceMs = 2500

/** Whether a broker serves clients; where it does not, why, and what it waits for. */
export function readinessOf(view: BrokerView, observed: Observed): Finding {
  const { cluster, pod, sight, broker } = view
  const health = healthOf(pod)
  if (cluster.spec.state === 'Hibernated' && health.kind === 'absent') {
    return no('Hibernated', 'spec.state is Hibernated: no broker runs, and all volumes are kept.')
  }
  if (sight?.kind === 'seen' && sight.status.isReady && isContainerReady(view)) {
    return yes('Serving', `Broker ${broker.name} serves clients.`)
  }
  const node = waitsForNode(view, observed, health)
  if (node !== null) return node
  const told = sight?.kind === 'seen' ? sight.status : null
  if (health.kind === 'running' || health.kind === 'ready') {
    if (told !== null && !told.isReady) {
      return no('Starting', told.notReadyReason ?? `Broker ${broker.name} does not serve yet.`)
    }
    if (told !== null) return no('PodNotReady', 'Kubernetes has not found the pod ready yet.')
    return silent(view, health)
  }
  return notRunning(broker.name, health)
}

/** Kubelet's own finding. The pod's condition is also changed where a node is lost, whose broker may serve on. */
function isContainerReady({ pod }: BrokerView): boolean {
  return (
    pod?.metadata.deletionTimestamp === undefined &&
    (pod?.status?.containerStatuses?.[0]?.ready ?? false)
  )
}

function silent({ sight, broker, logBroker }: BrokerView, health: PodHealth): Finding {
  const former = formerly(logBroker?.status.conditions, 'Ready')
  const isShort = sight?.kind !== 'silent' || sight.forMs < silenceMs
  if (isShort && former !== undefined && former.reason !== 'Pending') return former
  if (health.kind === 'running') return no('Starting', `Broker ${broker.name} does not answer yet.`)
  const why = sight?.kind === 'silent' ? `: ${sight.message}` : ''
  return unknown('BrokerUnreachable', `Broker ${broker.name} does not answer the operator${why}.`)
}

function notRunning(broker: string, health: PodHealth): Finding {
  switch (health.kind) {
    case 'absent':
      return no('PodMissing', `Broker ${broker} has no pod yet.`)
    case 'ending':
      return no('Stopping', `The pod of broker ${broker} is ending.`)
    case 'unschedulable':
      return no('Unschedulable', `No node takes the pod of broker ${broker}: ${health.message}`)
    case 'broken':
      return no(health.reason, health.message)
    case 'starting':
    case 'running':
    case 'ready':
      return no('Starting', `The pod of broker ${broker} is being started.`)
  }
}

/** A broker runs where its volume lies, and nowhere else: while that node takes no pods it waits, and nothing else is done. */
function waitsForNode(view: BrokerView, observed: Observed, health: PodHealth): Finding | null {
  const name = nodeOfDisk(view) ?? nodeOf(view)
  if (name === null || health.kind === 'broken') return null
  const node = observed.nodes.get(name)
  const down = node === undefined ? null : nodeDown(view, node, observed)
  if (down !== null) return down
  const trouble = node === undefined ? null : nodeTrouble(node, health)
  if (trouble === null) return null
  return no(
    'WaitingForNode',
    `Waiting for node ${name}, on which the volume of broker ${view.broker.name} lies: ${trouble}`,
  )
}

/**
 * Silent for longer than `spec.disruption.nodeGracePeriod`. Only a person, or whoever runs the machines, knows whether it comes back;
 * the disk is waited for until one of them says that it does not (plan/disk-loss.ts).
 */
function nodeDown(
  { broker, cluster }: BrokerView,
  node: Look<Node>,
  observed: Observed,
): Finding | null {
  if (node === null || node === 'forbidden' || isAlone(observed)) return null
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')
  const since = Date.parse(ready?.lastTransitionTime ?? '')
  const { nodeGracePeriod } = cluster.spec.disruption
  if (ready === undefined || ready.status === 'True') return null
  if (!(observed.nowMs - since > (durationOf(nodeGracePeriod) ?? Infinity))) return null
  const { name } = node.metadata
  return no(
    'NodeDown',
    `Node ${name}, on which the disk of broker ${broker.name} is, has not been ready for longer than ${nodeGracePeriod}. ` +
      'Its leaders are elsewhere, and its disk is waited for. If the node does not come back delete its Node object, or give it ' +
      'the taint node.kubernetes.io/out-of-service=nodeshutdown:NoExecute: the broker then gets another disk.',
  )
}

/** The node that a broker is bound to: by its volume, else the one that its pod is on. */
export function nodeOf({ volume, pod }: BrokerView): string | null {
  return hostOf(volume) ?? pod?.spec?.nodeName ?? null
}

function nodeTrouble(node: Look<Node>, health: PodHealth): string | null {
  if (node === 'forbidden') return null
  if (node === null) return 'it is not there.'
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')
  if (ready !== undefined && ready.status !== 'True') {
    return `it is not ready (${ready.reason ?? ready.status}).`
  }
  if (health.kind !== 'unschedulable') return null
  return node.spec?.unschedulable === true
    ? 'it is cordoned.'
    : `it has no place (${health.message}).`
}
