import { median, type Measures, type Result, type Results } from './results.ts'
import { coldReaders, throttledDisk } from './scenarios/throttled-disk.ts'

/** What the picture and the README tell: how long a record took to a reader of the tail, in ms, medians of the rounds. */
export interface Wait {
  readonly p50: number
  readonly p99: number
}

/** By how many read old records from the disk meanwhile. */
export interface Beside {
  readonly coldReaders: number
  readonly ours: Wait
  readonly theirs: Wait
}

export function laggingResult(results: Results): Result {
  const result = results[throttledDisk.name]
  if (result === undefined) throw new Error(`nothing was measured of ${throttledDisk.name}`)
  return result
}

export function waits(results: Results): Beside[] {
  const { rounds } = laggingResult(results)
  const both = rounds.flatMap(({ ours, theirs }) => (theirs === null ? [] : [{ ours, theirs }]))
  return coldReaders.map(({ count, tail }) => ({
    coldReaders: count,
    ours: waitOf(
      tail,
      both.map(({ ours }) => ours),
    ),
    theirs: waitOf(
      tail,
      both.map(({ theirs }) => theirs),
    ),
  }))
}

function waitOf(tail: string, rounds: readonly Measures[]): Wait {
  const of = (share: string) => median(rounds.map(measures => measures[`${tail}, ${share} ms`]!))
  return { p50: of('p50'), p99: of('p99') }
}

/** As a reader says it: 0.49 ms, 2.2 ms, 22 ms, 3.8 s. */
export function duration(ms: number): string {
  if (ms >= 999.5) return `${(ms / 1e3).toFixed(ms >= 9950 ? 0 : 1)} s`
  if (ms >= 9.95) return `${Math.round(ms)} ms`
  return `${ms.toFixed(ms >= 0.995 ? 1 : 2)} ms`
}
