import { setTimeout as sleep } from 'node:timers/promises'
import { errorClassOf, refuseErrors } from '../../src/broker/wire/client/client-error.ts'
import type { Prng } from '../../src/lib/prng.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import type { Ledger } from '../faults/ledger.ts'
import type { Place } from '../faults/world.ts'

/** `HOST:PORT`. */
export type Address = string

/** What all clients of a run share: where brokers may be, the ledger, and when to end. */
export class ChaosWorld {
  readonly ledger: Ledger
  readonly random: Prng
  readonly #bootstrap: readonly Address[]
  /** Nothing new is begun; what was sent is brought to its end. */
  isDraining = false
  /** What a client met last, by its name: said where a run does not come to its end. */
  readonly troubles = new Map<string, string>()
  #isOver = false

  constructor(ledger: Ledger, random: Prng, bootstrap: readonly Address[]) {
    this.ledger = ledger
    this.random = random
    this.#bootstrap = bootstrap
  }

  /** Whoever tries again does so no more, nor begins anything new: that would be in vain, without a pause, for ever. */
  end(): void {
    this.isDraining = true
    this.#isOver = true
  }

  /** Works on a connection to the partition's leader, as `persist` does. */
  onLeader(
    clientId: string,
    place: Place,
    act: (client: BrokerClient) => Promise<void>,
  ): Promise<void> {
    return this.persist(clientId, () => this.leaderOf(place), act)
  }

  /**
   * Works on a connection to wherever `find` says, and after whatever may pass looks and works anew, until `act` came to
   * its end or the world has. What does not pass is the run's failure.
   */
  async persist(
    clientId: string,
    find: () => Promise<Address>,
    act: (client: BrokerClient) => Promise<void>,
  ): Promise<void> {
    while (!this.#isOver) {
      let client: BrokerClient | null = null
      try {
        client = await connect(await find(), clientId)
        await act(client)
        this.troubles.delete(clientId)
        return
      } catch (error) {
        if (errorClassOf(error) === 'final') throw error
        this.troubles.set(clientId, String(error))
        await sleep(20 + this.random.below(80))
      } finally {
        client?.close()
      }
    }
  }

  /** One broker's word, whichever is asked: it may be one that does not know yet. */
  async leaderOf({ topic, partition }: Place): Promise<Address> {
    const { topics, brokers } = await this.ask(client => client.metadata([topic]))
    refuseErrors(topics[0]!.errorCode, topic)
    const found = topics[0]!.partitions.find(one => one.partitionIndex === partition)
    refuseErrors(found?.errorCode ?? unknownPartition, `${topic}-${partition}`)
    const leader = brokers.find(({ nodeId }) => nodeId === found!.leaderId)
    if (leader === undefined) refuseErrors(noLeader, `${topic}-${partition}`)
    return `${leader!.host}:${leader!.port}`
  }

  /** Asks one broker, whichever it is. */
  async ask<Answer>(act: (client: BrokerClient) => Promise<Answer>): Promise<Answer> {
    using client = await connect(this.random.pick(this.#bootstrap), 'chaos-asks')
    return await act(client)
  }
}

/** An answer later than this is none. Shorter than a broker's session: a client looks elsewhere first. */
const answerMsMax = 3_000
const unknownPartition = 3
const noLeader = 5

export function connect(address: Address, clientId: string): Promise<BrokerClient> {
  const { hostname, port } = new URL(`tcp://${address}`)
  return BrokerClient.connect(Number(port), { host: hostname, clientId, timeoutMs: answerMsMax })
}
