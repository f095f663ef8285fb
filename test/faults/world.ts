import { setTimeout as sleep } from 'node:timers/promises'
import { deferred } from '../../src/lib/deferred.ts'
import type { Prng } from '../../src/lib/prng.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { errorClassOf } from '../../src/broker/wire/client/client-error.ts'
import type { Ledger, PartitionKey } from './ledger.ts'

/** What all workers of a run share: the broker that comes and goes, the ledger, and when to end. */
export class World {
  readonly ledger: Ledger
  readonly random: Prng
  /** Nothing new is begun; what was sent is brought to its end. */
  isDraining = false
  /** Members only heartbeat: what they have stays what it is, so that damage to it is always seen. */
  isCalm = false
  /** Batches that went out more than once. */
  resentBatches = 0
  readonly producerIds = new Set<number>()
  #port: number | null = null
  #up = deferred<number>()
  #isOver = false

  constructor(ledger: Ledger, random: Prng) {
    this.ledger = ledger
    this.random = random
  }

  isUp(port: number): void {
    this.#port = port
    this.#up.resolve(port)
  }

  isDown(): void {
    if (this.#port === null) return
    this.#port = null
    this.#up = deferred()
  }

  /** Workers that wait for a broker wait no more. */
  end(): void {
    this.#isOver = true
    this.#up.resolve(-1)
  }

  /**
   * Works on a connection, and after a lost one on a new one, until `act` came to its end or the world has. What
   * else goes wrong is the run's failure.
   */
  async persist(clientId: string, act: (client: BrokerClient) => Promise<void>): Promise<void> {
    while (true) {
      const port = await this.#up.promise
      if (this.#isOver) return
      let client: BrokerClient | null = null
      try {
        client = await BrokerClient.connect(port, { clientId, timeoutMs: 30_000 })
        return await act(client)
      } catch (error) {
        if (errorClassOf(error) === 'final') throw error
        await sleep(1)
      } finally {
        client?.close()
      }
    }
  }

  async newProducerId(client: BrokerClient): Promise<number> {
    const { errorCode, producerId } = await client.initProducerId()
    if (errorCode !== 0) {
      this.ledger.violation('answer', `InitProducerId answered ${errorCode}`)
    } else if (this.producerIds.has(producerId)) {
      this.ledger.violation('producer-id', `producer id ${producerId} was given twice`)
    }
    this.producerIds.add(producerId)
    return producerId
  }
}

/** A topic that is created again has the name of the former, and another id. */
export function keyOf(of: { topic: string; partition: number; id: string }): PartitionKey {
  return `${of.topic}-${of.partition}/${of.id}`
}

/** A partition with the id of its topic. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly key: PartitionKey
}
