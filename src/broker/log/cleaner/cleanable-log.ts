import type { Sealer } from '../append/sealing.ts'
import type { Retention } from '../retention.ts'
import type { LogState } from '../state/log-state.ts'

/** A log as the cleaner needs it: what it holds, and whom it must not come in the way of. */
export interface CleanableLog {
  readonly state: LogState
  readonly retention: Retention
  readonly sealer: Sealer
}
