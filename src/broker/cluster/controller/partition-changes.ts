import type { MetadataImage, PartitionImage, TopicImage } from '../../metadata/image.ts'
import type { MetadataRecord, RecordOf } from '../../metadata/records.ts'
import { changedPartition, type PartitionChange } from './elections.ts'

/**
 * One record for each topic of which something changes: each partition as `changeOf` wants it among the brokers of `image`; null
 * leaves it alone.
 */
export function changesOf(
  image: MetadataImage,
  changeOf: (partition: PartitionImage, topic: TopicImage) => PartitionChange | null,
): RecordOf<'partitionsChanged'>[] {
  return Array.from(image.topics()).flatMap(topic => changesOfTopic(image, topic, changeOf))
}

/** As `changesOf`, of one topic. */
export function changesOfTopic(
  image: MetadataImage,
  topic: TopicImage,
  changeOf: (partition: PartitionImage, topic: TopicImage) => PartitionChange | null,
): RecordOf<'partitionsChanged'>[] {
  const partitions = topic.partitions.flatMap(before => {
    const change = changeOf(before, topic)
    const after = change === null ? before : changedPartition(image, topic, before, change)
    return after === before ? [] : [after]
  })
  if (partitions.length === 0) return []
  return [{ type: 'partitionsChanged', topicId: topic.id, partitions }]
}

export function applied(image: MetadataImage, records: Iterable<MetadataRecord>): MetadataImage {
  let after = image
  for (const record of records) after = after.apply(record)
  return after
}
