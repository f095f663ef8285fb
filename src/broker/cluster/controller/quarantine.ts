import type { MetadataImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import type { Registration } from './commands.ts'
import type { Decision } from './decision.ts'
import { quarantined } from './refusals.ts'

interface LogEnd {
  /** Of the next append. */
  readonly sequence: number
  readonly hashAt: (sequence: number) => string | null
}

/**
 * Why the log that the store has is not the one that the broker followed: it came back from the past, or somebody wrote another one
 * (D15, durability.md 1.7). null where it is, as far as anybody can tell.
 */
export function rollbackOf(
  { brokerId, lastSequence, lastHash }: Registration,
  { sequence, hashAt }: LogEnd,
): string | null {
  const end = sequence - 1
  if (lastSequence > end) {
    return `broker ${brokerId} followed it up to record ${lastSequence}, and it ends with record ${end}.`
  }
  const hash = lastSequence > 0 ? hashAt(lastSequence) : null
  if (hash === null || lastHash === null || hash === lastHash) return null
  return `its record ${lastSequence} is not the one that broker ${brokerId} followed.`
}

/** From here on nothing is decided; who leads goes on leading. */
export function quarantine(before: MetadataImage, reason: string): Decision {
  const record: MetadataRecord = { type: 'quarantined', reason }
  return { records: [record], image: before.apply(record), answer: quarantined(reason) }
}

export function decideEndQuarantine(before: MetadataImage): Decision {
  const answer = { type: 'quarantineEnded' } as const
  if (before.quarantine === null) return { records: [], image: before, answer }
  const record: MetadataRecord = { type: 'quarantined', reason: null }
  return { records: [record], image: before.apply(record), answer }
}
