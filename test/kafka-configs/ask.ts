import { setTimeout as sleep } from 'node:timers/promises'
import {
  createTopics,
  describeConfigs,
  incrementalAlterConfigs,
} from '../../src/broker/wire/messages/index.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import { listEdits, wishes, wishesTogether } from './wishes.ts'

/** What a broker answered: error codes, and the values as it describes them afterwards; of what it refuses, null. */
export interface ConfigAnswers {
  /** By config: value, error, described. */
  readonly alone: Readonly<Record<string, readonly Answer[]>>
  /** In the order of `wishesTogether`: errors. */
  readonly together: readonly number[]
  /** In the order of `listEdits`. */
  readonly lists: readonly (readonly [error: number, described: string | null])[]
}

type Answer = readonly [value: string, error: number, described: string | null]

interface Edit {
  readonly name: string
  readonly operation: number
  readonly value: string | null
}

/** Asks for every wish on a topic of its own, by IncrementalAlterConfigs and by CreateTopics, which must agree. */
export async function askConfigs(client: BrokerClient): Promise<ConfigAnswers> {
  const asking = new Asking(client)
  await client.createTopics([{ name: topic }])
  const alone: Record<string, Answer[]> = {}
  for (const [name, values] of Object.entries(wishes)) {
    alone[name] = []
    for (const value of values) alone[name].push(await asking.alone(name, value))
  }
  const together: number[] = []
  for (const wish of wishesTogether) together.push(await asking.together(wish))
  const lists: [number, string | null][] = []
  for (const [name, operation, value] of listEdits) {
    const error = await asking.alter([{ name, operation, value }])
    lists.push([error, (await asking.settled(name)).value])
  }
  return { alone, together, lists }
}

const topic = 'configured'
const topicType = 2
const ofTopic = 1

class Asking {
  readonly #client: BrokerClient

  constructor(client: BrokerClient) {
    this.#client = client
  }

  async alone(name: string, value: string): Promise<Answer> {
    const error = await this.alter([{ name, operation: 0, value }])
    const atCreation = await this.#create({ [name]: value })
    if (error !== atCreation)
      throw new Error(`${name}=${value}: ${error}, at creation ${atCreation}`)
    if (error !== 0) return [value, error, null]
    const described = (await this.#until(name, ({ source }) => source === ofTopic)).value
    await this.alter([{ name, operation: 1, value: null }])
    await this.#until(name, ({ source }) => source !== ofTopic)
    return [value, error, described]
  }

  async together(wish: Readonly<Record<string, string>>): Promise<number> {
    const edits = Object.entries(wish).map(([name, value]) => ({ name, operation: 0, value }))
    const error = await this.alter(edits, true)
    const atCreation = await this.#create(wish)
    if (error === atCreation) return error
    throw new Error(`${JSON.stringify(wish)}: ${error}, at creation ${atCreation}`)
  }

  async alter(edits: readonly Edit[], validateOnly = false): Promise<number> {
    const configs = edits.map(({ name, operation, value }) => ({
      name,
      configOperation: operation,
      value,
    }))
    const request = {
      resources: [{ resourceType: topicType, resourceName: topic, configs }],
      validateOnly,
    }
    return (await this.#client.request(incrementalAlterConfigs, 1, request)).responses[0]!.errorCode
  }

  /** As described once nothing moves any more: Kafka's brokers follow their controller a little later. */
  async settled(name: string): Promise<Described> {
    await sleep(settleMs)
    return this.#describe(name)
  }

  async #create(wish: Readonly<Record<string, string>>): Promise<number> {
    const configs = Object.entries(wish).map(([name, value]) => ({ name, value }))
    const request = {
      topics: [
        { name: 'wished', numPartitions: 1, replicationFactor: 1, assignments: [], configs },
      ],
      timeoutMs: 30_000,
      validateOnly: true,
    }
    return (await this.#client.request(createTopics, 7, request)).topics[0]!.errorCode
  }

  async #until(name: string, isIt: (described: Described) => boolean): Promise<Described> {
    for (let tries = 0; tries < 500; tries++) {
      const described = await this.#describe(name)
      if (described.source === null || isIt(described)) return described
      await sleep(10)
    }
    throw new Error(`${name} does not become what it was set to`)
  }

  async #describe(name: string): Promise<Described> {
    const request = {
      resources: [{ resourceType: topicType, resourceName: topic, configurationKeys: [name] }],
      includeSynonyms: false,
      includeDocumentation: false,
    }
    const { results } = await this.#client.request(describeConfigs, 4, request)
    const config = results[0]!.configs[0]
    return { value: config?.value ?? null, source: config?.configSource ?? null }
  }
}

/** Nulls where there is no such config. */
interface Described {
  readonly value: string | null
  readonly source: number | null
}

const settleMs = 300
