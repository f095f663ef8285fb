import type { LogBroker } from '../crd/broker.ts'
import { logBrokers } from '../own-kinds.ts'
import { exactly, type Step } from './step.ts'

/** Writes down on a LogBroker what the operator has begun with it, so that whoever follows goes on; null: takes it away. */
export function annotated(
  broker: LogBroker,
  annotation: string,
  value: string | null,
  because: string,
): Step {
  return {
    do: 'patch',
    resource: logBrokers,
    exactly: exactly(broker),
    fields: { metadata: { annotations: { [annotation]: value } } },
    what: `LogBroker ${broker.metadata.name}`,
    because,
  }
}
