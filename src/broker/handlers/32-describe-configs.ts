import type { Cluster } from '../cluster/cluster.ts'
import {
  describeBrokerConfigs,
  describeTopicConfigs,
  type ConfigDescription,
} from '../config/describe.ts'
import type { Configuration } from '../config/settings.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  describeConfigs,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

type Resource = DescribeConfigsRequest['resources'][number]
type Result = DescribeConfigsResponse['results'][number]

/** Kinds of resources, as the protocol numbers them. */
const topicType = 2
const brokerType = 4

export interface DescribeConfigsDeps {
  readonly cluster: Cluster
  readonly brokerId: number
  readonly configuration: Configuration
}

/** DescribeConfigs: v1-4, of topics and of this broker, with every config, its source and its synonyms (G48). */
export function describeConfigsHandler(
  deps: DescribeConfigsDeps,
): Handler<DescribeConfigsRequest, DescribeConfigsResponse> {
  return {
    api: describeConfigs,
    handle: request => ({
      throttleTimeMs: 0,
      results: request.resources.map(resource => describe(deps, resource, request)),
    }),
  }
}

function describe(
  { cluster, brokerId, configuration }: DescribeConfigsDeps,
  resource: Resource,
  request: DescribeConfigsRequest,
): Result {
  const { resourceType, resourceName } = resource
  if (resourceType === topicType) {
    const topic = cluster.image.topicByName(resourceName)
    if (topic === undefined) {
      return failure(resource, 'UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${resourceName}.`)
    }
    return success(resource, request, describeTopicConfigs(configuration, topic.configs))
  }
  if (resourceType === brokerType) {
    if (resourceName !== String(brokerId)) {
      const message = `This is broker ${brokerId}: ask broker '${resourceName}' for its own configs.`
      return failure(resource, 'INVALID_REQUEST', message)
    }
    return success(resource, request, describeBrokerConfigs(configuration))
  }
  const message = `Resource type ${resourceType} has no configs here: ask for a topic (2) or a broker (4).`
  return failure(resource, 'INVALID_REQUEST', message)
}

function success(
  resource: Resource,
  request: DescribeConfigsRequest,
  rows: readonly ConfigDescription[],
): Result {
  const wanted = resource.configurationKeys === null ? null : new Set(resource.configurationKeys)
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
