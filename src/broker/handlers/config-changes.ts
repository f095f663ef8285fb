import type { Cluster, ConfigEdit, ConfigResource } from '../cluster/cluster.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import { changeTimeoutMs } from './change-timeout.ts'

export interface AlterConfigsDeps {
  readonly cluster: Cluster
  readonly brokerId: number
}

/** What a request wants of one resource; the edits as they came, or what is wrong with them. */
export interface ConfigWish {
  readonly resourceType: number
  readonly resourceName: string
  readonly edits: readonly ConfigEdit[] | Problem
  /** What no edit names goes back to its default. */
  readonly isWhole: boolean
}

export interface Problem {
  readonly problem: string
}

export interface ConfigOutcome {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly resourceType: number
  readonly resourceName: string
}

/** Kinds of resources, as the protocol numbers them. */
export const resourceTypes = { topic: 2, broker: 4, group: 32 } as const

/** One outcome a wish, in their order; what is malformed is refused here, everything else is the controller's. */
export async function alterConfigs(
  { cluster, brokerId }: AlterConfigsDeps,
  wishes: readonly ConfigWish[],
  validateOnly: boolean,
): Promise<ConfigOutcome[]> {
  const read = wishes.map(({ edits, isWhole, ...wish }) => {
    const resource = resourceOf(wish, brokerId)
    if ('problem' in resource) return resource
    return 'problem' in edits ? edits : { resource, edits, isWhole }
  })
  const changes = read.flatMap(each => ('problem' in each ? [] : each))
  const results = (await cluster.alterConfigs(changes, validateOnly, changeTimeoutMs(0))).values()
  return wishes.map(({ resourceType, resourceName }, at) => {
    const change = read[at]!
    const { error, message } =
      'problem' in change
        ? { error: 'INVALID_REQUEST', message: change.problem }
        : results.next().value!
    return {
      errorCode: errorCode(error as ErrorName),
      errorMessage: message,
      resourceType,
      resourceName,
    }
  })
}

function resourceOf(
  { resourceType, resourceName }: Pick<ConfigWish, 'resourceType' | 'resourceName'>,
  brokerId: number,
): ConfigResource | Problem {
  if (resourceType === resourceTypes.topic) return { type: 'topic', name: resourceName }
  if (resourceType === resourceTypes.group) return { type: 'group', groupId: resourceName }
  if (resourceType !== resourceTypes.broker) {
    return {
      problem: `Resource type ${resourceType} has no configs here: name a topic (2), a broker (4) or a group (32).`,
    }
  }
  if (resourceName === '') return { type: 'broker', brokerId: null }
  if (resourceName === String(brokerId)) return { type: 'broker', brokerId }
  return {
    problem:
      `This is broker ${brokerId}: send the configs of broker '${resourceName}' to that one, or leave the name ` +
      'empty to set them for all.',
  }
}
