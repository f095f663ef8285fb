import type { Clock } from '../../env/clock.ts'
import { hashOf } from '../desired/hash.ts'
import { brokerLabel } from '../desired/labels.ts'
import { names } from '../desired/names.ts'
import type { Draft, ObjectName } from '../kubernetes/objects.ts'
import type { Step } from '../plan/step.ts'
import type { Trouble } from '../status/degradation.ts'

/** After this a write that was refused is tried again, in case the world has changed. */
const patienceMs = 30_000

/** Writes that were refused for what they are: the same one is not sent at each pass, and its trouble stays told. */
export class Refusals {
  readonly #clock: Clock
  readonly #byStep = new Map<string, { readonly trouble: Trouble; readonly untilMs: number }>()

  /** By cluster, what was said of each check, by its name. */
  readonly #checks = new Map<string, ReadonlyMap<string, string>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What came of the same step a moment ago; null where it may be tried. */
  known(at: Required<ObjectName>, step: Step): Trouble | null {
    if (this.#byStep.size === 0) return null
    const key = keyOf(at, step)
    const found = this.#byStep.get(key)
    if (found === undefined) return null
    if (this.#clock.monotonic() < found.untilMs) return found.trouble
    this.#byStep.delete(key)
    return null
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
    for (const [key, each] of this.#byStep) if (each.untilMs <= nowMs) this.#byStep.delete(key)
    const untilMs = nowMs + patienceMs
    this.#byStep.set(keyOf(at, step), { trouble, untilMs })
    return trouble
  }
}

function keyOf(at: Required<ObjectName>, step: Step): string {
  return `${keyOfCluster(at)} ${hashOf(step)}`
}

function keyOfCluster({ namespace, name }: Required<ObjectName>): string {
  return `${namespace}/${name}`
}
