import type { ClusterOptions, ConfigResource } from './cluster/cluster.ts'
import { groupConfigProblem } from './config/group-config.ts'
import { type ListenerAddress, registeredAs } from './config/listeners.ts'
import type { LiveConfiguration } from './config/live-configuration.ts'
import { internalTopics } from './coordinator/internal-topics.ts'

/** What the cluster takes from the broker's settings. */
export function clusterOptions(
  configuration: LiveConfiguration,
  listeners: readonly ListenerAddress[],
): Omit<ClusterOptions, 'env' | 'store'> {
  const { settings } = configuration
  return {
    ...(settings.clusterId === '' ? {} : { clusterId: settings.clusterId }),
    brokerId: settings.nodeId,
    rack: settings.brokerRack === '' ? null : settings.brokerRack,
    listeners: listeners.map(listener => ({ name: listener.name, ...registeredAs(listener) })),
    defaults: {
      partitionCount: settings.numPartitions,
      replicationFactor: settings.defaultReplicationFactor,
    },
    clusterSize: settings.clusterSize,
    internalTopics: internalTopics({
      replicationFactor: settings.offsetsTopicReplicationFactor,
      partitionCount: settings.offsetsTopicNumPartitions,
      segmentBytes: settings.offsetsTopicSegmentBytes,
    }),
    validateConfigs: (configs, given) => configuration.problemOfTopic(configs, given),
    configRules: {
      validateBrokerConfigs: (configs, given) => configuration.problemOf(configs, given),
      validateGroupConfigs: groupConfigProblem,
      listBeneath: (resource, name) => {
        const whose = whoseOf(resource)
        return whose === null ? null : configuration.listBeneath(whose, name)
      },
    },
  }
}

/** null: a group's, which has no lists. */
function whoseOf(resource: ConfigResource): 'topic' | 'own' | 'common' | null {
  if (resource.type === 'group') return null
  if (resource.type === 'topic') return 'topic'
  return resource.brokerId === null ? 'common' : 'own'
}
