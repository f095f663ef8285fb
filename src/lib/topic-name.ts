/** Kafka keeps its own metadata under this name; tools would take ours for it. */
export const reservedTopicName = '__cluster_metadata'

export const offsetsTopicName = '__consumer_offsets'
export const transactionStateTopicName = '__transaction_state'

/** Topics that brokers make by themselves, and keep: Kafka's names, which its tools know. */
export const internalTopicNames: readonly string[] = [
  offsetsTopicName,
  transactionStateTopicName,
  '__share_group_state',
]

export const topicNameLengthMax = 249
/** The characters of a topic's name, as a class of a regular expression. */
export const topicNameClass = '[a-zA-Z0-9._-]'
const legal = new RegExp(`^${topicNameClass}+$`)

/** Why no topic can have this name, with what to do; null where one can. Kafka's rules (`Topic.validate`). */
export function topicNameError(name: string): string | null {
  if (name === '') return 'The topic name is empty. Give the topic a name.'
  if (name === '.' || name === '..') {
    return `The topic name '${name}' would be a directory's. Choose another name.`
  }
  if (name.length > topicNameLengthMax) {
    return `The topic name has ${name.length} characters, at most ${topicNameLengthMax} are allowed. Shorten it.`
  }
  if (!legal.test(name)) {
    return (
      `The topic name ${JSON.stringify(name)} has a character other than ASCII letters, digits, ` +
      "'.', '_' and '-'. Choose another name."
    )
  }
  return null
}

/** As metrics have a topic's name: there '.' is '_', so two topics that differ in nothing else share theirs. */
export function metricName(topic: string): string {
  return topic.includes('.') ? topic.replaceAll('.', '_') : topic
}
