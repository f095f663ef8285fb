import type { Measures, Result } from './results.ts'

/** @internal Rounds of a day that never was. */
export function resultOf(
  ...rounds: readonly (readonly [ours: Measures, theirs: Measures])[]
): Result {
  return {
    date: '2026-01-02T03:04:05.678Z',
    kafka: '4.3.1',
    machine: { cpu: 'A processor', cores: 2, memoryBytes: 24 * 2 ** 30, loadBefore: 0.25 },
    rounds: rounds.map(([ours, theirs]) => ({ ours, theirs })),
  }
}
