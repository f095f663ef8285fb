import { expect, test } from 'vitest'
import { withBroker, type TestBroker } from '../helpers/broker.ts'
import { metricsOf, sumOf } from '../helpers/metrics.ts'
import { evict } from '../helpers/page-cache.ts'
import { partitionFolder } from '../helpers/segments.ts'
import { WireClient } from '../helpers/wire-client.ts'
import { batchOf, fill, mebibyte, readAll, until } from './load.ts'
import { describeNeeding } from './needs.ts'

const from = { topic: 'history', partition: 0 }
const batchCount = 256
const totalBytes = batchCount * mebibyte

/** Sent and hit bytes of a read of the whole topic, by the broker's own metrics. */
async function readMeasured(broker: TestBroker): Promise<{ sent: number; ratio: number }> {
  const before = await metricsOf(broker)
  using client = await WireClient.connect(broker.port)
  expect(await readAll(client, from, batchCount, mebibyte)).toBe(totalBytes)
  const after = await metricsOf(broker)
  const grown = (name: string): number => {
    const at = (samples: typeof after) => sumOf(samples, name, { topic: from.topic })
    return at(after) - (Number.isNaN(at(before)) ? 0 : at(before))
  }
  const sent = grown('logcluster_page_cache_sent_bytes_total')
  return { sent, ratio: grown('logcluster_page_cache_hit_bytes_total') / sent }
}

describeNeeding(['addon', 'device'], 'page-cache hit ratio', () => {
  // The evicted half is the file's second, cut at a multiple of 2 MiB: no folio crosses it, and read-ahead,
  // which never goes backwards, stays inside it.
  test('is what the page cache had: all, half, nothing', () =>
    withBroker({}, async broker => {
      using client = await WireClient.connect(broker.port)
      await client.createTopics([{ name: from.topic }])
      await fill(client, from, batchOf(mebibyte), batchCount)
      await until('everything is durable', async () => {
        return sumOf(await metricsOf(broker), 'logcluster_unflushed_bytes') === 0
      })
      const folder = partitionFolder(broker.dataDir, from.topic, from.partition)

      const hot = await readMeasured(broker)
      await evict(folder, 0.5)
      const half = await readMeasured(broker)
      await evict(folder)
      const cold = await readMeasured(broker)

      console.log(`hit ratio: hot ${hot.ratio}, half evicted ${half.ratio}, evicted ${cold.ratio}`)
      expect([hot.sent, half.sent, cold.sent]).toEqual([totalBytes, totalBytes, totalBytes])
      expect(hot.ratio).toBeGreaterThanOrEqual(0.99)
      expect(half.ratio).toBeGreaterThanOrEqual(0.45)
      expect(half.ratio).toBeLessThanOrEqual(0.55)
      expect(cold.ratio).toBeLessThanOrEqual(0.05)
    }))
})
