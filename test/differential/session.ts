import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../../src/broker/wire/field.ts'
import {
  createTopics,
  deleteTopics,
  describeConfigs,
  incrementalAlterConfigs,
  listOffsets,
  metadata,
} from '../../src/broker/wire/messages/index.ts'
import type { Message } from '../../src/broker/wire/shape.ts'
import { Connection, readAnswer } from './connection.ts'
import { encodeExactly } from './exact-wire.ts'
import { isList, isStruct, type Json } from './json.ts'
import { masked } from './mask.ts'

/** A short conversation with a broker under a name of its own. */
export interface Scenario {
  readonly name: string
  readonly run: (session: Session) => Promise<void>
}

/** How long a broker may take until a change that it confirmed is seen; a new topic on Kafka takes some 20 ms. */
const settledMsMax = 60_000
/** Between two looks, so that the broker that is asked has a processor to itself. */
const pollMs = 5

/** The topic whose configs tell how far the broker has come with its metadata. */
export const fenceTopic = 'fence'

/**
 * One scenario's conversation with one broker: what is asked with `ask` is compared, what is asked with `request` only
 * prepares. Topics and groups have the scenario's name in theirs, so that all scenarios can share a broker.
 */
export class Session {
  /** What was asked, by label, in order. Masked. */
  readonly answers = new Map<string, Json>()
  readonly #name: string
  readonly #ports: readonly number[]
  readonly #connections = new Map<string, Connection>()

  /** With several brokers, `over('broker 1')` asks the second of them. */
  constructor(scenario: string, port: number | readonly number[]) {
    this.#name = scenario.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
    this.#ports = typeof port === 'number' ? [port] : port
  }

  /** A name of this scenario's own, for a topic, a group or whatever else. */
  own(name: string): string {
    return `${this.#name}-${name}`
  }

  /** Asks, and keeps the answer under `label` for the comparison. */
  async ask(label: string, api: Api, version: number, body: Message): Promise<Json> {
    return await this.over('').ask(label, api, version, body)
  }

  /** Asks over another connection, by a name of its own: for what waits while something else is asked. */
  over(name: string): Pick<Session, 'ask'> {
    return {
      ask: async (label, api, version, body) => {
        const answer = await this.connection(name).ask(api, version, body)
        this.keep(label, api, answer, body)
        return answer
      },
    }
  }

  /** As `ask`, with the frame's bytes changed on their way; the length prefix is made right again. */
  async askChanged(
    label: string,
    { api, version, body, answeredIn = version }: Changed,
    change: (frame: Buffer) => Uint8Array,
  ): Promise<Json> {
    const over = this.connection('')
    const frame = Buffer.from(change(encodeExactly(api, version, over.nextCorrelationId(), body)))
    frame.writeInt32BE(frame.length - 4)
    const answer = readAnswer(api, answeredIn, await over.exchange(frame))
    this.keep(label, api, answer, body)
    return answer
  }

  /** Sends what is not answered: whether it was taken shows at what is asked next. */
  async unanswered(api: Api, version: number, body: Message): Promise<void> {
    const over = this.connection('')
    await over.send(encodeExactly(api, version, over.nextCorrelationId(), body))
  }

  /** Asks for the sake of what it does; the answer is not compared, but must come. */
  async request(api: Api, version: number, body: Message): Promise<Json> {
    const answer = await this.connection('').ask(api, version, body)
    if (typeof answer === 'string') throw new Error(`${this.#name}: ${api.name}: ${answer}`)
    return answer
  }

  /** Keeps what was found out in another way than by one answer. */
  note(label: string, found: Json): void {
    if (this.answers.has(label)) throw new Error(`${this.#name} says "${label}" twice`)
    this.answers.set(label, found)
  }

