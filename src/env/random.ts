import { uuidFrom, type Uuid } from '../lib/uuid.ts'

/** Chance. Twins: `real/random.ts` (the kernel's) and the simulator's seeded one. */
export interface Random {
  /** `length` bytes fit for ids and secrets. */
  bytes(length: number): Uint8Array
}

export function randomUuid(random: Random): Uuid {
  return uuidFrom(random.bytes(16))
}
