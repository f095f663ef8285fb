import type { ConfigChange } from '../brokers/brokers.ts'
import type { BrokerView } from './broker-view.ts'
import { healthOf } from './pod-health.ts'
import type { Step } from './step.ts'

/** What running brokers have to be told, so that `spec.config` is in force. */
export interface ConfigWork {
  /** To be remembered before anything is set, so that nothing that was set is forgotten. */
  readonly remember: Readonly<Record<string, string>>
  readonly changes: readonly ConfigChange[]
}

/**
 * Of the dynamic settings: those of the spec win over whatever somebody set; what was set for the spec and is wanted no
 * more goes back to what is beneath it; all others are somebody else's. null where the broker did not say what it has.
 * What is so by default is set all the same: a default may be another for another topic (min.insync.replicas), broker or version.
 */
export function configWork(
  view: BrokerView,
  dynamic: ReadonlyMap<string, string>,
): ConfigWork | null {
  const { sight, logBroker, broker } = view
  if (sight?.kind !== 'seen' || sight.configs === null || logBroker === null) return null
  const set: Record<string, string | null> = {}
  const freed: Record<string, string | null> = {}
  for (const [name, wanted] of dynamic) {
    const found = sight.configs.get(name)
    if (found?.value === wanted && found.source === 'dynamic of all') continue
    if (found?.source === 'dynamic') freed[name] = null
    set[name] = wanted
  }
  const remembered = logBroker.status.appliedConfig ?? {}
  for (const name of Object.keys(remembered)) {
    if (!dynamic.has(name) && sight.configs.get(name)?.source === 'dynamic of all') set[name] = null
  }
  const changes: ConfigChange[] = []
  if (Object.keys(freed).length > 0) {
    changes.push({ of: { kind: 'broker', id: broker.brokerId }, configs: freed })
  }
  if (Object.keys(set).length > 0) changes.push({ of: { kind: 'all brokers' }, configs: set })
  return { remember: { ...remembered, ...Object.fromEntries(dynamic) }, changes }
}

export function configSteps(view: BrokerView, dynamic: ReadonlyMap<string, string>): Step[] {
  const work = configWork(view, dynamic)
  if (work === null || work.changes.length === 0 || healthOf(view.pod).kind !== 'ready') return []
  const { broker } = view
  const names = work.changes.flatMap(({ configs }) => Object.keys(configs))
  const listed = [...new Set(names)].join(', ')
  return [
    {
      do: 'remember configs',
      broker: broker.name,
      configs: work.remember,
      what: `LogBroker ${broker.name}`,
      because: 'what is about to be set must be known to be reset one day',
    },
    {
      do: 'alter configs',
      broker: broker.name,
      changes: work.changes,
      what: `settings of ${broker.name}`,
      because: `spec.config is another in ${listed}`,
      event: {
        type: 'Normal',
        reason: 'ConfigChanged',
        action: 'AlterConfigs',
        note: `Changed without a restart: ${listed}.`,
      },
    },
  ]
}
