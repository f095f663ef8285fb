import type { Command, TopicDraft } from '../../src/broker/controller/commands.ts'

interface NaiveTopic {
  readonly id: string
  readonly configs: Map<string, string>
  readonly partitionCount: number
}

/** What the controller's answers should say, in the plainest words: one broker, no log, nothing in flight. */
export class NaiveCluster {
  readonly #topics = new Map<string, NaiveTopic>()

  topicNames(): string[] {
    return [...this.#topics.keys()].toSorted((a, b) => (a < b ? -1 : 1))
  }

  partitionCountOf(name: string): number | undefined {
    return this.#topics.get(name)?.partitionCount
  }

  /** The error of each item. */
  perform(command: Exclude<Command, { type: 'allocateProducerIds' | 'registerBroker' }>): string[] {
    const before = new Map(this.#topics)
    const errors = this.#perform(command)
    if ('validateOnly' in command && command.validateOnly) {
      this.#topics.clear()
      for (const [name, topic] of before) this.#topics.set(name, topic)
    }
    return errors
  }

  #perform(
    command: Exclude<Command, { type: 'allocateProducerIds' | 'registerBroker' }>,
  ): string[] {
    switch (command.type) {
      case 'createTopics': {
        const names = command.drafts.map(({ name }) => name)
        return command.drafts.map(draft =>
          countOf(names, draft.name) > 1 ? 'INVALID_REQUEST' : this.#create(draft),
        )
      }
      case 'deleteTopics': {
        const names = command.targets.map(({ name, id }) => this.#nameOf(name, id))
        const known = new Set(this.#topics.keys())
        return command.targets.map((target, at) => {
          const name = names[at]!
          if (!known.has(name)) {
            return target.name === null ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
          }
          if (countOf(names, name) > 1) return 'INVALID_REQUEST'
          this.#topics.delete(name)
          return 'NONE'
        })
      }
      case 'createPartitions': {
        const names = command.drafts.map(({ name }) => name)
        return command.drafts.map(({ name, count, assignments }) => {
          if (countOf(names, name) > 1) return 'INVALID_REQUEST'
          const topic = this.#topics.get(name)
          if (topic === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
          const isInternal = name === '__consumer_offsets'
          if (count <= topic.partitionCount || isInternal) return 'INVALID_PARTITIONS'
          const isFit = assignments === null || assignments.length === count - topic.partitionCount
          const isBrokerOne = assignments?.every(([first, second]) => first === 1 && !second)
          if (!isFit || isBrokerOne === false) return 'INVALID_REPLICA_ASSIGNMENT'
          this.#topics.set(name, { ...topic, partitionCount: count })
          return 'NONE'
        })
      }
      case 'alterTopicConfigs': {
        const names = command.changes.map(({ name }) => name)
        return command.changes.map(({ name, configs }) => {
          if (countOf(names, name) > 1) return 'INVALID_REQUEST'
          const topic = this.#topics.get(name)
          if (topic === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
          const after = new Map(topic.configs)
          for (const { name: key, value } of configs) {
            if (value === null) after.delete(key)
            else after.set(key, value)
          }
          if (after.has('bad')) return 'INVALID_CONFIG'
          this.#topics.set(name, { ...topic, configs: after })
          return 'NONE'
        })
      }
    }
  }

  #create({ name, topicId, partitionCount, replicationFactor, configs }: TopicDraft): string {
    if (!/^[\w.-]+$/.test(name)) return 'INVALID_TOPIC_EXCEPTION'
    if (this.#topics.has(name)) return 'TOPIC_ALREADY_EXISTS'
    const isColliding = [...this.#topics.keys()].some(
      other => other.replaceAll('.', '_') === name.replaceAll('.', '_'),
    )
    if (isColliding) return 'INVALID_TOPIC_EXCEPTION'
    if (configs.some(config => config.name === 'bad')) return 'INVALID_CONFIG'
    if (partitionCount === 0) return 'INVALID_PARTITIONS'
    if (replicationFactor > 1) return 'INVALID_REPLICATION_FACTOR'
    const entries = configs.map(config => [config.name, config.value!] as const)
    const count = partitionCount === -1 ? 2 : partitionCount
    this.#topics.set(name, { id: topicId, configs: new Map(entries), partitionCount: count })
    return 'NONE'
  }

  #nameOf(name: string | null, id: string | null): string {
    if (name !== null) return name
    return [...this.#topics].find(([, topic]) => topic.id === id)?.[0] ?? `unknown ${id}`
  }
}

function countOf(names: readonly string[], name: string): number {
  return names.filter(each => each === name).length
}
