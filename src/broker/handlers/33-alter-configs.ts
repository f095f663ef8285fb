import {
  alterConfigs as api,
  type AlterConfigsRequest,
  type AlterConfigsResponse,
} from '../wire/messages/index.ts'
import { alterConfigs, type AlterConfigsDeps, type ConfigWish } from './config-changes.ts'
import type { Handler } from './handler.ts'

type Resource = AlterConfigsRequest['resources'][number]

/**
 * AlterConfigs: v0-2, of topics and of brokers. It replaces: what a resource had and the request does not name
 * goes back to its default. As in Kafka a null is refused; who wants the default leaves the config out.
 */
export function alterConfigsHandler(
  deps: AlterConfigsDeps,
): Handler<AlterConfigsRequest, AlterConfigsResponse> {
  return {
    api,
    async handle({ resources, validateOnly }) {
      const responses = await alterConfigs(deps, resources.map(wishOf), validateOnly)
      return { throttleTimeMs: 0, responses }
    },
  }
}

function wishOf({ resourceType, resourceName, configs }: Resource): ConfigWish {
  const missing = configs.find(({ value }) => value === null)
  return {
    resourceType,
    resourceName,
    isWhole: true,
    edits:
      missing === undefined
        ? configs.map(({ name, value }) => ({ operation: 'set', name, value: value ?? '' }))
        : { problem: `Config '${missing.name}' has no value: give one, or leave it out.` },
  }
}
