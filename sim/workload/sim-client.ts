import { sleep } from '../../src/env/clock.ts'
import type { Env } from '../../src/env/env.ts'
import type { WireClient } from '../../src/broker/wire/client/client.ts'
import { Connections } from '../../src/broker/wire/client/connections.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import { metadata } from '../../src/broker/wire/messages/index.ts'
import { zeroUuid } from '../../src/lib/uuid.ts'
import { AnsweredError } from '../../src/broker/wire/client/client-error.ts'
import type { World } from '../cluster/world.ts'

/** Where a partition is led, as the last Metadata said. */
export interface Led {
  readonly topicId: string
  readonly leader: number
  readonly leaderEpoch: number
}

const requestTimeoutMs = 5000

/** A client program in a simulated cluster: its connections, and what it knows of leaders. */
export class SimClient {
  readonly name: string
  readonly env: Pick<Env, 'clock' | 'network' | 'random'>
  readonly connections: Connections
  readonly #brokers = new Map<number, { readonly host: string; readonly port: number }>()
  readonly #led = new Map<string, Led>()
  /** The newest leader epoch that any Metadata told, by topic id and partition. */
  readonly #newest = new Map<string, number>()
  #isStopped = false

  constructor(world: World, name: string) {
    this.name = name
    this.env = world.client(name)
    const bootstrap = world.nodes.map(({ host }) => ({ host, port: 9092 }))
    // Not all of them begin with the first.
    const first = world.prng.below(bootstrap.length)
    this.connections = new Connections(this.env, {
      bootstrap: [...bootstrap.slice(first), ...bootstrap.slice(0, first)],
      client: { clientId: name, requestTimeoutMs, connectTimeoutMs: 2000 },
    })
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  stop(): void {
    this.#isStopped = true
    this.connections.close()
  }

  pause(ms: number): Promise<void> {
    return sleep(this.env.clock, ms)
  }

  /** Rejects where nobody leads it, or nobody can be asked. */
  async leaderOf(
    topic: string,
    partition: number,
  ): Promise<{ readonly client: WireClient; readonly led: Led }> {
    const key = `${topic}-${partition}`
    let led = this.#led.get(key)
    if (led === undefined) {
      await this.#refresh(topic)
      led = this.#led.get(key)
      if (led === undefined) throw new AnsweredError('LEADER_NOT_AVAILABLE', key)
    }
    return { client: await this.broker(led.leader), led }
  }

  broker(id: number): Promise<WireClient> {
    const address = this.#brokers.get(id)
    if (address === undefined) {
      return Promise.reject(new AnsweredError('BROKER_NOT_AVAILABLE', `broker ${id}`))
    }
    return this.connections.at(address)
  }

  /** What is known of the topic's leaders is not true any more. */
  forget(topic: string): void {
    for (const key of this.#led.keys()) if (key.startsWith(`${topic}-`)) this.#led.delete(key)
  }

  /** A broker that was stopped for a while knows an earlier leader: clients do not go back to it (KIP-320). */
  #isOld(key: string, leaderEpoch: number): boolean {
    const newest = this.#newest.get(key) ?? -1
    if (leaderEpoch > newest) this.#newest.set(key, leaderEpoch)
    return leaderEpoch < newest
  }

  async #refresh(topic: string): Promise<void> {
    const any = await this.connections.any()
    const answer = await any.request(metadata, {
      topics: [{ name: topic, topicId: zeroUuid }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, { host, port })
    for (const found of answer.topics) {
      if (found.errorCode !== 0) throw new AnsweredError(errorName(found.errorCode), topic)
      for (const { partitionIndex, leaderId, leaderEpoch } of found.partitions) {
        if (leaderId === -1 || this.#isOld(`${found.topicId} ${partitionIndex}`, leaderEpoch))
          continue
        const led = { topicId: found.topicId, leader: leaderId, leaderEpoch }
        this.#led.set(`${topic}-${partitionIndex}`, led)
      }
    }
  }
}
