import type { Log } from '../log/log.ts'
import type { ErrorName } from '../wire/errors.ts'
import type { Replica } from './replica/replica.ts'
import type { AppendResult, Deletion, PartitionRead, PartitionReadResult } from './requests.ts'

/** An append that is not taken, or whose batch does not count. */
export function refusal(
  error: ErrorName,
  message: string,
  logStartOffset: number,
): AppendResult & { ok: false } {
  return { ok: false, error, message, recordErrors: [], logStartOffset }
}

/** Why nothing is written though the replica leads, as a sentence; null where something may be. */
export function whyUnwritable(
  { isFrozen, hasEnoughInsync }: Pick<Replica, 'isFrozen' | 'hasEnoughInsync'>,
  acks: number,
): string | null {
  if (isFrozen) {
    return 'The cluster is frozen, because it is being hibernated or wakes; nothing was written. Try again.'
  }
  if (acks !== -1 || hasEnoughInsync) return null
  return 'Fewer replicas are in sync than min.insync.replicas asks for; nothing was written.'
}

export function undeleted(error: ErrorName): Deletion {
  return { error, lowWatermark: -1 }
}

/** The largest epoch not above the reader's, and where it ends, if the reader has something else (I-13). */
export function divergence(log: Log, request: PartitionRead): PartitionReadResult['diverging'] {
  if (request.lastFetchedEpoch < 0) return null
  const end = log.endOfEpoch(request.lastFetchedEpoch)
  if (end.epoch === -1 && end.endOffset === -1) return null
  const parted = end.epoch < request.lastFetchedEpoch || end.endOffset < request.fetchOffset
  return parted ? end : null
}
