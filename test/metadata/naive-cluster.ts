import type {
  Command,
  ConfigResource,
  TopicDraft,
} from '../../src/broker/cluster/controller/commands.ts'

/** What a client asks of topics, configs and users. */
export type NaiveCommand = Extract<
  Command,
  {
    type: 'createTopics' | 'createPartitions' | 'deleteTopics' | 'alterConfigs' | 'alterScramUsers'
  }
>

interface NaiveTopic {
  readonly id: string
  readonly configs: Map<string, string>
  readonly partitionCount: number
}

/** A topic that is made in one way, whoever asks. */
export const internalName = '__consumer_offsets'
export const internalTopic = {
  partitionCount: 3,
  configs: [{ name: 'cleanup.policy', value: 'compact' }],
}

/** What the controller's answers should say, in the plainest words: one broker, no log, nothing in flight. */
export class NaiveCluster {
  readonly #topics = new Map<string, NaiveTopic>()
  /** By broker id, null for all; of a group by `group ID`. */
  readonly #brokerConfigs = new Map<number | string | null, Map<string, string>>()

  readonly #scramMechanisms = new Set<string>()

  /** `USER MECHANISM` of each credential, sorted. */
  scramMechanisms(): string[] {
    return [...this.#scramMechanisms].toSorted()
  }

  topicNames(): string[] {
    return [...this.#topics.keys()].toSorted((a, b) => (a < b ? -1 : 1))
  }

  partitionCountOf(name: string): number | undefined {
    return this.#topics.get(name)?.partitionCount
  }

  /** Sorted by name; of a topic, of a broker, or, for null, of all brokers, or of `group ID`. */
  configsOf(whose: string | number | null): [string, string][] {
    const configs =
      typeof whose === 'string' && !whose.startsWith('group ')
        ? this.#topics.get(whose)?.configs
        : this.#brokerConfigs.get(whose)
    return [...(configs ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1))
  }

  /** The error of each item. */
  perform(command: NaiveCommand): string[] {
    const before = new Map(this.#topics)
    const brokersBefore = new Map(this.#brokerConfigs)
    const errors = this.#perform(command)
    if ('validateOnly' in command && command.validateOnly) {
      this.#topics.clear()
      for (const [name, topic] of before) this.#topics.set(name, topic)
      this.#brokerConfigs.clear()
      for (const [id, configs] of brokersBefore) this.#brokerConfigs.set(id, configs)
    }
    return errors
  }

  #perform(command: NaiveCommand): string[] {
    switch (command.type) {
      case 'createTopics': {
        const names = command.drafts.map(({ name }) => name)
        const distinct = command.drafts.filter(({ name }) => countOf(names, name) === 1)
        return [...distinct.map(draft => this.#create(draft)), ...refusalsOfTwins(names)]
      }
      case 'deleteTopics': {
        const names = command.targets.map(({ name, id }) => this.#nameOf(name, id))
        const known = new Set(this.#topics.keys())
        return command.targets.flatMap((target, at) => {
          const name = names[at]!
          if (countOf(names, name) > 1) return names.indexOf(name) === at ? 'INVALID_REQUEST' : []
          if (!known.has(name)) {
            return target.name === null ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
          }
          this.#topics.delete(name)
          return 'NONE'
        })
      }
      case 'createPartitions': {
        const names = command.drafts.map(({ name }) => name)
        const distinct = command.drafts.filter(({ name }) => countOf(names, name) === 1)
        const errors = distinct.map(({ name, count, assignments }) => {
          const topic = this.#topics.get(name)
          if (topic === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
          const isInternal = name === internalName
          if (count <= topic.partitionCount || isInternal) return 'INVALID_PARTITIONS'
          const isFit = assignments === null || assignments.length === count - topic.partitionCount
          const isBrokerOne = assignments?.every(([first, second]) => first === 1 && !second)
          if (!isFit || isBrokerOne === false) return 'INVALID_REPLICA_ASSIGNMENT'
          this.#topics.set(name, { ...topic, partitionCount: count })
          return 'NONE'
        })
        return [...errors, ...refusalsOfTwins(names)]
      }
      case 'alterScramUsers':
        return command.changes.map(({ user, credentials }) => {
          const keys = credentials.map(each => [`${user} ${each.mechanism}`, each] as const)
          const isAbsent = keys.some(
            ([key, { credential }]) => credential === null && !this.#scramMechanisms.has(key),
          )
          if (isAbsent) return 'RESOURCE_NOT_FOUND'
          for (const [key, { credential }] of keys) {
            if (credential === null) this.#scramMechanisms.delete(key)
            else this.#scramMechanisms.add(key)
          }
          return 'NONE'
        })
      case 'alterConfigs': {
        const names = command.changes.map(({ resource }) => JSON.stringify(resource))
        return command.changes.map(({ resource, edits, isWhole }, at) => {
          if (countOf(names, names[at]!) > 1) return 'INVALID_REQUEST'
          const before = this.#configsOf(resource)
          if (typeof before === 'string') return before
          if (new Set(edits.map(({ name }) => name)).size < edits.length) return 'INVALID_REQUEST'
          const after = new Map(isWhole ? [] : before)
          for (const edit of edits) {
            if (edit.operation === 'delete') after.delete(edit.name)
            else if (edit.operation === 'set') after.set(edit.name, edit.value)
            else if (edit.name !== 'list') return 'INVALID_CONFIG'
            else after.set('list', editedList(before.get('list') ?? 'a', edit))
          }
          if (after.has('bad')) return 'INVALID_CONFIG'
          const isInternal = resource.type === 'topic' && resource.name === internalName
          if (isInternal && after.get('cleanup.policy') !== 'compact') return 'INVALID_CONFIG'
          if (resource.type === 'broker') this.#brokerConfigs.set(resource.brokerId, after)
          else if (resource.type === 'group') {
            this.#brokerConfigs.set(`group ${resource.groupId}`, after)
          } else {
            const topic = this.#topics.get(resource.name)!
            this.#topics.set(resource.name, { ...topic, configs: after })
          }
          return 'NONE'
        })
      }
    }
  }

  #configsOf(resource: ConfigResource): Map<string, string> | string {
    if (resource.type === 'topic') {
      if (!legalName.test(resource.name)) return 'INVALID_TOPIC_EXCEPTION'
      return this.#topics.get(resource.name)?.configs ?? 'UNKNOWN_TOPIC_OR_PARTITION'
    }
    if (resource.type === 'group') {
      if (resource.groupId === '') return 'INVALID_REQUEST'
      return this.#brokerConfigs.get(`group ${resource.groupId}`) ?? new Map<string, string>()
    }
    if (resource.brokerId === 2) return 'INVALID_REQUEST'
    return this.#brokerConfigs.get(resource.brokerId) ?? new Map<string, string>()
  }

  #create({ name, topicId, partitionCount, replicationFactor, configs }: TopicDraft): string {
    if (!legalName.test(name)) return 'INVALID_TOPIC_EXCEPTION'
    if (this.#topics.has(name)) return 'TOPIC_ALREADY_EXISTS'
    const isColliding = [...this.#topics.keys()].some(
      other => other.replaceAll('.', '_') === name.replaceAll('.', '_'),
    )
    if (isColliding) return 'INVALID_TOPIC_EXCEPTION'
    if (name === internalName) {
      const own = internalTopic.configs.map(config => [config.name, config.value] as const)
      const { partitionCount: ownCount } = internalTopic
      this.#topics.set(name, { id: topicId, configs: new Map(own), partitionCount: ownCount })
      return 'NONE'
    }
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

function editedList(before: string, { operation, value }: { operation: string; value: string }) {
  const items = before === '' ? [] : before.split(',')
  if (operation === 'subtract') return items.filter(item => item !== value).join(',')
  return items.includes(value) ? before : [...items, value].join(',')
}

/** One for each name that there is more than once. */
function refusalsOfTwins(names: readonly string[]): string[] {
  const twins = new Set(names.filter(name => countOf(names, name) > 1))
  return Array.from(twins, () => 'INVALID_REQUEST')
}

function countOf(names: readonly string[], name: string): number {
  return names.filter(each => each === name).length
}

const legalName = /^[\w.-]+$/
