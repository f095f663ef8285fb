import { expect, test } from 'vitest'
import type { Draft } from '../../src/broker/wire/field.ts'
import { produce } from '../../src/broker/wire/messages/index.ts'
import { withBroker, type TestBroker } from '../helpers/broker.ts'
import { measuredAgain } from '../helpers/eventually.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { batchOf, kibibyte, pipelined } from './load.ts'
import { describeNeeding } from './needs.ts'

/** A producer's default, `batch.size`. */
const batchBytes = 16 * kibibyte
const batchesPerRequest = 16
const requestsPerRun = 128
const runsPerRound = 5

/** A producer whose requests, all of one size and of as many batches, go round the partitions of a topic. */
class Producer {
  readonly #client: BrokerClient
  readonly #requests: readonly Draft<typeof produce.request>[]

  static async connect(broker: TestBroker, partitionCount: number): Promise<Producer> {
    const client = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
    const topic = `over-${partitionCount}`
    await client.createTopics([{ name: topic, partitions: partitionCount }])
    return new Producer(client, topic, partitionCount)
  }

  private constructor(client: BrokerClient, topic: string, partitionCount: number) {
    const records = batchOf(batchBytes)
    this.#client = client
    this.#requests = Array.from({ length: partitionCount / batchesPerRequest }, (_, group) => {
      const partitionData = Array.from({ length: batchesPerRequest }, (_each, at) => ({
        index: group * batchesPerRequest + at,
        records,
      }))
      return { acks: 1, timeoutMs: 30_000, topicData: [{ name: topic, partitionData }] }
    })
  }

  /** Bytes per millisecond of one run, four requests in flight. */
  async run(): Promise<number> {
    const began = performance.now()
    await pipelined(requestsPerRun, 4, at => this.#send(at))
    const bytes = requestsPerRun * batchesPerRequest * batchBytes
    return bytes / (performance.now() - began)
  }

  async #send(at: number): Promise<void> {
    const request = this.#requests[at % this.#requests.length]!
    const answer = await this.#client.request(produce, 9, request)
    for (const { errorCode } of answer.responses[0]!.partitionResponses) expect(errorCode).toBe(0)
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!
}

describeNeeding(['addon', 'device'], 'many partitions', () => {
  // A ratio of two throughputs measured in turn, by medians: what else the machine does meets both. Where it falls
  // short it is measured again: partitions that cost do so each time, a burst of noise does not last.
  test('256 take at least half of what 16 take', () =>
    withBroker({}, async broker => {
      using few = await Producer.connect(broker, 16)
      using many = await Producer.connect(broker, 256)
      for (const each of [few, many]) await each.run()
      const measure = async (): Promise<number> => {
        const ofFew: number[] = []
        const ofMany: number[] = []
        for (let at = 0; at < runsPerRound; at++) {
          ofFew.push(await few.run())
          ofMany.push(await many.run())
        }
        const told = [median(ofFew), median(ofMany)].map(it => `${Math.round(it / 1000)} MB/s`)
        console.log(`16 partitions ${told[0]}, 256 partitions ${told[1]}`)
        return median(ofMany) / median(ofFew)
      }
      await measuredAgain('throughput of 256 partitions by that of 16', measure, it => it >= 0.5)
    }))
})
