import { expect } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import type { TestBroker } from '../helpers/broker.ts'
import { type PartitionId, BrokerClient } from '../helpers/broker-client.ts'

/** A client that does nothing wrong, on one connection, and must never notice that others do. */
export class Bystander {
  readonly place: PartitionId
  readonly #client: BrokerClient
  readonly #pid: number
  readonly #broker: TestBroker
  #end = 0

  static async join(broker: TestBroker, topic = 'bystander'): Promise<Bystander> {
    const client = await BrokerClient.connect(broker.port, { clientId: 'bystander' })
    const { topics } = await client.createTopics([{ name: topic }])
    expect(topics[0]!.errorCode).toBe(0)
    return new Bystander(broker, client, { topic, partition: 0 })
  }

  private constructor(broker: TestBroker, client: BrokerClient, place: PartitionId) {
    this.#broker = broker
    this.#client = client
    this.#pid = broker.pid
    this.place = place
  }

  /** The offset after its last record. */
  get end(): number {
    return this.#end
  }

  /** Writes one record and reads it back, on the connection and in the process of the beginning. */
  async isServed(): Promise<void> {
    const value = `record ${this.#end}`
    const batch = encodeBatch({ records: [{ value }] })
    const produced = await this.#client.produce(this.place, batch)
    expect(produced).toMatchObject({ errorCode: 0, baseOffset: this.#end })
    const { errorCode, records } = await this.#client.fetch(this.place, this.#end)
    expect(errorCode).toBe(0)
    expect(Buffer.from(records).includes(value)).toBe(true)
    expect(this.#broker.pid).toBe(this.#pid)
    this.#end++
  }

  leave(): void {
    this.#client.close()
  }
}
