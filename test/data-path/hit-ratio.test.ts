import { expect, test } from 'vitest'
import { withBroker, type TestBroker } from '../helpers/broker.ts'
import { eventually, measuredAgain } from '../helpers/eventually.ts'
import { metricsOf, sumOf } from '../helpers/metrics.ts'
import { evict } from '../helpers/page-cache.ts'
import { partitionFolder } from '../helpers/segments.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { batchOf, fill, mebibyte, readAll } from './load.ts'
import { describeNeeding, withoutCachestat } from './needs.ts'

const from = { topic: 'history', partition: 0 }
const batchCount = 256
const totalBytes = batchCount * mebibyte

/** Bytes of the topic that were ever sent, and of them those that the page cache had. */
async function counted(broker: TestBroker): Promise<{ sent: number; hit: number }> {
  const samples = await metricsOf(broker)
  const of = (name: string): number => sumOf(samples, name, { topic: from.topic }) || 0
  return {
    sent: of('logcluster_page_cache_sent_bytes_total'),
    hit: of('logcluster_page_cache_hit_bytes_total'),
  }
}

/** Hit ratio of one read of the whole topic, by the broker's own metrics. */
async function readMeasured(broker: TestBroker): Promise<number> {
  const before = await counted(broker)
  using client = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
  expect(await readAll(client, from, batchCount, mebibyte)).toBe(totalBytes)
  // What the kernel took last may be counted after the client has it.
  const end = before.sent + totalBytes
  const after = await eventually(
    'all is counted',
    () => counted(broker),
    ({ sent }) => sent >= end,
  )
  expect(after.sent).toBe(end)
  return (after.hit - before.hit) / totalBytes
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
  const what = `hit ratio with ${evictedShare * 100} % evicted`
  const measure = async (): Promise<number> => {
    await readMeasured(broker)
    if (evictedShare > 0) await evict(folder, evictedShare)
    return readMeasured(broker)
  }
  const ratio = await measuredAgain(what, measure, found => found >= min && found <= max)
  console.log(`${what}: ${ratio}`)
}

// The evicted half is the file's second, cut at a multiple of 2 MiB: no folio crosses it, and read-ahead,
// which never goes backwards, stays inside it.
async function expectTruth(broker: TestBroker): Promise<void> {
  using client = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
  await client.createTopics([{ name: from.topic }])
  await fill(client, from, batchOf(mebibyte), batchCount)
  const unflushed = () => broker.metric('logcluster_unflushed_bytes')
  await eventually('everything is durable', unflushed, bytes => bytes === 0)
  await expectRatio(broker, 0, [0.99, 1])
  await expectRatio(broker, 0.5, [0.45, 0.55])
  await expectRatio(broker, 1, [0, 0.05])
}

async function sourceOf(broker: TestBroker): Promise<string[]> {
  const samples = await metricsOf(broker)
  return samples.flatMap(({ name, labels }) =>
    name === 'logcluster_page_cache_source_info' ? (labels['source'] ?? '') : [],
  )
}

describeNeeding(['addon', 'device'], 'page-cache hit ratio', () => {
  test('is what the page cache had: all, half, nothing', () =>
    withBroker({}, async broker => {
      await expectTruth(broker)
    }))
})

describeNeeding(['addon', 'device', 'seccomp'], 'where cachestat is denied', () => {
  test('mincore takes its place, and the hit ratio is true all the same', () =>
    withBroker({ wrapper: withoutCachestat }, async broker => {
      expect(await sourceOf(broker)).toEqual(['mincore'])
      await expectTruth(broker)
    }))
})
