import type { Random } from '../src/env/random.ts'
import type { Prng } from '../src/lib/prng.ts'

/** Seeded chance: the same ids in every run of a seed. */
export function simRandom(prng: Prng): Random {
  return { bytes: length => prng.bytes(length) }
}
