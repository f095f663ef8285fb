import { hasDeleteHorizon, isControl, lastOffset, type BatchHeader } from '../batch/batch.ts'

/** What one cleaning of a log goes by: plain data, that is sent to a thread. */
export interface KeepRules {
  /** The map of keys speaks of everything from its start up to here; what lies at or behind it stays as it is. */
  readonly mappedTo: number
  /** Where cleaning may not go. The last batch before it stays, so that the log's offsets stay known. */
  readonly upToOffset: number
  /** When the cleaning began, by the wall clock. */
  readonly nowMs: number
  /** The wall clock can be believed: else no tombstone goes by it, nor is given its time. */
  readonly isTimeKnown: boolean
  /** How long a tombstone stays that is met for the first time. */
  readonly deleteRetentionMs: number
  /** Of each producer that is remembered, the last offset of its last batch that is on the device. */
  readonly producerEnds: ReadonlyMap<number, number>
}

/** Whether a batch is copied unread: markers, and what the map says nothing of. */
export function isUntouched(header: BatchHeader, mappedTo: number): boolean {
  return isControl(header) || header.baseOffset >= mappedTo
}

/**
 * Whether a batch stays though no record of it does, as a header alone: the last one of a producer, whose sequence would else be
 * forgotten with the next start, and the last one of the range.
 */
export function staysEmpty(header: BatchHeader, { producerEnds, upToOffset }: KeepRules): boolean {
  const last = lastOffset(header)
  if (last + 1 === upToOffset) return true
  return header.producerId >= 0 && producerEnds.get(header.producerId) === last
}

/** Whether tombstones of a batch have been there for long enough (KIP-534). */
export function dropsTombstones(
  header: BatchHeader,
  { nowMs, isTimeKnown }: Pick<KeepRules, 'nowMs' | 'isTimeKnown'>,
): boolean {
  return isTimeKnown && hasDeleteHorizon(header) && header.baseTimestamp <= nowMs
}

/**
 * Whether a record with a key stays: the last one of its key does, a tombstone until its time. `latestOffset`: of the
 * last record of the key that the map knows, -1 where it knows none.
 */
export function staysRecord(
  offset: number,
  latestOffset: number,
  {
    isTombstone,
    dropsTombstones: drops,
  }: { readonly isTombstone: boolean; readonly dropsTombstones: boolean },
): boolean {
  return offset >= latestOffset && !(isTombstone && drops)
}
