import type { ClusterOptions } from './options.ts'
import type { ConfigRules } from './controller/alter-configs.ts'
import type { TopicRules } from './controller/create-topics.ts'

/** What the controller decides by, with the defaults of what was not given. */
export function rulesOf(options: ClusterOptions): TopicRules & ConfigRules {
  const { defaults, limits = {}, internalTopics, validateConfigs, configRules } = options
  return {
    validateBrokerConfigs: (...all) => configRules?.validateBrokerConfigs(...all) ?? null,
    validateGroupConfigs: (...all) => configRules?.validateGroupConfigs(...all) ?? null,
    listBeneath: (resource, name) => configRules?.listBeneath(resource, name) ?? null,
    partitionCountDefault: defaults.partitionCount,
    replicationFactorDefault: defaults.replicationFactor,
    requestPartitionCountMax: limits.requestPartitionCountMax ?? 10_000,
    clusterPartitionCountMax: limits.clusterPartitionCountMax ?? 100_000,
    clusterSize: options.clusterSize ?? 0,
    internalTopics: internalTopics ?? new Map(),
    validateConfigs: validateConfigs ?? (() => null),
  }
}
