import type { PartitionRole } from './role.ts'

/** Longer than a session: by then a controller that is there has fenced a broker that it does not hear. */
const silenceMsMax = 12_000

/**
 * When a broker was last heard, in milliseconds of the monotonic clock; -Infinity where it never was. No later than it said so: what
 * a process reads that stood still was sent at any time since.
 */
export interface Heard {
  readonly controllerMs: number
  followerMs(brokerId: number): number
}

/**
 * Whether a leader has to think that there is another one by now: for 12 s nothing told it otherwise (durability.md 1.6).
 * `ledSinceMs`: of this epoch.
 */
export function isCutOff(
  role: PartitionRole,
  heard: Heard,
  { nowMs, ledSinceMs }: { readonly nowMs: number; readonly ledSinceMs: number },
): boolean {
  return nowMs - lastSureMs(role, heard, ledSinceMs) > silenceMsMax
}

/**
 * When a leader was last known to be the only one: a controller that hears it deposes it not before a session is over, and
 * who is in sync and fetches from it knows of no other. Infinity where nobody could lead in its place.
 */
export function lastSureMs(role: PartitionRole, heard: Heard, ledSinceMs: number): number {
  // Alone in sync it commits nothing where more are asked for, and others may be eligible (ELR).
  const isOnlyOne = role.isr.length < 2 && role.minInsyncReplicas < 2
  if (role.replicas.length < 2 || isOnlyOne) return Infinity
  let lastMs = Math.max(ledSinceMs, heard.controllerMs)
  for (const id of role.isr) {
    if (id !== role.leader) lastMs = Math.max(lastMs, heard.followerMs(id))
  }
  return lastMs
}
