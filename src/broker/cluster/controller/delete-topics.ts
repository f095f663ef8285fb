import type { MetadataImage, TopicImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import type { DeletionResult, TopicTarget } from './commands.ts'
import { type Decision, duplicates, isMistake, type Mistake, mistake } from './decision.ts'

/** Each target is decided on its own; a topic that is named twice, by name or id, is not deleted. */
export function decideDeleteTopics(
  before: MetadataImage,
  targets: readonly TopicTarget[],
): Decision {
  const found = targets.map(target => topicOf(before, target))
  const twice = duplicates(found.flatMap(topic => (isMistake(topic) ? [] : topic.id)))
  const records: MetadataRecord[] = []
  let image = before
  const results = targets.map((target, at): DeletionResult => {
    const topic = found[at]!
    if (isMistake(topic)) return { ...target, ...topic }
    if (twice.has(topic.id)) {
      const message = `The request names topic '${topic.name}' more than once.`
      return { ...target, error: 'INVALID_REQUEST', message }
    }
    const record = { type: 'topicDeleted', topicId: topic.id } as const
    image = image.apply(record)
    records.push(record)
    return { name: topic.name, id: topic.id, error: 'NONE', message: null }
  })
  return { records, image, answer: { type: 'topicsDeleted', results } }
}

function topicOf(image: MetadataImage, { name, id }: TopicTarget): TopicImage | Mistake {
  if ((name === null) === (id === null)) {
    return mistake(
      'INVALID_REQUEST',
      'A topic to delete is told by its name or by its id: by one of them.',
    )
  }
  if (name !== null) {
    const absent = `There is no topic ${JSON.stringify(name)}.`
    return image.topicByName(name) ?? mistake('UNKNOWN_TOPIC_OR_PARTITION', absent)
  }
  return image.topicById(id!) ?? mistake('UNKNOWN_TOPIC_ID', `There is no topic with id ${id}.`)
}