  connection(name: string): Connection {
    const known = this.#connections.get(name)
    if (known !== undefined) return known
    const id = Number(/^broker (\d+)$/.exec(name)?.[1] ?? 0)
    const made = new Connection(this.#ports[id]!)
    this.#connections.set(name, made)
    return made
  }

  /** Makes a topic and waits until each of its partitions answers. Returns its name. */
  async topic(name: string, { partitions = 1, configs = {} }: TopicOptions = {}): Promise<string> {
    const own = this.own(name)
    const wishes = Object.entries(configs).map(([of, value]) => ({ name: of, value }))
    const topic = { name: own, numPartitions: partitions, replicationFactor: 1, configs: wishes }
    const body = { topics: [topic], timeoutMs: 30_000 }
    const answer = await this.request(createTopics, 7, body)
    const error = pick(answer, 'topics', 0, 'errorCode')
    if (error !== 0) throw new Error(`${own} could not be made: ${JSON.stringify(answer)}`)
    await this.served(own, partitions)
    return own
  }

  /** The topic's name with the id that it has now. */
  async named(topic: string): Promise<NamedTopic> {
    const body = { topics: [{ name: topic }], allowAutoTopicCreation: false }
    const answer = await this.request(metadata, 12, body)
    return { name: topic, topicId: pickText(answer, 'topics', 0, 'topicId') }
  }

  /** Deletes a topic, and waits until nothing is left of it. */
  async removed(topic: string): Promise<void> {
    await this.request(deleteTopics, 5, { topicNames: [topic], timeoutMs: 30_000 })
    await this.seen(topic, false)
    await this.settle()
  }

  /** Waits until every partition of a topic answers. */
  async served(topic: string, partitions: number): Promise<void> {
    const all = Array.from({ length: partitions }, (_, partitionIndex) => {
      return { partitionIndex, timestamp: -1 }
    })
    const body = { replicaId: -1, topics: [{ name: topic, partitions: all }] }
    await this.until(`${topic} is served`, async () => {
      const answer = await this.request(listOffsets, 7, body)
      const found = pick(answer, 'topics', 0, 'partitions') as readonly Json[]
      return found.every(partition => pick(partition, 'errorCode') === 0)
    })
  }

  /**
   * Waits until the broker has taken in every change that was confirmed before: a config changes after them, in the same
   * log, and is seen to have changed. Twice, for the first time it may still be at work on what stood beside it.
   */
  async settle(): Promise<void> {
    for (const round of [1, 2]) {
      const value = String(round + 2 * settles++ + 1_000_000)
      const configs = [{ name: 'max.message.bytes', configOperation: 0, value }]
      const resource = { resourceType: 2, resourceName: fenceTopic, configs }
      await this.request(incrementalAlterConfigs, 1, { resources: [resource] })
      const asked = { resourceType: 2, resourceName: fenceTopic, configurationKeys: null }
      await this.until(`the fence is at ${value}`, async () => {
        const answer = await this.request(describeConfigs, 4, { resources: [asked] })
        const found = pick(answer, 'results', 0, 'configs') as readonly Json[]
        return found.some(config => pick(config, 'value') === value)
      })
    }
  }

  /** Waits until a topic that was created or deleted is there, or is not. */
  async seen(topic: string, isThere: boolean): Promise<void> {
    const body = { topics: [{ name: topic }], allowAutoTopicCreation: false }
    await this.until(`${topic} is ${isThere ? 'there' : 'gone'}`, async () => {
      const answer = await this.request(metadata, 12, body)
      return (pick(answer, 'topics', 0, 'errorCode') === 0) === isThere
    })
  }

  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (const deadlineMs = Date.now() + settledMsMax; !(await isSo());) {
      if (Date.now() > deadlineMs) throw new Error(`${this.#name}: it is not true that ${what}`)
      await sleep(pollMs)
    }
  }

  /** Keeps an answer for the comparison, masked. Of lists of everything that is there only what is this scenario's own. */
  keep(label: string, api: Api, answer: Json, body: Message): void {
    const named = JSON.stringify(body, (_, of: unknown) => (typeof of === 'bigint' ? 0 : of))
    const isMine = (name: string): boolean => {
      return name.startsWith(this.own('')) || named.includes(JSON.stringify(name))
    }
    this.note(label, masked(api.name, answer, isMine))
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close()
  }
}

/** As versions with names and those with ids in their place ask for it. */
export interface NamedTopic {
  readonly name: string
  readonly topicId: string
}

/** Of this process, so that no two of a broker's fences are at the same. */
let settles = 0

interface Changed {
  readonly api: Api
  readonly version: number
  readonly body: Message
  /** The version that the answer has where it is not the request's. */
  readonly answeredIn?: number
}

interface TopicOptions {
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
}

/** What stands at a place of an answer; null where there is no such place. */
export function pick(answer: Json, ...path: readonly (string | number)[]): Json {
  let at: Json | undefined = answer
  for (const step of path) {
    if (typeof step === 'number') at = isList(at) ? at[step] : undefined
    else at = isStruct(at) ? at[step] : undefined
  }
  return at ?? null
}

/** The text at a place of an answer; empty where there is none. */
export function pickText(answer: Json, ...path: readonly (string | number)[]): string {
  const found = pick(answer, ...path)
  return typeof found === 'string' ? found : ''
}
