import type { ObjectName } from './kubernetes/objects.ts'

/** What a pass left: when to come again although nothing has changed, and what it did, for the log. */
export interface Outcome {
  /** Milliseconds; null: not before something changes. */
  readonly requeueAfterMs: number | null
}

/**
 * One pass for one object, from whatever state it is in. It is told which object, never what changed. It rejects
 * where it could not finish; it is then called again with growing pauses. Never twice at once for one object.
 */
export type Reconcile = (at: Required<ObjectName>) => Promise<Outcome>
