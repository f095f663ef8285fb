import { errorName, errors } from '../../broker/wire/errors.ts'
import type { Infer } from '../../broker/wire/field.ts'
import {
  type createPartitions,
  type describeConfigs,
  type metadata,
} from '../../broker/wire/messages/index.ts'
import type { ConfigsOf, DescribedConfig, Outcome, Refusal, TopicDescription } from './brokers.ts'

/** A resource of configs, as the protocol numbers and names it. */
export interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

const ofTopic = 2
const ofBroker = 4

export function resourceOf(of: ConfigsOf): Resource {
  switch (of.kind) {
    case 'topic':
      return { resourceType: ofTopic, resourceName: of.name }
    case 'broker':
      return { resourceType: ofBroker, resourceName: String(of.id) }
    case 'all brokers':
      return { resourceType: ofBroker, resourceName: '' }
  }
}

/** What was answered for each of `resources`, in their order, whatever order the answers have. */
export function inOrderOf<T extends Resource>(
  resources: readonly ConfigsOf[],
  answers: readonly T[],
): (T | undefined)[] {
  const byKey = new Map(answers.map(answer => [keyOf(answer), answer]))
  return resources.map(each => byKey.get(keyOf(resourceOf(each))))
}

function keyOf({ resourceType, resourceName }: Resource): string {
  return `${resourceType} ${resourceName}`
}

/** An answer that has an error code, and maybe words; `undefined` where the broker answered nothing at all. */
export type Answered =
  | Pick<Infer<typeof createPartitions.response>['results'][number], 'errorCode' | 'errorMessage'>
  | undefined

export function outcomeOf(answer: Answered): Outcome {
  if (answer === undefined) {
    return { error: 'UNKNOWN_SERVER_ERROR', message: 'The broker did not answer for it.' }
  }
  const error = errorName(answer.errorCode)
  return error === 'NONE' ? null : { error, message: answer.errorMessage ?? errors[error].message }
}

const sources = new Map<number, DescribedConfig['source']>([
  [1, 'topic'],
  [2, 'dynamic'],
  [3, 'dynamic of all'],
  [4, 'static'],
])

export function configsDescribed(
  answer: Infer<typeof describeConfigs.response>['results'][number] | undefined,
): ReadonlyMap<string, DescribedConfig> | Refusal {
  const refusal = outcomeOf(answer)
  if (refusal !== null) return refusal
  const configs = answer?.configs ?? []
  return new Map(
    configs.map(({ name, value, configSource, readOnly }) => {
      const source = sources.get(configSource) ?? 'default'
      return [name, { value, source, isReadOnly: readOnly }]
    }),
  )
}

export type AnsweredTopic = Infer<typeof metadata.response>['topics'][number]

export function topicDescribed(topic: AnsweredTopic): TopicDescription {
  const { name, topicId, isInternal, partitions } = topic
  const replicationFactor = partitions[0]?.replicaNodes.length ?? 0
  const isUneven = partitions.some(({ replicaNodes }) => replicaNodes.length !== replicationFactor)
  return {
    name: name ?? '',
    topicId,
    isInternal,
    partitionCount: partitions.length,
    replicationFactor,
    ...(isUneven && { isUneven }),
    leaderlessCount: partitions.filter(({ leaderId }) => leaderId < 0).length,
  }
}
