import type { Clock, Timer } from '../../env/clock.ts'
import { WireClientError } from '../wire/client/client-error.ts'

export interface VanishingOptions {
  readonly clock: Clock
  /** Resolves where that broker lets this one in; rejects with a WireClientError, or with what its login failed by. */
  readonly dial: (brokerId: number) => Promise<void>
  /** Nobody is where that broker was. */
  readonly onGone: (brokerId: number) => void
}

/** How long nobody may be where a broker was before it counts as gone: one that starts again at once says so itself. */
const goneMsMin = 1_000
/** A process that ends may take a connection still, and close it. */
const redialMs = 200

/**
 * Brokers of which the last connection closed (durability.md 1.5). That alone does not say that they ended: on a machine that is busy,
 * requests run out of time, which closes connections, and new ones are late. So each is dialled: whoever takes a connection lives, and
 * what he is told of is his session.
 */
export class Vanishing {
  readonly #options: VanishingOptions
  /** By broker: how to leave it alone. */
  readonly #suspects = new Map<number, Suspect>()

  constructor(options: VanishingOptions) {
    this.#options = options
  }

  /** Its last connection closed. */
  suspect(brokerId: number): void {
    this.clear(brokerId)
    const suspect: Suspect = { sinceMs: this.#options.clock.monotonic(), timer: null }
    this.#suspects.set(brokerId, suspect)
    void this.#dial(brokerId, suspect)
  }

  /** It spoke, or somebody else knows what became of it. */
  clear(brokerId: number): void {
    this.#suspects.get(brokerId)?.timer?.cancel()
    this.#suspects.delete(brokerId)
  }

  stop(): void {
    for (const brokerId of this.#suspects.keys()) this.clear(brokerId)
  }

  async #dial(brokerId: number, suspect: Suspect): Promise<void> {
    const { clock, dial } = this.#options
    const found = await dial(brokerId).then(() => 'somebody' as const, foundBy)
    if (this.#suspects.get(brokerId) !== suspect) return
    if (found === 'somebody') return this.clear(brokerId)
    if (found === 'unsure') {
      suspect.timer = clock.after(redialMs, () => void this.#dial(brokerId, suspect))
      return
    }
    const delayMs = Math.max(0, suspect.sinceMs + goneMsMin - clock.monotonic())
    suspect.timer = clock.after(delayMs, () => {
      this.clear(brokerId)
      this.#options.onGone(brokerId)
    })
  }
}

interface Suspect {
  readonly sinceMs: number
  timer: Timer | null
}

/** Of one that takes connections and says nothing, its session tells. */
function foundBy(error: unknown): 'somebody' | 'nobody' | 'unsure' {
  if (!(error instanceof WireClientError)) return 'somebody'
  if (error.reason === 'unreachable') return 'nobody'
  return error.reason === 'closed' ? 'unsure' : 'somebody'
}
