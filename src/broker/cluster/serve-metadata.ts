import type { MetadataImage } from '../metadata/image.ts'
import { encodeBatch } from '../metadata/records.ts'
import { errorCode } from '../wire/errors.ts'
import type { FetchMetadataRequest, FetchMetadataResponse } from '../wire/private/index.ts'
import type { ControllerClaim } from './controller-link.ts'
import type { KnownLog } from './known-log.ts'

export interface ServedMetadata {
  readonly known: KnownLog
  readonly image: () => MetadataImage
  readonly claim: () => ControllerClaim
  readonly isController: () => boolean
}

/**
 * What this broker tells one that follows the log: records after its last, or a snapshot where it is too far behind. Waits
 * where there is nothing yet; `onEarlier` is given how to end that.
 */
export async function serveMetadata(
  served: ServedMetadata,
  request: Pick<FetchMetadataRequest, 'clusterId' | 'lastSequence' | 'lastHash' | 'maxWaitMs'>,
  onEarlier: (end: () => void) => void,
): Promise<FetchMetadataResponse> {
  const { known, image } = served
  const { clusterId, lastSequence, lastHash, maxWaitMs } = request
  if (clusterId !== '' && image().isCreated && clusterId !== image().clusterId) {
    const message = `this broker is of cluster ${image().clusterId}, and not of ${clusterId}`
    return refused(served, 'INCONSISTENT_CLUSTER_ID', message)
  }
  let found = known.feed.after(lastSequence, lastHash)
  if ((found === 'behind' || found.length === 0) && maxWaitMs > 0) {
    await known.feed.wait(maxWaitMs, onEarlier)
    found = known.feed.after(lastSequence, lastHash)
  }
  if (found === 'other') {
    const message = `record ${lastSequence} is another one here: one of the two followed another log`
    return refused(served, 'INVALID_RECORD', message)
  }
  if (found === 'unknown') return { ...answered(served), snapshot: snapshotOf(served) }
  return { ...answered(served), records: found === 'behind' ? [] : found }
}

/** The state after the last record: where the store notes snapshots in the log, it may be that of the record before. */
function snapshotOf({ known, image }: ServedMetadata): FetchMetadataResponse['snapshot'] {
  const { nextSequence, lastHash: hash } = known.cursor
  const now = image()
  const payload = encodeBatch(now.records())
  return { sequence: nextSequence - 1, epoch: now.controllerEpoch, hash, payload }
}

function answered(served: ServedMetadata): FetchMetadataResponse {
  return {
    errorCode: 0,
    snapshot: null,
    records: [],
    endSequence: served.known.cursor.nextSequence - 1,
    isController: served.isController(),
    ...served.claim(),
  }
}

function refused(
  served: ServedMetadata,
  error: 'INCONSISTENT_CLUSTER_ID' | 'INVALID_RECORD',
  errorMessage: string,
): FetchMetadataResponse {
  return { ...answered(served), errorCode: errorCode(error), errorMessage }
}
