import type { LogBroker } from '../crd/broker.ts'

/** A person said that nothing is to wait for the broker while it is away (decision 0020). */
export function isAbsenceAccepted(logBroker: LogBroker | null): boolean {
  return logBroker?.spec.absence === 'Accepted'
}
