import type { Clock } from '../../env/clock.ts'
import { hashOf } from '../desired/hash.ts'
import { brokerLabel } from '../desired/labels.ts'
import { names } from '../desired/names.ts'
import type { Draft, ObjectName } from '../kubernetes/objects.ts'
import type { Step } from '../plan/step.ts'
import type { Trouble } from '../status/degradation.ts'

/** After this a write that was refused is tried again, in case the world has changed. */
const patienceMs = 30_000
/** A write that comes to nothing each time is repeated after twice as long, up to this. */
const patienceMaxMs = 600_000

interface Refused {
  readonly trouble: Trouble
  readonly untilMs: number
  readonly pauseMs: number
}

/** Writes that were refused for what they are, or came to nothing: the same one is not sent at each pass, and its trouble stays told. */
export class Refusals {
  readonly #clock: Clock
  readonly #byStep = new Map<string, Refused>()

  /** By cluster, what was said of each check, by its name. */
  readonly #checks = new Map<string, ReadonlyMap<string, string>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What came of the same step a moment ago; null where it may be tried. */
  known(at: Required<ObjectName>, step: Step): Trouble | null {
    if (this.#byStep.size === 0) return null
    const found = this.#byStep.get(keyOf(at, step))
    return found !== undefined && this.#clock.monotonic() < found.untilMs ? found.trouble : null
  }

  /** Checks of the cluster that were not made. */
  checksOf(at: Required<ObjectName>): ReadonlyMap<string, string> {
    return this.#checks.get(keyOfCluster(at)) ?? new Map<string, string>()
  }

  /** Of each broker the newest counts; null: it is made. */
  noteCheck(at: Required<ObjectName>, { metadata }: Draft, message: string | null): void {
    const broker = metadata.labels?.[brokerLabel] ?? ''
    const others = [...this.checksOf(at)].filter(
      ([name]) => !name.startsWith(names.checkPod(broker, '')),
    )
    const its: [string, string][] = message === null ? [] : [[metadata.name, message]]
    this.#checks.set(keyOfCluster(at), new Map([...others, ...its]))
  }

  /** The cluster is gone. */
  forget(at: Required<ObjectName>): void {
    this.#checks.delete(keyOfCluster(at))
  }

  note(at: Required<ObjectName>, step: Step, trouble: Trouble): Trouble {
    const nowMs = this.#clock.monotonic()
    const key = keyOf(at, step)
    const before = this.#byStep.get(key)
    const isAgain = before !== undefined && trouble.isWritten === true
    const pauseMs = isAgain ? Math.min(2 * before.pauseMs, patienceMaxMs) : patienceMs
    this.#byStep.set(key, { trouble, untilMs: nowMs + pauseMs, pauseMs })
    // What is not asked for any more.
    for (const [each, { untilMs }] of this.#byStep) {
      if (untilMs + patienceMs <= nowMs) this.#byStep.delete(each)
    }
    return trouble
  }
}

function keyOf(at: Required<ObjectName>, step: Step): string {
  return `${keyOfCluster(at)} ${hashOf(step)}`
}

function keyOfCluster({ namespace, name }: Required<ObjectName>): string {
  return `${namespace}/${name}`
}
