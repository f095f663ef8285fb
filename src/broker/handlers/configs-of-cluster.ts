import type { TopicImage } from '../metadata/image.ts'
import {
  minInsyncReplicasByDefault,
  minInsyncReplicasConfig,
  uncleanElectionConfig,
} from '../metadata/replicas.ts'

/**
 * The defaults of what the controller decides by the metadata log alone: the same by whatever broker is asked, and whatever that one was
 * started with.
 */
export function configsOfCluster(topic: TopicImage | undefined): ReadonlyMap<string, string> {
  if (topic === undefined) return new Map()
  return new Map([
    [minInsyncReplicasConfig, String(minInsyncReplicasByDefault(topic))],
    [uncleanElectionConfig, 'false'],
  ])
}
