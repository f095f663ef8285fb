import type { LogHost } from '../log-host.ts'
import type { EpochCache } from './epoch-cache.ts'

/** What a log's start has to do with. */
interface StartedLog {
  readonly name: string
  readonly host: LogHost
  readonly epochs: EpochCache
}

/**
 * The first offset of a log that may be read. It moves only here, and not before its new place is durable (G35):
 * forwards, but where the log begins anew. Never beyond the log's end. `retention.ts` raises it, `truncation/` moves it
 * where a follower's log has nothing in common with its leader's, appends and reads ask.
 */
export class StartOffset {
  readonly #log: StartedLog
  #offset: number

  constructor(log: StartedLog, offset: number) {
    this.#log = log
    this.#offset = offset
  }

  get offset(): number {
    return this.#offset
  }

  /** The log begins at `offset` from now on; durable when this resolves, and visible then. @throws DiskError */
  async raise(offset: number): Promise<void> {
    if (offset <= this.#offset) return
    const { name, host, epochs } = this.#log
    await host.saveStartOffset(name, offset)
    this.#offset = Math.max(this.#offset, offset)
    epochs.cutBefore(this.#offset)
  }

  /** The log is about to begin at `offset`, wherever that is; durable when this resolves, in force with `restart`. @throws DiskError */
  async prepareRestart(offset: number): Promise<void> {
    await this.#log.host.resetStartOffset(this.#log.name, offset)
  }

  /** In the turn in which the log's end moves too. */
  restart(offset: number): void {
    this.#offset = offset
  }

  /** The log stays as it is, after `prepareRestart`. @throws DiskError */
  async abandonRestart(): Promise<void> {
    await this.#log.host.saveStartOffset(this.#log.name, this.#offset)
  }
}
