import type { MetadataImage } from '../metadata/image.ts'
import { fetchMetadata } from '../wire/private/index.ts'
import type { ControllerLink } from './controller-link.ts'
import { isOfPeer } from './following.ts'
import type { KnownLog } from './known-log.ts'

/** For whoever does not hear of it in time somebody else tells it, or the store. */
const timeoutMs = 3_000

/**
 * Tells all other brokers that this one is the controller by now: each request among brokers says who is, and nobody needs the answer
 * to this one. So none goes on asking for the one before until it meets somebody who knows.
 */
export function announce({
  brokerId,
  brokerEpoch,
  link,
  known,
  image,
  failed,
}: {
  readonly brokerId: number
  readonly brokerEpoch: number
  readonly link: ControllerLink
  readonly known: KnownLog
  readonly image: MetadataImage
  readonly failed: (error: Error) => void
}): void {
  const { nextSequence, lastHash } = known.cursor
  const { clusterId } = image
  const lastSequence = nextSequence - 1
  const value = { clusterId, brokerId, brokerEpoch, lastSequence, lastHash, maxWaitMs: 0 }
  for (const { id, peer: address } of image.brokers.values()) {
    if (id === brokerId || address === null) continue
    const asked = { address, lane: 'gossip', api: fetchMetadata, timeoutMs } as const
    link.request(asked, value).catch((error: unknown) => {
      if (!isOfPeer(error)) failed(error as Error)
    })
  }
}
