import type { MetadataCopy } from '../metadata/copy/metadata-copy.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { reelected } from './controller/register-broker.ts'
import { replay } from './replay.ts'

/**
 * What a broker serves that cannot ask the store: the image of its own copy. Only where the copy knows it as the only
 * broker: then nobody else can lead what it led. Null otherwise. @throws StoreError where the copy is damaged
 */
export function standInImage(copy: MetadataCopy, brokerId: number): MetadataImage | null {
  const log = copy.readLog()
  if (log === null) return null
  const image = replay(log)
  return isOnlyBroker(image, brokerId) ? image : null
}

export function isOnlyBroker({ brokers }: MetadataImage, brokerId: number): boolean {
  return brokers.size === 1 && brokers.has(brokerId)
}

/**
 * `image` as `starts` starts of the broker leave it that no registration tells of: each leads in a leader epoch of its own,
 * so that what a power failure took is never confused with what comes to stand there (durability.md R1b).
 */
export function advanced(image: MetadataImage, brokerId: number, starts: number): MetadataImage {
  let after = image
  for (const topic of image.topics()) {
    const partitions = reelected(topic, brokerId, starts)
    if (partitions.length === 0) continue
    after = after.apply({ type: 'partitionsChanged', topicId: topic.id, partitions })
  }
  return after
}
