import type { MetadataImage } from '../../metadata/image.ts'
import type { Decision } from './decision.ts'

/**
 * Ids of one producer-id block: a broker hands them out without asking, and so many that half of them last while the store does
 * not answer.
 */
export const producerIdBlockCount = 10_000

export function decideAllocateProducerIds(
  before: MetadataImage,
  brokerId: number,
  count: number,
): Decision {
  if (!before.brokers.has(brokerId)) {
    const message = `Broker ${brokerId} is not registered. Register it first.`
    const answer = { type: 'refused', error: 'BROKER_ID_NOT_REGISTERED', message } as const
    return { records: [], image: before, answer }
  }
  const block = { firstProducerId: before.nextProducerId, count }
  const record = { type: 'producerIdsAllocated', brokerId, ...block } as const
  return {
    records: [record],
    image: before.apply(record),
    answer: { type: 'producerIdsAllocated', ...block },
  }
}
