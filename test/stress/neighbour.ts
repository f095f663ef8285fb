import { setTimeout as sleep } from 'node:timers/promises'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { findCoordinator, offsetCommit, offsetFetch } from '../../src/broker/wire/messages/index.ts'
import { BrokerClient, type PartitionId } from '../helpers/broker-client.ts'

/**
 * A client that does nothing wrong and goes on all the time: it writes a record, reads it back, commits the
 * offset, and reads that back. Whatever does not come out as it must ends it, and is its failure.
 */
export class Neighbour {
  readonly place: PartitionId
  readonly group: string
  readonly #client: BrokerClient
  readonly #pauseMs: number
  readonly #ended: Promise<void>
  #isStopping = false
  #isResting = false
  /** Times that it was served all of that. */
  rounds = 0
  failure: Error | null = null

  static async join(
    port: number,
    { name = 'neighbour', pauseMs = 5 }: { name?: string; pauseMs?: number } = {},
  ): Promise<Neighbour> {
    const client = await BrokerClient.connect(port, { clientId: name, timeoutMs: 60_000 })
    const { topics } = await client.createTopics([{ name }])
    if (topics[0]!.errorCode !== 0) throw new Error(`${name}: ${topics[0]!.errorMessage}`)
    // Asking for the coordinator brings the offsets topic about.
    const asked = { key: `${name}-group`, keyType: 0, coordinatorKeys: [] }
    await client.request(findCoordinator, 2, asked)
    const neighbour = new Neighbour(client, name, pauseMs)
    await neighbour.more(1)
    return neighbour
  }

  private constructor(client: BrokerClient, name: string, pauseMs: number) {
    this.#client = client
    this.place = { topic: name, partition: 0 }
    this.group = `${name}-group`
    this.#pauseMs = pauseMs
    this.#ended = this.#run()
  }

  /** Resolves when it was served `rounds` more times; rejects where it was not served. No clock decides here. */
  async more(rounds: number): Promise<void> {
    const target = this.rounds + rounds
    while (this.rounds < target) {
      if (this.failure !== null) throw this.failure
      await sleep(2)
    }
  }

  /** Asks for nothing while `act` looks at a broker that is idle. */
  async rest<T>(act: () => Promise<T>): Promise<T> {
    this.#isResting = true
    try {
      return await act()
    } finally {
      this.#isResting = false
    }
  }

  /** Ends it. Throws what went wrong, if anything did. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#ended
    this.#client.close()
    if (this.failure !== null) throw this.failure
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isStopping) {
        await this.#round()
        this.rounds++
        do await sleep(this.#pauseMs)
        while (this.#isResting)
      }
    } catch (error) {
      this.failure = new Error(`${this.place.topic} was not served after ${this.rounds} rounds`, {
        cause: error,
      })
    }
  }

  async #round(): Promise<void> {
    const offset = this.rounds
    const value = `record ${offset} of ${this.place.topic}`
    const produced = await this.#client.produce(
      this.place,
      encodeBatch({ records: [{ value }], baseTimestamp: Date.now() }),
    )
    mustBe('produced', [produced.errorCode, produced.baseOffset], [0, offset])
    const { errorCode, records } = await this.#client.fetch(this.place, offset)
    mustBe('fetched', [errorCode, Buffer.from(records).includes(value)], [0, true])
    mustBe('committed', await this.#commitAtLast(offset), 0)
    mustBe('committed offset', await this.#committed(), offset)
  }

  /** As any client does, it asks again while the coordinator is still coming up. */
  async #commitAtLast(offset: number): Promise<number | undefined> {
    for (let tries = 0; ; tries++) {
      const code = await this.#commit(offset)
      if (![14, 15, 16].includes(code ?? 0) || tries >= 1000) return code
      await sleep(50)
    }
  }

  async #commit(committedOffset: number): Promise<number | undefined> {
    const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: null }]
    const answer = await this.#client.request(offsetCommit, 7, {
      groupId: this.group,
      memberId: '',
      topics: [{ name: this.place.topic, partitions }],
    })
    return answer.topics[0]?.partitions[0]?.errorCode
  }

  async #committed(): Promise<number | undefined> {
    const answer = await this.#client.request(offsetFetch, 5, {
      groupId: this.group,
      topics: [{ name: this.place.topic, partitionIndexes: [0] }],
      groups: [],
      requireStable: false,
    })
    const found = answer.topics[0]?.partitions[0]
    return found === undefined ? undefined : Number(found.committedOffset)
  }
}

function mustBe(what: string, found: unknown, expected: unknown): void {
  if (JSON.stringify(found) === JSON.stringify(expected)) return
  throw new Error(`${what}: ${JSON.stringify(found)} in place of ${JSON.stringify(expected)}`)
}
