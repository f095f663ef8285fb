import { expect, test } from 'vitest'
import { withBroker } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'
import { evict } from '../helpers/page-cache.ts'
import { partitionFolder } from '../helpers/segments.ts'
import { BrokerClient, fetchRequest } from '../helpers/broker-client.ts'
import { RawClient } from '../helpers/raw-client.ts'
import { fetch } from '../../src/broker/wire/messages/index.ts'
import { batchOf, fill, kibibyte, mebibyte, readAll } from './load.ts'
import { describeNeeding } from './needs.ts'

const batchCount = 64
/** More than the addon has threads for cold ranges. */
const slowReaderCount = 24
const roundTrips = 200

describeNeeding(['addon', 'device'], 'cold readers', () => {
  test('that take nothing hold up neither the tail nor other cold readers', () =>
    withBroker({}, async broker => {
      using producer = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
      const history = { topic: 'history', partition: 0 }
      const other = { topic: 'history', partition: 1 }
      const tail = { topic: 'tail', partition: 0 }
      await producer.createTopics([{ name: 'history', partitions: 2 }, { name: 'tail' }])
      for (const to of [history, other]) await fill(producer, to, batchOf(mebibyte), batchCount)
      for (const { topic, partition } of [history, other]) {
        await evict(partitionFolder(broker.dataDir, topic, partition))
      }

      const slow = await Promise.all(
        Array.from({ length: slowReaderCount }, async () => {
          const client = await RawClient.connect(broker.port, { timeoutMs: 60_000 })
          client.pause()
          const request = fetchRequest(history, 0, { maxBytes: 32 * mebibyte })
          return { client, answer: client.ask(fetch, 12, request) }
        }),
      )
      const batch = batchOf(16 * kibibyte)
      using consumer = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
      for (let at = 0; at < roundTrips; at++) {
        const coming = consumer.fetch(tail, at, { waitMs: 10_000 })
        expect((await producer.produce(tail, batch)).errorCode).toBe(0)
        expect((await coming).records.length).toBe(batch.length)
      }
      expect(await readAll(consumer, other, batchCount, mebibyte)).toBe(batchCount * mebibyte)
      // Nobody was done in the meantime: each has most of its answer still to come.
      expect(slow.map(({ client }) => client.openCount)).toEqual(slow.map(() => 1))
      const connections = () => broker.metric('logcluster_connections')
      await eventually('connections', connections, count => count === slowReaderCount + 2)

      for (const { client, answer } of slow.slice(0, 4)) {
        client.resume()
        const { responses } = await answer
        expect(responses[0]!.partitions[0]!.records).toHaveLength(32 * mebibyte)
      }
      for (const { client, answer } of slow) {
        client.close()
        await answer.catch(() => {})
      }
    }))
})
