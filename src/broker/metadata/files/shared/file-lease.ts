import type { Clock, Timer } from '../../../../env/clock.ts'
import type { Disk } from '../../../../env/disk.ts'
import { fromUtf8, utf8 } from '../../../../lib/bytes.ts'
import type { Uuid } from '../../../../lib/uuid.ts'
import { isObject } from '../../shape.ts'
import { StoreUnavailable, type Lease, type LeaseView } from '../../store.ts'
import { fileName, sequenceOf } from '../read-log.ts'
import { isOutage, link, list, read, run, type Steps, unlink, write } from './steps.ts'

export interface FileLeaseOptions {
  readonly disk: Disk
  readonly clock: Clock
  /** Folder of the lease's files; it is there. */
  readonly path: string
  /** What the names of this process's temporary files end with. */
  readonly temporary: string
  readonly brokerId: number
  /** Of this process: one that had the same id before is another holder. */
  readonly incarnationId: Uuid
}

/** As the lease in Kubernetes: the ratio of the first two is how much faster one clock may run than another. */
const leaseDurationMs = 10_000
const renewDeadlineMs = 6_000
const renewPeriodMs = 2_000

/** The file with the highest counter says who holds the lease. Counter 0: there was never a holder. */
interface Tenure {
  readonly counter: number
  /** null: it was given back, or cannot be read. */
  readonly holder: Holder | null
}

interface Holder {
  readonly brokerId: number
  readonly incarnationId: string
}

/**
 * Who may try to be the controller, in a folder that the brokers of one machine share: each renewal makes the file of the next
 * counter, by link(2), so that of two that try exactly one gets it. A counter that stands still for ten seconds of the observer's own
 * monotonic clock is overtaken, whatever the kernel's locks say: a process that is stopped keeps them (durability.md 1.4). It
 * renews itself while it is held. Nothing of it need be durable: after a power loss nobody holds it, or somebody who does not renew it.
 */
export class FileLease implements Lease {
  readonly #options: FileLeaseOptions
  #seen: (Tenure & { readonly sinceMs: number }) | null = null
  #deadlineMs = -Infinity
  #renewal: Timer | null = null
  #isRenewing = false

  constructor(options: FileLeaseOptions) {
    this.#options = options
  }

  async observe(): Promise<LeaseView> {
    const { holder } = await this.#look()
    return {
      isHeld: holder !== null && !this.#isStale(),
      isMine: this.#isMe(holder),
      holder: holder === null ? null : { brokerId: holder.brokerId },
    }
  }

  async acquire({ force }: { readonly force: boolean }): Promise<boolean> {
    const tenure = await this.#look()
    const { holder } = tenure
    // Nobody else has this broker's id while this process has its lock, so what had it before is gone.
    const isFree = holder === null || holder.brokerId === this.#options.brokerId || this.#isStale()
    if (!isFree && !force) return false
    if (!(await this.#write(tenure.counter + 1, this.#me))) return false
    this.#renewal ??= this.#options.clock.every(renewPeriodMs, () => void this.renew())
    return true
  }

  async renew(): Promise<boolean> {
    if (!this.#isRenewing) {
      this.#isRenewing = true
      try {
        const { counter, holder } = await this.#look()
        if (this.#isMe(holder)) await this.#write(counter + 1, this.#me)
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error
      } finally {
        this.#isRenewing = false
      }
    }
    const isMine = this.#isMe(this.#seen?.holder ?? null)
    return isMine && this.#options.clock.monotonic() < this.#deadlineMs
  }

  async release(): Promise<void> {
    this.stop()
    this.#deadlineMs = -Infinity
    try {
      const { counter, holder } = await this.#look()
      if (this.#isMe(holder)) await this.#write(counter + 1, null)
    } catch (error) {
      // It runs out by itself.
      if (!(error instanceof StoreUnavailable)) throw error
    }
  }

  /** Renews no longer; the lease runs out by itself. */
  stop(): void {
    this.#renewal?.cancel()
    this.#renewal = null
  }

  get #me(): Holder {
    const { brokerId, incarnationId } = this.#options
    return { brokerId, incarnationId }
  }

  #isMe(holder: Holder | null): boolean {
    return holder?.incarnationId === this.#options.incarnationId
  }

  async #look(): Promise<Tenure> {
    const tenure = await this.#run(look(this.#options.path))
    const isSame = this.#seen?.counter === tenure.counter
    const sinceMs = isSame ? this.#seen!.sinceMs : this.#options.clock.monotonic()
    this.#seen = { ...tenure, sinceMs }
    return tenure
  }

  /** False: another was faster. */
  async #write(counter: number, holder: Holder | null): Promise<boolean> {
    const { path, temporary, clock } = this.#options
    const beganMs = clock.monotonic()
    const isWritten = await this.#run(
      take({ path, temporary: `${path}/lease.${temporary}` }, counter, holder),
    )
    if (!isWritten) return false
    this.#seen = { counter, holder, sinceMs: beganMs }
    this.#deadlineMs = holder === null ? -Infinity : beganMs + renewDeadlineMs
    return true
  }

  #isStale(): boolean {
    if (this.#seen === null) return true
    return this.#options.clock.monotonic() - this.#seen.sinceMs >= leaseDurationMs
  }

  async #run<Result>(steps: Steps<Result>): Promise<Result> {
    try {
      return await run(this.#options.disk, steps)
    } catch (error) {
      if (!isOutage(error)) throw error
      throw new StoreUnavailable(error.message, { cause: error })
    }
  }
}

/** @internal */
export function* look(path: string): Steps<Tenure> {
  for (;;) {
    const counter = newest(yield* list(path))
    if (counter === 0) return { counter, holder: null }
    const content = yield* read(`${path}/${fileName(counter)}`)
    if (content !== null) return { counter, holder: holderIn(content) }
  }
}

/** Makes the file of `counter`; false where it was made before, or a later one is there by now. @internal */
export function* take(
  { path, temporary }: { readonly path: string; readonly temporary: string },
  counter: number,
  holder: Holder | null,
): Steps<boolean> {
  const line = JSON.stringify({ format: 1, counter, ...holder })
  yield* write(temporary, utf8(`${line}\n`), { isDurable: false })
  const name = `${path}/${fileName(counter)}`
  const isMade = yield* link(temporary, name)
  yield* unlink(temporary)
  if (!isMade) return false
  const names = yield* list(path)
  if (newest(names) > counter) {
    yield* unlink(name)
    return false
  }
  for (const at of names.map(sequenceOf)) {
    if (at !== null && at < counter) yield* unlink(`${path}/${fileName(at)}`)
  }
  return true
}

function newest(names: readonly string[]): number {
  return names.map(sequenceOf).findLast(sequence => sequence !== null) ?? 0
}

/** null for what a power loss left of it, too. */
function holderIn(content: Uint8Array): Holder | null {
  let value: unknown
  try {
    value = JSON.parse(fromUtf8(content))
  } catch {
    return null
  }
  if (!isObject(value)) return null
  const { brokerId, incarnationId } = value
  if (!Number.isSafeInteger(brokerId) || typeof incarnationId !== 'string') return null
  return { brokerId: brokerId as number, incarnationId }
}
