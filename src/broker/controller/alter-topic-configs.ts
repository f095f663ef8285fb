import type { MetadataImage } from '../metadata/image.ts'
import type { MetadataRecord, RecordOf } from '../metadata/records.ts'
import type { ConfigChangeResult, TopicConfigChange } from './commands.ts'
import type { TopicRules } from './create-topics.ts'
import { type Decision, duplicates, isMistake, type Mistake, mistake } from './decision.ts'

/** Each topic's changes are decided on their own: all of them, or none. */
export function decideAlterTopicConfigs(
  before: MetadataImage,
  changes: readonly TopicConfigChange[],
  options: { readonly rules: TopicRules; readonly validateOnly: boolean },
): Decision {
  const twice = duplicates(changes.map(({ name }) => name))
  const records: MetadataRecord[] = []
  let image = before
  const results = changes.map((change): ConfigChangeResult => {
    const { name } = change
    const record = twice.has(name)
      ? mistake('INVALID_REQUEST', `The request names topic '${name}' more than once.`)
      : recordOf(image, options.rules, change)
    if (isMistake(record)) return { name, ...record }
    if (!options.validateOnly && record.configs.length > 0) {
      image = image.apply(record)
      records.push(record)
    }
    return { name, error: 'NONE', message: null }
  })
  return { records, image, answer: { type: 'topicConfigsAltered', results } }
}

function recordOf(
  image: MetadataImage,
  rules: TopicRules,
  { name, configs }: TopicConfigChange,
): RecordOf<'topicConfigsChanged'> | Mistake {
  const topic = image.topicByName(name)
  if (topic === undefined) {
    return mistake('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${JSON.stringify(name)}.`)
  }
  const after = new Map(topic.configs)
  for (const { name: config, value } of configs) {
    if (value === null) after.delete(config)
    else after.set(config, value)
  }
  const error = rules.validateConfigs(after)
  if (error !== null) return mistake('INVALID_CONFIG', error)
  return { type: 'topicConfigsChanged', topicId: topic.id, configs: [...configs] }
}
