import { setTimeout as sleep } from 'node:timers/promises'
import type { BrokerClient } from '../helpers/broker-client.ts'
import type { Writer } from './ledger.ts'
import { sendOnce } from './producers.ts'
import { keyOf, type Place, type World } from './world.ts'

/** Creates, fills and deletes topics, and knows which of them have to be there. */
export class TopicChurn {
  readonly #world: World
  readonly #writer: Writer
  /** By name. */
  readonly #topics = new Map<string, Topic>()
  readonly #idsSeen = new Set<string>()
  #count = 0
  createdCount = 0
  deletedCount = 0

  constructor(world: World) {
    this.#world = world
    this.#writer = world.ledger.addWriter('churn', false)
  }

  run(): Promise<void> {
    const { random } = this.#world
    return this.#world.persist('churn', async client => {
      while (!this.#world.isDraining) {
        const there = this.#there()
        const choice = random.below(10)
        if (there.length < 3 || (choice < 3 && there.length < aliveMax)) await this.#create(client)
        else if (choice < 5) await this.#delete(client, random.pick(there))
        else if (choice < 6) await this.#world.newProducerId(client)
        else await this.#fill(client, random.pick(there))
        await sleep(random.below(10))
      }
    })
  }

  get changeCount(): number {
    return this.createdCount + this.deletedCount
  }

  /** Partitions of all topics that are there. */
  places(): Place[] {
    return this.#there().flatMap(topic => placesOf(topic))
  }

  /**
   * After a start: what was acknowledged has to be so; what was under way is settled by what is there now, for the
   * process that it was under way in is dead.
   */
  async settle(client: BrokerClient): Promise<void> {
    const { topics } = await client.metadata()
    const found = new Map(topics.map(topic => [topic.name ?? '', topic.topicId]))
    for (const topic of this.#topics.values()) this.#settleOne(topic, found.get(topic.name) ?? null)
    for (const name of found.keys()) {
      if (name.startsWith('churn-') && !this.#topics.has(name)) {
        this.#world.ledger.violation('topic', `${name} is there and was never asked for`)
      }
    }
  }

  #settleOne(topic: Topic, foundId: string | null): void {
    const { ledger } = this.#world
    const { name, state, id } = topic
    if (state === 'there' && foundId === null) {
      ledger.violation('topic', `${name} was created, and is gone`)
    } else if (state === 'gone' && foundId !== null) {
      ledger.violation('topic', `${name} was deleted, and is there`)
    } else if (foundId !== null && id !== null && foundId !== id) {
      ledger.violation('topic', `${name} was ${id}, and is ${foundId}`)
    }
    if (foundId === null) this.#isGone(topic)
    else this.#isThere(topic, foundId)
  }

  async #create(client: BrokerClient): Promise<void> {
    const { random } = this.#world
    const gone = [...this.#topics.values()].filter(({ state }) => state === 'gone')
    const again = gone.length > 0 && random.chance(1, 3) ? random.pick(gone) : null
    const name = again?.name ?? `churn-${++this.#count}`
    const partitions = 1 + random.below(3)
    const topic: Topic = { name, id: null, state: 'unknown', partitions }
    this.#topics.set(name, topic)
    const configs = random.chance(1, 2) ? { 'internal.segment.bytes': '4096' } : {}
    const { topics } = await client.createTopics([{ name, partitions, configs }])
    const [answer] = topics
    if (answer?.errorCode !== 0) {
      const text = `CreateTopics of ${name}: ${answer?.errorCode} ${answer?.errorMessage}`
      this.#world.ledger.violation('answer', text)
      return
    }
    this.createdCount++
    if (this.#idsSeen.has(answer.topicId)) {
      this.#world.ledger.violation('topic', `${name} got the id of a topic before it`)
    }
    this.#isThere(topic, answer.topicId)
    await this.#mustBeEmpty(client, placesOf(topic)[0]!)
  }

  async #delete(client: BrokerClient, topic: Topic): Promise<void> {
    topic.state = 'unknown'
    const { responses } = await client.deleteTopics([topic.name])
    if (responses[0]?.errorCode !== 0) {
      const text = `DeleteTopics of ${topic.name}: ${responses[0]?.errorCode}`
      this.#world.ledger.violation('answer', text)
      return
    }
    this.deletedCount++
    this.#isGone(topic)
  }

  async #fill(client: BrokerClient, topic: Topic): Promise<void> {
    const place = this.#world.random.pick(placesOf(topic))
    await sendOnce({ world: this.#world, client, writer: this.#writer }, place)
  }

  async #mustBeEmpty(client: BrokerClient, place: Place): Promise<void> {
    const { errorCode, offset } = await client.listOffset(place, -1)
    if (errorCode === 0 && offset === 0) return
    const text = `${place.topic} was just created: error ${errorCode}, end offset ${offset}`
    this.#world.ledger.violation('topic', text)
  }

  #there(): Topic[] {
    return [...this.#topics.values()].filter(({ state }) => state === 'there')
  }

  #isThere(topic: Topic, id: string): void {
    topic.state = 'there'
    topic.id = id
    this.#idsSeen.add(id)
  }

  #isGone(topic: Topic): void {
    for (const { key } of placesOf(topic)) this.#world.ledger.forget(key)
    topic.state = 'gone'
    topic.id = null
  }
}

interface Topic {
  readonly name: string
  id: string | null
  /** unknown: creation or deletion is under way. */
  state: 'unknown' | 'there' | 'gone'
  readonly partitions: number
}

const aliveMax = 8

function placesOf({ name, id, partitions }: Topic): Place[] {
  return Array.from({ length: partitions }, (_, partition) => {
    return { topic: name, partition, key: keyOf({ topic: name, partition, id: id ?? '' }) }
  })
}
