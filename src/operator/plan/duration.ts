const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/** Milliseconds of a duration as the CRDs have it: a whole number with s, m or h; null where it is none. */
export function durationOf(text: string): number | null {
  const [, count, unit] = /^(\d+)([smh])$/.exec(text) ?? []
  return count === undefined || unit === undefined ? null : Number(count) * unitMs[unit]!
}
