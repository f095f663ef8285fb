import type { Random } from '../../env/random.ts'

/** The shortest and the longest pause, milliseconds. */
export interface PauseBounds {
  readonly msMin: number
  readonly msMax: number
}

/**
 * Milliseconds to wait after so many failures in a row (1 or more): twice as long each time, and a part of it by
 * chance, a number in [0, 1), so that many who failed together come apart: between half of it and all of it.
 */
export function pauseMs(failures: number, { msMin, msMax }: PauseBounds, chance: number): number {
  const whole = Math.min(msMin * 2 ** Math.min(failures - 1, 30), msMax)
  return whole / 2 + (whole / 2) * chance
}

/** A number in [0, 1) from the port. */
export function chanceOf(random: Random): number {
  return new DataView(Uint8Array.from(random.bytes(4)).buffer).getUint32(0) / 2 ** 32
}
