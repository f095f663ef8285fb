import type { SendStream } from '../../env/env.ts'

/**
 * Further than a read-ahead of the kernel reaches, in bytes: 8 MiB was the largest measured, usual is 128 KiB
 * (`read_ahead_kb` of the device). What is smaller here makes the event loop wait for what only has been asked for.
 * @internal
 */
export const readAheadBytesMax = 8 * 1024 * 1024

/**
 * What is known of a reader who is behind what the page cache holds: what it had been sent, in bytes, and how much of
 * that had come from the device, when the device was last seen to deliver something to it.
 */
export interface Lag {
  readonly sentBytes: number
  readonly missedBytes: number
}

/**
 * A reader's lag before its next range is looked for; null where it has none. Lag ends by evidence: more was sent
 * than read-ahead reaches, and the device delivered nothing meanwhile. Then no page is left that some read-ahead of this
 * reader has only asked for, and that cachestat(2) calls resident all the same (durability.md Q3): what that says of
 * the next range can be believed again. As long as something sent is not counted, and where hits cannot be measured,
 * there is no evidence.
 *
 * One range that is not resident is enough to lag, and costs at least that run in the cold lane. To let a reader
 * back at once, for the sake of single holes, made the event loop wait in every trace with holes (lagging.test.ts).
 */
export function lagNow(
  lag: Lag | null,
  stream: Pick<SendStream, 'sentBytes' | 'hitBytes' | 'isSettled'>,
): Lag | null {
  if (lag === null || !stream.isSettled()) return lag
  const now = standOf(stream)
  if (now === null) return lag
  if (now.missedBytes > lag.missedBytes) return now
  return now.sentBytes - lag.sentBytes > readAheadBytesMax ? null : lag
}

/** A reader's lag once a range for it is found. `isCaughtUp`: it reaches all that was readable. */
export function lagAfter(
  lag: Lag | null,
  stream: Pick<SendStream, 'sentBytes' | 'hitBytes'>,
  range: { readonly cold: boolean; readonly isCaughtUp: boolean },
): Lag | null {
  if (!range.cold || range.isCaughtUp) return null
  return lag ?? standOf(stream) ?? { sentBytes: 0, missedBytes: 0 }
}

function standOf(stream: Pick<SendStream, 'sentBytes' | 'hitBytes'>): Lag | null {
  const sentBytes = stream.sentBytes()
  const hitBytes = stream.hitBytes()
  return hitBytes === null ? null : { sentBytes, missedBytes: sentBytes - hitBytes }
}
