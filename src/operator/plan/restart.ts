import { configuration } from '../desired/configuration.ts'
import { statefulSet } from '../desired/stateful-set.ts'
import { resources } from '../kubernetes/resources.ts'
import { over } from './applied.ts'
import type { BrokerView } from './broker-view.ts'
import { checkOf } from './check.ts'
import { differs } from './difference.ts'
import { restartReason } from './due.ts'
import { healthOf } from './pod-health.ts'
import type { Roll } from './roll.ts'
import { exactly, type Step } from './step.ts'

/** What the StatefulSet waits for before it is given another template; null where it need not wait. */
function heldBy(view: BrokerView): string | null {
  if (!view.hasNodePorts) return 'the ports of nodes that Kubernetes gives its Services'
  const { kind } = checkOf(view)
  return kind === 'wanted' || kind === 'running' || kind === 'failed'
    ? 'the check of its new image and settings'
    : null
}

/**
 * The StatefulSet as it is wanted. Another template restarts nobody by itself (OnDelete): one that only a new operator
 * renders otherwise waits there for the next restart.
 */
export function statefulSetSteps(view: BrokerView): Step[] {
  if (heldBy(view) !== null || view.identity === null) return []
  const { statefulSet: live, broker } = view
  const wanted = statefulSet(view)
  if (live !== null && !differs(live, wanted)) return []
  return [
    {
      do: 'apply',
      resource: resources.statefulSets,
      draft: over(live, wanted),
      what: `StatefulSet ${broker.name}`,
      because: live === null ? 'the broker has none yet' : 'the spec is another',
      ...(live === null
        ? {
            event: {
              type: 'Normal' as const,
              reason: 'BrokerCreated',
              action: 'Create',
              note: `Created broker ${broker.name}, incarnation ${broker.incarnation}.`,
            },
          }
        : {}),
    },
  ]
}

/** The ConfigMap that the template, or the check of it, names. */
export function configurationSteps(view: BrokerView): Step[] {
  if (!view.hasNodePorts) return []
  const draft = configuration(view)
  if (view.configurations.has(draft.metadata.name)) return []
  return [
    {
      do: 'create',
      ifExists: 'same',
      resource: resources.configMaps,
      draft,
      what: `ConfigMap ${draft.metadata.name}`,
      because: 'the settings of the broker are in it',
    },
  ]
}

/** The restart that is next, where nothing is in its way (`rollOf`). */
export function restartSteps(roll: Roll): Step[] {
  if (roll.kind !== 'restart' || healthOf(roll.next.pod).kind === 'ending') return []
  return restart(roll.next)
}

function restart(view: BrokerView): Step[] {
  const { pod, broker } = view
  if (pod === null) return []
  const because =
    restartReason(view) === 'restartedAt'
      ? `restartedAt is ${broker.restartedAt}`
      : 'it runs with another template than is wanted'
  return [
    {
      do: 'delete',
      resource: resources.pods,
      exactly: exactly(pod),
      what: `Pod ${pod.metadata.name}`,
      because,
      event: {
        type: 'Normal',
        reason: 'BrokerRestarted',
        action: 'Restart',
        note: `Restarted broker ${broker.name}: ${because}.`,
      },
    },
  ]
}
