import { minInsyncReplicasConfig, uncleanElectionConfig } from '../metadata/decided-configs.ts'
import type { TopicImage } from '../metadata/image.ts'
import { minInsyncReplicasWithout } from '../metadata/replicas.ts'

/**
 * The defaults of what the controller decides by the metadata log alone: the same by whatever broker is asked, and whatever that one was
 * started with.
 */
export function configsOfCluster(topic: TopicImage | undefined): ReadonlyMap<string, string> {
  if (topic === undefined) return new Map()
  return new Map([
    [minInsyncReplicasConfig, String(minInsyncReplicasWithout(topic))],
    [uncleanElectionConfig, 'false'],
  ])
}
