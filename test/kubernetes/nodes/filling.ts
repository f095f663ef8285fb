import { errorName } from '../../../src/broker/wire/errors.ts'
import {
  batchOverheadBytes,
  encodeBatch,
  readBatchHeader,
} from '../../../src/broker/log/batch/batch.ts'
import { BrokerClient } from '../../helpers/broker-client.ts'
import { sharedAccess } from './shared.ts'
import type { Several } from './several.ts'

/** Just below what a broker takes at a time by default. */
const batchBytes = 1 << 20
const recordBytes = 16_000
const recordCount = 64
/** Where in a batch that begins what is as the client wrote it: before it are offset and epoch, which the broker stamps. */
const writtenAt = 17

/** A topic that is filled with the same batch again and again, of about 1 MiB, and read back. */
export class Filling {
  readonly #orders: Several
  readonly #topic: string
  readonly #batch: Uint8Array

  constructor(orders: Several, topic: string) {
    this.#orders = orders
    this.#topic = topic
    const value = 'x'.repeat(recordBytes)
    const records = Array.from({ length: recordCount }, () => ({ value }))
    this.#batch = encodeBatch({ records, baseTimestamp: Date.now() })
  }

  /** Appends so many batches to each partition, one after another in each, acknowledged by all that are in sync. */
  async write(batchCount: number): Promise<void> {
    await this.#each(async (leader, partition) => {
      for (let at = 0; at < batchCount; at++) {
        const { errorCode } = await leader.produce(partition, this.#batch)
        if (errorCode !== 0) throw new Error(errorName(errorCode))
      }
    })
  }

  /** How many batches each partition has, from its leader. @throws Error where one is not as it was written */
  async read(): Promise<readonly number[]> {
    const counts: number[] = []
    await this.#each(async (leader, partition) => {
      let count = 0
      for (;;) {
        const maxBytes = 2 * batchBytes
        const answer = await leader.fetch(partition, count * recordCount, { maxBytes })
        if (answer.errorCode !== 0) throw new Error(errorName(answer.errorCode))
        const whole = this.#count(answer.records)
        if (whole === 0) break
        count += whole
      }
      counts[partition.partition] = count
    })
    return counts
  }

  /** Whole batches in an answer; the last one may be cut short. */
  #count(bytes: Uint8Array): number {
    let count = 0
    for (let at = 0; at + batchOverheadBytes <= bytes.length; count++) {
      const end = at + readBatchHeader(bytes, at).sizeBytes
      if (end > bytes.length) break
      const found = Buffer.from(
        bytes.buffer,
        bytes.byteOffset + at + writtenAt,
        end - at - writtenAt,
      )
      if (found.compare(this.#batch, writtenAt) !== 0) {
        throw new Error(`batch ${count} of an answer of ${this.#topic} is not as it was written`)
      }
      at = end
    }
    return count
  }

  /** For all partitions at the same time, each with a connection to its leader. */
  async #each(
    act: (leader: BrokerClient, partition: { topic: string; partition: number }) => Promise<void>,
  ): Promise<void> {
    const { names } = sharedAccess()
    using first = await this.#orders.connect()
    const { topics, brokers } = await first.metadata([this.#topic])
    await Promise.all(
      topics[0]!.partitions.map(async ({ partitionIndex, leaderId }) => {
        const { host, port } = brokers.find(({ nodeId }) => nodeId === leaderId)!
        using leader = await BrokerClient.connect(port, { host: await names.resolve(host) })
        await act(leader, { topic: this.#topic, partition: partitionIndex })
      }),
    )
  }
}
