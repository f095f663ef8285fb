import { rowsOf, type Results } from './results.ts'

/** At most so much, of one measure of a scenario. */
export interface Goal {
  readonly measure: string
  /** Our own median, or our worst round, in the measure's unit, or the median of the rounds' ratios to Kafka's. */
  readonly of: 'ours' | 'worst' | 'ratio'
  readonly most: number
}

export interface Verdict {
  /** Null where the scenario was not measured. */
  readonly value: number | null
  readonly isMet: boolean
}

export function judge(goal: Goal, scenario: string, results: Results): Verdict {
  const rows = rowsOf(results[scenario]?.rounds ?? [])
  const row = rows.find(({ name }) => name === goal.measure)
  const value = (goal.of === 'ratio' ? row?.ratio?.median : row?.[goal.of]) ?? null
  return { value, isMet: value !== null && value <= goal.most }
}
