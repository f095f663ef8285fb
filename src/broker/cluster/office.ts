import type { Clock } from '../../env/clock.ts'
import type { Lease } from '../metadata/store.ts'
import type { Answer, Command } from './controller/commands.ts'
import type { ControllerShell } from './controller-shell.ts'
import type { BrokerSilence } from './controller/events.ts'
import { Lines } from './lines.ts'
import { OfficeKeeper } from './office-keeper.ts'
import { Vanishing } from './vanishing.ts'

/** The controller's office: what is asked of the broker that holds it. */
export interface Office {
  /** Whether the lease permits an append: a process that stood still holds an office of which the lease ran out. */
  readonly mayAppend: boolean
  /** As `ControllerShell.ask`. */
  ask(command: Command, timeoutMs?: number): Promise<Answer>
  /** A request of that broker came, by that connection. */
  heard(brokerId: number, connectionId: number): void
  /** That connection is gone, whoever's it was. */
  connectionClosed(connectionId: number): void
}

export interface HeldOfficeOptions {
  readonly clock: Clock
  readonly shell: ControllerShell
  /** null where the store has one user, who needs none. */
  readonly lease: Lease | null
  readonly acquiredAtMs: number
  readonly isContested: () => boolean
  /** As `VanishingOptions.dial`. */
  readonly dial: (brokerId: number) => Promise<void>
}

/** One time in office: a controller, its lease, and who is seen to vanish meanwhile. */
export class HeldOffice implements Office {
  readonly shell: ControllerShell
  readonly #clock: Clock
  readonly #keeper: OfficeKeeper | null
  readonly #lines = new Lines()
  readonly #vanishing: Vanishing

  constructor(options: HeldOfficeOptions) {
    const { clock, shell, lease, acquiredAtMs, dial } = options
    this.shell = shell
    this.#clock = clock
    this.#vanishing = new Vanishing({ clock, dial, onGone: id => shell.connectionReset(id) })
    this.#keeper =
      lease === null
        ? null
        : new OfficeKeeper({
            clock,
            lease,
            acquiredAtMs,
            isContested: options.isContested,
            onTick: nowMs => shell.tick(nowMs),
            onLost: reason => shell.resign(reason),
          })
  }

  get mayAppend(): boolean {
    return this.#keeper?.holds ?? true
  }

  ask(command: Command, timeoutMs?: number): Promise<Answer> {
    return this.shell.ask(command, timeoutMs)
  }

  heard(brokerId: number, connectionId: number): void {
    this.#lines.heard(connectionId, brokerId, this.#clock.monotonic())
    this.#vanishing.clear(brokerId)
  }

  connectionClosed(connectionId: number): void {
    const brokerId = this.#lines.closed(connectionId, this.#clock.monotonic())
    if (brokerId !== null) this.#vanishing.suspect(brokerId)
  }

  /** The process of that broker, which held the office before, was seen to be gone. */
  foundDead(brokerId: number): void {
    this.shell.tick(this.#clock.monotonic())
    this.shell.connectionReset(brokerId)
  }

  /** That broker, which held the office before, answered nothing for so long. */
  foundSilent(silence: BrokerSilence): void {
    this.shell.tick(this.#clock.monotonic())
    this.shell.foundSilent(silence)
  }

  /** Nothing is appended, and nobody is fenced, from now on. */
  stop(): void {
    this.#keeper?.stop()
    this.#vanishing.stop()
  }
}
