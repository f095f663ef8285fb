import { errors, type ErrorName } from '../../wire/errors.ts'
import type { LogHost } from '../log-host.ts'

export interface StorageRefusal {
  readonly error: ErrorName
  readonly message: string
}

/**
 * Whether a log serves: not where its directory failed, not where it was taken out of service alone, not once it
 * was closed. None of these is ever taken back. Whoever appends or reads asks first.
 */
export class Availability {
  readonly #log: { readonly name: string; readonly host: LogHost }
  #offline: string | null
  #isClosed = false

  /** `damage`: what recovery found; null where it found nothing. */
  constructor(log: { readonly name: string; readonly host: LogHost }, damage: string | null) {
    this.#log = log
    this.#offline = damage
  }

  /** Why this log, alone, is out of service: damage, or EIO on read. */
  get offline(): string | null {
    return this.#offline
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Why nothing can be read or appended, or null. */
  get refusal(): StorageRefusal | null {
    const { failure } = this.#log.host
    if (failure === null && this.#offline === null && !this.#isClosed) return null
    return { error: errors.KAFKA_STORAGE_ERROR.name, message: this.#reason(failure) }
  }

  /** Takes this log, and no other, out of service. What it holds stays as it is (durability.md 3.7). */
  takeOffline(why: string): StorageRefusal {
    if (this.#offline === null) {
      this.#offline = why
      const { host, name } = this.#log
      host.warn('Took a damaged partition out of service', { log: name, reason: why })
    }
    return { error: errors.KAFKA_STORAGE_ERROR.name, message: this.#offline }
  }

  /** The log was closed or removed. */
  close(): void {
    this.#isClosed = true
  }

  #reason(failure: LogHost['failure']): string {
    if (failure !== null) return `The data directory failed: ${failure.message}.`
    return this.#offline ?? 'The log was closed or removed.'
  }
}
