import type { MetadataImage } from '../metadata/image.ts'
import { errorCode } from '../wire/errors.ts'
import {
  listConfigResources,
  type ListConfigResourcesRequest,
  type ListConfigResourcesResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

/** Kafka's numbers (ConfigResource.Type). */
const types = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const
const known: ReadonlySet<number> = new Set(Object.values(types))

/**
 * ListConfigResources: v0-1. v0 asks for metrics subscriptions of clients, of which there are none; v1 for what has
 * configs (KIP-1142). Loggers of brokers have none here, and are not listed.
 */
export function listConfigResourcesHandler(
  image: () => MetadataImage,
): Handler<ListConfigResourcesRequest, ListConfigResourcesResponse> {
  return {
    api: listConfigResources,
    handle({ resourceTypes }, { apiVersion }) {
      if (resourceTypes.some(type => !known.has(type))) return answer('UNSUPPORTED_VERSION', [])
      const isAsked = (type: number): boolean =>
        apiVersion === 0
          ? type === types.clientMetrics
          : resourceTypes.length === 0 || resourceTypes.includes(type)
      return answer(
        'NONE',
        resources(image()).filter(({ resourceType }) => isAsked(resourceType!)),
      )
    },
  }
}

type Resource = ListConfigResourcesResponse['configResources'][number]

function resources(image: MetadataImage): Resource[] {
  const of = (resourceType: number, names: Iterable<string | number>): Resource[] =>
    Array.from(names, name => ({ resourceName: String(name), resourceType }))
  return [
    ...of(types.group, image.groupsWithConfigs()),
    ...of(types.broker, image.brokers.keys()),
    ...of(
      types.topic,
      Array.from(image.topics(), ({ name }) => name),
    ),
  ]
}

function answer(
  error: 'NONE' | 'UNSUPPORTED_VERSION',
  configResources: Resource[],
): ListConfigResourcesResponse {
  return { throttleTimeMs: 0, errorCode: errorCode(error), configResources }
}
