import type { Difference } from './compare.ts'

/** Where we are known to differ. Each text is a pattern: `*` is any text, and ` | ` stands between alternatives. */
export interface Deviation {
  readonly scenario: string
  /** The request's label. */
  readonly request: string
  readonly field: string
  /** As JSON; `nothing` where a side has nothing there. */
  readonly ours: string
  readonly kafkas: string
  readonly because: Because
}

/** On purpose, and so a row of docs/compatibility.md, by its first cell. */
export interface Because {
  readonly row: string
}

/** A difference with where it was found. */
export interface Found extends Difference {
  readonly scenario: string
  readonly request: string
}

/** Judges differences by a list, and remembers which of its entries were needed. */
export class Judge {
  readonly #entries: readonly Entry[]
  readonly #needed = new Set<Deviation>()
  readonly #asked = new Set<string>()

  constructor(deviations: readonly Deviation[]) {
    this.#entries = deviations.map(deviation => ({ deviation, ...patternsOf(deviation) }))
  }

  /** The differences of a scenario that no entry allows. */
  unexplained(scenario: string, found: readonly Found[]): Found[] {
    this.#asked.add(scenario)
    return found.filter(difference => !this.#allows(difference))
  }

  /** Entries that allow what was not found any more, of scenarios that were asked. */
  stale(): Deviation[] {
    const asked = [...this.#asked]
    return this.#entries
      .filter(({ deviation, scenario }) => {
        return !this.#needed.has(deviation) && asked.some(name => scenario.test(name))
      })
      .map(({ deviation }) => deviation)
  }

  #allows(found: Found): boolean {
    const allowing = this.#entries.filter(entry => matches(entry, found))
    for (const { deviation } of allowing) this.#needed.add(deviation)
    return allowing.length > 0
  }
}

interface Entry {
  readonly deviation: Deviation
  readonly scenario: RegExp
  readonly request: RegExp
  readonly field: RegExp
  readonly ours: RegExp
  readonly kafkas: RegExp
}

function matches(entry: Entry, { scenario, request, path, ours, kafkas }: Found): boolean {
  return (
    entry.scenario.test(scenario) &&
    entry.request.test(request) &&
    entry.field.test(path) &&
    entry.ours.test(textOf(ours)) &&
    entry.kafkas.test(textOf(kafkas))
  )
}

function patternsOf({
  scenario,
  request,
  field,
  ours,
  kafkas,
}: Deviation): Omit<Entry, 'deviation'> {
  const [a, b, c, d, e] = [scenario, request, field, ours, kafkas].map(pattern)
  return { scenario: a!, request: b!, field: c!, ours: d!, kafkas: e! }
}

function pattern(text: string): RegExp {
  const parts = text.split(' | ').map(part => {
    return part
      .split('*')
      .map(plain => plain.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')
  })
  return new RegExp(`^(?:${parts.join('|')})$`, 's')
}

export function textOf(value: Found['ours']): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
