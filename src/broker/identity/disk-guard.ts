import type { Clock, Timer } from '../../env/clock.ts'
import type { DirectoryProperties } from '../log/directory/identity.ts'
import {
  decideAdmission,
  type Admission,
  type Claimant,
  type IdentityReading,
} from './admission.ts'
import { RefusedDisk } from './refused-disk.ts'

/** Where it is recorded which disk is a broker's. */
export interface IdentitySource {
  /** What is recorded now. Whatever keeps it from being read is one of the readings. */
  read(): Promise<IdentityReading>
}

export interface DiskGuardOptions {
  readonly clock: Clock
  readonly source: IdentitySource
  readonly claimant: Claimant
  /** Told why the broker waits, as a sentence, each time that it is another one. */
  onWait(message: string): void
}

type Admitted = Exclude<Admission, { readonly type: 'wait' | 'refuse' }>

/** Milliseconds between two looks. */
const pollMs = 250

/**
 * The front door of the room: lets a broker use its disk, and acknowledge something on it, when that is right. What is right
 * `decideAdmission` says, without I/O; this asks for the record until it says more than to wait, and writes nothing.
 */
export class DiskGuard {
  readonly #options: DiskGuardOptions
  #pause: Timer | null = null
  #isStopped = false

  constructor(options: DiskGuardOptions) {
    this.#options = options
  }

  /** Resolves when the directory may be opened, or formatted. @throws RefusedDisk */
  admit(found: DirectoryProperties | null): Promise<Admitted> {
    return this.#until(found, admission => (admission.type === 'wait' ? null : admission))
  }

  /** Resolves when the operator has recorded the directory and withdrawn the permission to format one. @throws RefusedDisk */
  async recorded(own: DirectoryProperties): Promise<void> {
    await this.#until(own, admission => (admission.type === 'open' ? admission : null))
  }

  /** Looks no more; what waits here goes on waiting. */
  stop(): void {
    this.#isStopped = true
    this.#pause?.cancel()
  }

  async #until<T extends Admitted>(
    found: DirectoryProperties | null,
    isEnough: (admission: Exclude<Admission, { readonly type: 'refuse' }>) => T | null,
  ): Promise<T> {
    const { clock, source, claimant } = this.#options
    let told = ''
    for (;;) {
      const admission = decideAdmission(found, await source.read(), claimant)
      if (admission.type === 'refuse') throw new RefusedDisk(admission.reason, admission.message)
      const enough = isEnough(admission)
      if (enough !== null) return enough
      const message = 'message' in admission ? admission.message : ''
      if (message !== told) this.#options.onWait(message)
      told = message
      await new Promise<void>(resolve => {
        if (!this.#isStopped) this.#pause = clock.after(pollMs, resolve)
      })
    }
  }
}
