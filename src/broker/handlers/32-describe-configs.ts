import type { Cluster } from '../cluster/cluster.ts'
import {
  describeBrokerConfigs,
  describeCommonConfigs,
  describeGroupConfigs,
  describeTopicConfigs,
  type ConfigDescription,
} from '../config/describe.ts'
import type { LiveConfiguration } from '../config/live-configuration.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  describeConfigs,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
} from '../wire/messages/index.ts'
import { resourceTypes } from './config-changes.ts'
import { configsOfCluster } from './configs-of-cluster.ts'
import type { Handler } from './handler.ts'
import { askedOnce } from './named-once.ts'
import { nameError } from './name-error.ts'

type Resource = DescribeConfigsRequest['resources'][number]
type Result = DescribeConfigsResponse['results'][number]

export interface DescribeConfigsDeps {
  readonly cluster: Cluster
  readonly brokerId: number
  readonly configuration: LiveConfiguration
}

/**
 * DescribeConfigs: v1-4, of topics and of this broker, with every config, its source and its synonyms (G48); of
 * all brokers (an empty name), with what was set for them. No names, or none at all, ask for every config. What is named
 * twice is described once, with every config that it is asked for.
 */
export function describeConfigsHandler(
  deps: DescribeConfigsDeps,
): Handler<DescribeConfigsRequest, DescribeConfigsResponse> {
  return {
    api: describeConfigs,
    handle: request => ({
      throttleTimeMs: 0,
      results: resourcesOnce(request.resources).map(resource => describe(deps, resource, request)),
    }),
  }
}

function resourcesOnce(resources: readonly Resource[]): readonly Resource[] {
  return askedOnce(
    resources,
    ({ resourceType, resourceName }) => `${resourceType} ${resourceName}`,
    named => {
      const keys = named.map(({ configurationKeys }) => configurationKeys ?? [])
      const isAll = keys.some(({ length }) => length === 0)
      return { ...named[0]!, configurationKeys: isAll ? null : keys.flat() }
    },
  )
}

function describe(
  { cluster, brokerId, configuration }: DescribeConfigsDeps,
  resource: Resource,
  request: DescribeConfigsRequest,
): Result {
  const { resourceType, resourceName } = resource
  if (resourceType === resourceTypes.topic) {
    const topic = cluster.image.topicByName(resourceName)
    if (topic === undefined) {
      return failure(resource, nameError(resourceName), `There is no topic ${resourceName}.`)
    }
    const ofCluster = configsOfCluster(topic)
    const rows = describeTopicConfigs(configuration, topic.configs, ofCluster)
    return success(resource, request, rows)
  }
  if (resourceType === resourceTypes.broker) {
    if (resourceName === '') {
      return success(resource, request, describeCommonConfigs(configuration))
    }
    if (resourceName !== String(brokerId)) {
      const message =
        `This is broker ${brokerId}: ask broker '${resourceName}' for its own configs, or any broker, with an ` +
        'empty name, for what was set for all.'
      return failure(resource, 'INVALID_REQUEST', message)
    }
    return success(resource, request, describeBrokerConfigs(configuration))
  }
  if (resourceType === resourceTypes.group) {
    if (resourceName === '') {
      return failure(resource, 'INVALID_REQUEST', 'There are no configs of all groups: name one.')
    }
    return success(
      resource,
      request,
      describeGroupConfigs(cluster.image.groupConfigs(resourceName)),
    )
  }
  const message = `Resource type ${resourceType} has no configs here: ask for a topic (2), a broker (4) or a group (32).`
  return failure(resource, 'INVALID_REQUEST', message)
}

function success(
  resource: Resource,
  request: DescribeConfigsRequest,
  rows: readonly ConfigDescription[],
): Result {
  const keys = resource.configurationKeys ?? []
  const wanted = keys.length === 0 ? null : new Set(keys)
  return {
    ...failure(resource, 'NONE', null),
    configs: rows
      .filter(row => wanted === null || wanted.has(row.name))
      .map(row => ({
        name: row.name,
        value: row.value,
        readOnly: row.isReadOnly,
        configSource: row.source,
        isSensitive: row.isSensitive,
        synonyms: request.includeSynonyms ? row.synonyms.map(synonym => ({ ...synonym })) : [],
        configType: row.type,
        documentation: request.includeDocumentation ? row.documentation : null,
      })),
  }
}

function failure(
  { resourceType, resourceName }: Resource,
  error: ErrorName,
  errorMessage: string | null,
): Result {
  return { errorCode: errorCode(error), errorMessage, resourceType, resourceName, configs: [] }
}
