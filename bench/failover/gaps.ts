/** In seconds: how long nobody could write, or lead, each time. */
type Gaps = Readonly<Record<string, readonly number[]>>

/** What was measured in one go. */
export interface Turn {
  readonly date: string
  readonly commit: string
  /** What git calls all of `src` at that commit: other documents and tests change no gap. */
  readonly source: string
  /** Mean load of the machine while it went on. */
  readonly load: number
  readonly gaps: Gaps
}

interface Figure {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** In seconds, of the p99; null where there is none. */
  readonly goal: number | null
}

export interface Report {
  readonly figures: Readonly<Record<string, Figure>>
  readonly turns: readonly Turn[]
}

/** Of all turns together. */
export function reportOf(turns: readonly Turn[], goals: Readonly<Record<string, number>>): Report {
  const kinds = [...new Set(turns.flatMap(({ gaps }) => Object.keys(gaps)))]
  const figures = kinds.flatMap(kind => {
    const all = turns.flatMap(({ gaps }) => gaps[kind] ?? []).toSorted((a, b) => a - b)
    if (all.length === 0) return []
    const figure: Figure = {
      count: all.length,
      p50: quantile(all, 0.5),
      p99: quantile(all, 0.99),
      max: all.at(-1)!,
      goal: goals[kind] ?? null,
    }
    return [[kind, figure] as const]
  })
  return { figures: Object.fromEntries(figures), turns }
}

/** The kinds whose p99 is not what it is to be. */
export function missed({ figures }: Report): string[] {
  return Object.entries(figures).flatMap(([kind, { p99, goal }]) =>
    goal !== null && p99 > goal ? [kind] : [],
  )
}

/** The least of `sorted` that so many are not above: up to a hundred of them the p99 is the greatest. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
}
