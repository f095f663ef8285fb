import { expect, test } from 'vitest'
import { withBroker } from '../helpers/broker.ts'
import { evict } from '../helpers/page-cache.ts'
import { partitionFolder } from '../helpers/segments.ts'
import { WireClient } from '../helpers/wire-client.ts'
import { batchOf, fill, kibibyte, mebibyte, readAll } from './load.ts'
import { describeNeeding } from './needs.ts'

const batchCount = 64
/** More than the addon has threads for cold ranges. */
const slowReaderCount = 24
const roundTrips = 200

describeNeeding(['addon', 'device'], 'cold readers', () => {
  test('that take nothing hold up neither the tail nor other cold readers', () =>
    withBroker({}, async broker => {
      using producer = await WireClient.connect(broker.port, { timeoutMs: 30_000 })
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
          const client = await WireClient.connect(broker.port, { timeoutMs: 60_000 })
          client.pause()
          return { client, answer: client.fetch(history, 0, { maxBytes: 32 * mebibyte }) }
        }),
      )
      const batch = batchOf(16 * kibibyte)
      using consumer = await WireClient.connect(broker.port, { timeoutMs: 30_000 })
      for (let at = 0; at < roundTrips; at++) {
        const coming = consumer.fetch(tail, at, { waitMs: 10_000 })
        expect((await producer.produce(tail, batch)).errorCode).toBe(0)
        expect((await coming).records.length).toBe(batch.length)
      }
      expect(await readAll(consumer, other, batchCount, mebibyte)).toBe(batchCount * mebibyte)
      // Nobody was done in the meantime: each has most of its answer still to come.
      expect(slow.map(({ client }) => client.openCount)).toEqual(slow.map(() => 1))
      expect(await broker.metric('logcluster_connections')).toBe(slowReaderCount + 2)

      for (const { client, answer } of slow.slice(0, 4)) {
        client.resume()
        expect((await answer).records.length).toBe(32 * mebibyte)
      }
      for (const { client, answer } of slow) {
        client.close()
        await answer.catch(() => {})
      }
    }))
})
