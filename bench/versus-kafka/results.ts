/** What one broker did in one round, by measure. */
export type Measures = Readonly<Record<string, number>>

export interface Round {
  readonly ours: Measures
  /** Null where only we were asked. */
  readonly theirs: Measures | null
}

/** What one scenario found, as it stands in `docs/benchmarks/versus-kafka.json`. */
export interface Result {
  readonly date: string
  /** Of Apache Kafka. */
  readonly kafka: string
  readonly machine: Machine
  readonly rounds: readonly Round[]
}

interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  /** Runnable tasks in the minute before: above 0 others worked too. Null where nobody looked. */
  readonly loadBefore: number | null
}

/** By scenario. Each was measured on a day of its own. */
export type Results = Readonly<Record<string, Result>>

/** One measure of one scenario over its rounds. */
export interface Row {
  readonly name: string
  /** Medians. */
  readonly ours: number
  /** The greatest of ours. */
  readonly worst: number
  readonly kafka: number | null
  /** Ours by Kafka's of the same round; null where there is nothing to divide by. */
  readonly ratio: Ratio | null
}

interface Ratio {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** Takes the place of what the same scenario found before; all others stay. */
export function merged(results: Results, name: string, result: Result): Results {
  return { ...results, [name]: result }
}

export function rowsOf(rounds: readonly Round[]): Row[] {
  const names = new Set(rounds.flatMap(({ ours }) => Object.keys(ours)))
  return [...names].map(name => rowOf(name, rounds))
}

function rowOf(name: string, rounds: readonly Round[]): Row {
  const ours = rounds.flatMap(round => round.ours[name] ?? [])
  const kafka = rounds.flatMap(round => round.theirs?.[name] ?? [])
  const ratios = rounds.flatMap(round => {
    const theirs = round.theirs?.[name] ?? 0
    const mine = round.ours[name]
    return mine === undefined || theirs === 0 ? [] : [mine / theirs]
  })
  const ratio = { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) }
  return {
    name,
    ours: median(ours),
    worst: Math.max(...ours),
    kafka: kafka.length === 0 ? null : median(kafka),
    ratio: ratios.length === 0 ? null : ratio,
  }
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = (sorted.length - 1) / 2
  return (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2
}
