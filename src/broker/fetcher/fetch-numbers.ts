import type { ErrorName } from '../wire/errors.ts'
import type { ClientErrorReason } from '../wire/client/client-error.ts'

/** Why a fetch, or what was to be done with its answer, failed: an error of the protocol, or of the connection. */
export type FetchFailure = ErrorName | ClientErrorReason | 'login'

/** What the fetchers of this broker did since the start of the process, by the leader. Only they write it. */
export class FetchNumbers {
  readonly leader: number
  requests = 0
  /** Bytes of record batches that came. */
  bytes = 0
  readonly failures = new Map<FetchFailure, number>()

  constructor(leader: number) {
    this.leader = leader
  }

  failed(why: FetchFailure): void {
    this.failures.set(why, (this.failures.get(why) ?? 0) + 1)
  }
}
