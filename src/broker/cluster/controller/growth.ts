import type { MetadataRecord } from '../../metadata/records.ts'
import type { Refusal } from './commands.ts'

/** What a snapshot of the metadata takes of the store, and may take; both as the store keeps it, compressed or not. */
export interface StoreRoom {
  readonly usedBytes: number
  /** Infinity where nothing limits it. */
  readonly bytesMax: number
}

/** The part of the room that growth may fill; the rest is for what must always be possible. */
const growthShareMax = 0.75

/**
 * Refuses records that make the metadata larger for good where the store is three quarters full, or where they might not fit
 * at all. Everything else is never refused for size: registrations, changes of leaders, blocks of producer ids,
 * whatever deletes.
 */
export function growthRefusal(
  records: readonly MetadataRecord[],
  bytes: number,
  { usedBytes, bytesMax }: StoreRoom,
): Refusal | null {
  if (usedBytes < bytesMax * growthShareMax && usedBytes + bytes <= bytesMax) return null
  if (!records.some(isGrowth)) return null
  const percent = Math.round((100 * usedBytes) / bytesMax)
  return {
    type: 'refused',
    error: 'POLICY_VIOLATION',
    message:
      `The metadata store is full: a snapshot takes ${percent} % of the ${bytesMax} bytes that it has room for, ` +
      `and this adds up to ${bytes}; growth ends at ${100 * growthShareMax} %. Delete topics, or ask for less at once.`,
  }
}

function isGrowth(record: MetadataRecord): boolean {
  if (record.type === 'topicCreated' || record.type === 'partitionsAdded') return true
  if (record.type === 'scramCredentialChanged') return record.credential !== null
  return 'configs' in record && record.configs.some(({ value }) => value !== null)
}
