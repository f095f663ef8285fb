import type { ConfigEdit } from '../cluster/cluster.ts'
import {
  incrementalAlterConfigs,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponse,
} from '../wire/messages/index.ts'
import {
  alterConfigs,
  type AlterConfigsDeps,
  type ConfigWish,
  type Problem,
} from './config-changes.ts'
import type { Handler } from './handler.ts'

type Resource = IncrementalAlterConfigsRequest['resources'][number]

/**
 * IncrementalAlterConfigs: v0-1 (KIP-339), of topics and of brokers: configs are set, taken away, or, where they
 * are lists, get items more or fewer (G48). What is not named stays.
 */
export function incrementalAlterConfigsHandler(
  deps: AlterConfigsDeps,
): Handler<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse> {
  return {
    api: incrementalAlterConfigs,
    async handle({ resources, validateOnly }) {
      const responses = await alterConfigs(deps, resources.map(wishOf), validateOnly)
      return { throttleTimeMs: 0, responses }
    },
  }
}

function wishOf({ resourceType, resourceName, configs }: Resource): ConfigWish {
  return { resourceType, resourceName, isWhole: false, edits: editsOf(configs) }
}

function editsOf(configs: Resource['configs']): ConfigEdit[] | Problem {
  const edits: ConfigEdit[] = []
  for (const { name, configOperation, value } of configs) {
    const operation = operations[configOperation]
    if (operation === undefined) {
      return {
        problem: `Config '${name}' has operation ${configOperation}, which is none: there are 0 to 3.`,
      }
    }
    if (operation === 'delete') edits.push({ operation, name })
    else if (value !== null) edits.push({ operation, name, value })
    else return { problem: `Config '${name}' has no value: give one, or delete the config.` }
  }
  return edits
}

/** By their numbers. */
const operations = ['set', 'delete', 'append', 'subtract'] as const
