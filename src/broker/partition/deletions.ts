import { DiskError, type Timer } from '../../env/env.ts'
import { undeleted } from './answers.ts'
import type { PartitionCore } from './core.ts'
import type { Deletion } from './requests.ts'

interface Waiting {
  readonly offset: number
  readonly done: (deletion: Deletion) => void
  readonly timer: Timer
}

/** Deletes from the beginning of a partition, and waits for the followers to do so. */
export class Deletions {
  readonly #core: PartitionCore
  readonly #waiting = new Set<Waiting>()

  constructor(core: PartitionCore) {
    this.#core = core
  }

  /** See `Partition.deleteBefore`. */
  async before(offset: number, timeoutMs: number): Promise<Deletion> {
    const { log, replica, watchers } = this.#core
    const unavailable = this.#core.availability()
    if (unavailable !== 'NONE' || log === null) return undeleted(unavailable)
    if (log.config.cleanupPolicy === 'compact') return undeleted('POLICY_VIOLATION')
    if (offset < 0 || offset > replica.highWatermark) return undeleted('OFFSET_OUT_OF_RANGE')
    try {
      await log.raiseStartOffset(offset)
    } catch (error) {
      if (error instanceof DiskError) return undeleted('KAFKA_STORAGE_ERROR')
      throw error
    }
    watchers.startIs(log.startOffset)
    if (log.startOffset >= offset) return this.#wait(offset, timeoutMs, log.startOffset)
    // It went out of service, or the topic was deleted.
    const why = this.#core.availability()
    return undeleted(why === 'NONE' ? 'KAFKA_STORAGE_ERROR' : why)
  }

  /** A follower told where its log begins, or there are others now. */
  check(): void {
    const { log, replica } = this.#core
    if (this.#waiting.size === 0 || log === null) return
    if (!replica.isLeader) return this.refuse(undeleted('NOT_LEADER_OR_FOLLOWER'))
    const lowWatermark = replica.lowWatermark(log.startOffset)
    for (const waiting of this.#waiting) {
      if (waiting.offset <= lowWatermark) this.#end(waiting, { error: 'NONE', lowWatermark })
    }
  }

  refuse(deletion: Deletion): void {
    for (const waiting of this.#waiting) this.#end(waiting, deletion)
  }

  #wait(offset: number, timeoutMs: number, ownStart: number): Deletion | Promise<Deletion> {
    const lowWatermark = this.#core.replica.lowWatermark(ownStart)
    if (lowWatermark >= offset) return { error: 'NONE', lowWatermark }
    const { promise, resolve } = Promise.withResolvers<Deletion>()
    const timer = this.#core.clock.after(timeoutMs, () => {
      this.#waiting.delete(waiting)
      resolve(undeleted('REQUEST_TIMED_OUT'))
    })
    const waiting = { offset, done: resolve, timer }
    this.#waiting.add(waiting)
    return promise
  }

  #end(waiting: Waiting, deletion: Deletion): void {
    this.#waiting.delete(waiting)
    waiting.timer.cancel()
    waiting.done(deletion)
  }
}
