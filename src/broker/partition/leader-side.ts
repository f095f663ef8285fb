import type { AppendResult, Refusal } from '../log/log.ts'
import { refusal, whyUnwritable } from './answers.ts'
import type { PartitionCore } from './core.ts'
import type { PartitionAppend } from './requests.ts'

/** What a replica does while it leads: it appends what clients and coordinators send. */
export class LeaderSide {
  readonly #core: PartitionCore

  constructor(core: PartitionCore) {
    this.#core = core
  }

  /** See `Partition.append`. */
  append(
    records: Uint8Array,
    { acks, timeoutMs, origin, allowsZstd = true, awaitedSequence = null }: PartitionAppend,
    done: (result: AppendResult) => void,
  ): void {
    const core = this.#core
    const { log } = core
    const leaderEpoch = core.replica.role?.leaderEpoch ?? -1
    // It may wait for its turn, and what is true now need not be true then.
    const refusalNow = (): Refusal | null => this.#refusal(leaderEpoch, acks)
    const refused = refusalNow()
    if (refused !== null || log === null) {
      const { error, message, beforeLog } = refused ?? notLed
      return done(refusal(error, message, beforeLog ? -1 : (log?.startOffset ?? -1)))
    }
    const options = { leaderEpoch, origin, allowsZstd, awaitedSequence, refusalNow }
    log.append(records, options, result => {
      if (!result.ok) {
        core.noteOffline()
        return done(result)
      }
      if (!result.duplicate) core.appendedBatch(log, records.length)
      if (acks === -1) core.awaitInsync(result, timeoutMs, done)
      else if (acks === 0) done(result)
      else core.awaitDurable(log, result, done)
    })
  }

  /** Why nothing that came in `leaderEpoch` is to be written, in the words of Produce; null where it is. */
  #refusal(leaderEpoch: number, acks: number): Refusal | null {
    const { replica, failure } = this.#core
    const error = this.#core.availability()
    if (error !== 'NONE') return { ...notLed, error, message: failure ?? notLed.message }
    if (replica.role?.leaderEpoch !== leaderEpoch) return ledAnew
    const unwritable = whyUnwritable(replica, acks)
    return unwritable === null ? null : { error: 'NOT_ENOUGH_REPLICAS', message: unwritable }
  }
}

const notLed = {
  error: 'NOT_LEADER_OR_FOLLOWER',
  message: 'This broker does not lead the partition.',
  beforeLog: true,
} as const
const ledAnew = {
  ...notLed,
  message:
    'There was an election while the batch waited for its turn; nothing was written. Try again.',
}
