import type { MetadataImage, TopicImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import type { DeletionResult, TopicTarget } from './commands.ts'
import { type Decision, isMistake, type Mistake, mistake, namedTwice } from './decision.ts'

/**
 * Each target is decided on its own. A topic that is named twice, by name or id, is not deleted, and answered once with
 * all that it was called.
 */
export function decideDeleteTopics(
  before: MetadataImage,
  targets: readonly TopicTarget[],
): Decision {
  const wanted = targets.map(target => ({ target, topic: topicOf(before, target) }))
  const distinct = Map.groupBy(wanted, ({ target, topic }) => {
    return isMistake(topic) ? (target.name ?? target.id) : topic.id
  })
  const records: MetadataRecord[] = []
  let image = before
  const results = Array.from(distinct.values(), (calls): DeletionResult => {
    const { target, topic } = calls[0]!
    if (calls.length > 1) return calledTwice(calls.map(call => call.target))
    if (isMistake(topic)) return { ...target, ...topic }
    const record = { type: 'topicDeleted', topicId: topic.id } as const
    image = image.apply(record)
    records.push(record)
    return { name: topic.name, id: topic.id, error: 'NONE', message: null }
  })
  return { records, image, answer: { type: 'topicsDeleted', results } }
}

function calledTwice(targets: readonly TopicTarget[]): DeletionResult {
  const name = targets.find(target => target.name !== null)?.name ?? null
  const id = targets.find(target => target.id !== null)?.id ?? null
  return { name, id, ...namedTwice(name ?? id) }
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
