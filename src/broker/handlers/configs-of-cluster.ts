import type { MetadataImage, TopicImage } from '../metadata/image.ts'
import { minInsyncReplicasConfig, minInsyncReplicasOf } from '../metadata/replicas.ts'

/** What the metadata log tells of a topic's configs where the topic does not: the same by whatever broker is asked. */
export function configsOfCluster(
  image: MetadataImage,
  topic: TopicImage | undefined,
): ReadonlyMap<string, string> {
  if (topic === undefined) return new Map()
  return new Map([[minInsyncReplicasConfig, String(minInsyncReplicasOf(image, topic))]])
}
