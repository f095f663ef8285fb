import { expect, test } from 'vitest'
import { withBroker, type TestBroker } from '../helpers/broker.ts'
import { metricsOf, sumOf } from '../helpers/metrics.ts'
import { evict } from '../helpers/page-cache.ts'
import { partitionFolder } from '../helpers/segments.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { batchOf, fill, mebibyte, readAll, until } from './load.ts'
import { describeNeeding } from './needs.ts'

const from = { topic: 'history', partition: 0 }
const batchCount = 256
const totalBytes = batchCount * mebibyte

/** How many times a read is repeated whose ratio was not as it must be. */
const attemptsMax = 5

/** Hit ratio of one read of the whole topic, by the broker's own metrics. */
async function readMeasured(broker: TestBroker): Promise<number> {
  const before = await metricsOf(broker)
  using client = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
  expect(await readAll(client, from, batchCount, mebibyte)).toBe(totalBytes)
  const after = await metricsOf(broker)
  const grown = (name: string): number => {
    const at = (samples: typeof after) => sumOf(samples, name, { topic: from.topic })
    return at(after) - (Number.isNaN(at(before)) ? 0 : at(before))
  }
  const sent = grown('logcluster_page_cache_sent_bytes_total')
  expect(sent).toBe(totalBytes)
  return grown('logcluster_page_cache_hit_bytes_total') / sent
}

/**
 * Reads everything into the page cache, evicts a share of it, and measures a read. Again where the ratio is not
 * in [min, max], since a kernel may drop pages by itself (DAMON's pageout does, some MiB a second); a metric that
 * is wrong is so each time.
 */
async function expectRatio(
  broker: TestBroker,
  evictedShare: number,
  [min, max]: readonly [number, number],
): Promise<void> {
  const folder = partitionFolder(broker.dataDir, from.topic, from.partition)
  const ratios: number[] = []
  while (ratios.length < attemptsMax && !ratios.some(ratio => ratio >= min && ratio <= max)) {
    await readMeasured(broker)
    if (evictedShare > 0) await evict(folder, evictedShare)
    ratios.push(await readMeasured(broker))
  }
  console.log(`hit ratio with ${evictedShare * 100} % evicted: ${ratios.join(', then ')}`)
  expect(ratios.at(-1)).toBeGreaterThanOrEqual(min)
  expect(ratios.at(-1)).toBeLessThanOrEqual(max)
}

describeNeeding(['addon', 'device'], 'page-cache hit ratio', () => {
  // The evicted half is the file's second, cut at a multiple of 2 MiB: no folio crosses it, and read-ahead,
  // which never goes backwards, stays inside it.
  test('is what the page cache had: all, half, nothing', () =>
    withBroker({}, async broker => {
      using client = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
      await client.createTopics([{ name: from.topic }])
      await fill(client, from, batchOf(mebibyte), batchCount)
      await until('everything is durable', async () => {
        return sumOf(await metricsOf(broker), 'logcluster_unflushed_bytes') === 0
      })
      await expectRatio(broker, 0, [0.99, 1])
      await expectRatio(broker, 0.5, [0.45, 0.55])
      await expectRatio(broker, 1, [0, 0.05])
    }))
})
