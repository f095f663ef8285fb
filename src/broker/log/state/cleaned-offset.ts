import type { LogHost } from '../log-host.ts'

/** What it is the offset of. */
interface CleanedLog {
  readonly name: string
  readonly host: LogHost
}

/**
 * Up to where a log was cleaned: below, each key has one record, and offsets may be missing. The cleaner alone moves it.
 * That it is known at all says that offsets may be missing; so it is saved before the first of them goes, and stays
 * when the topic is no longer a compacted one.
 */
export class CleanedOffset {
  readonly #log: CleanedLog
  #offset: number | null

  constructor(log: CleanedLog, offset: number | null) {
    this.#log = log
    this.#offset = offset
  }

  /** The first dirty offset; null where nothing was ever cleaned. */
  get offset(): number | null {
    return this.#offset
  }

  /** Durable when it resolves, and in force then. @throws DiskError */
  async move(offset: number): Promise<void> {
    if (offset === this.#offset) return
    const { name, host } = this.#log
    await host.saveCleanedOffset(name, offset)
    this.#offset = offset
  }
}
