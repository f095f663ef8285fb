import { expect, test } from 'vitest'
import { withBroker, type TestBroker } from '../helpers/broker.ts'
import { eventually, measuredAgain } from '../helpers/eventually.ts'
import { metricsOf, sumOf } from '../helpers/metrics.ts'
import { evict } from '../helpers/page-cache.ts'
import { partitionFolder } from '../helpers/segments.ts'
import { BrokerClient, type PartitionId } from '../helpers/broker-client.ts'
import { MemoryCgroup } from '../stress/memory-cgroup.ts'
import { batchOf, fill, mebibyte } from './load.ts'
import { describeNeeding } from './needs.ts'

const limitBytes = 512 * mebibyte
const hotCount = 256
const scanCount = 2048
const scanBytes = scanCount * mebibyte
const history = { topic: 'history', partition: 0 }
const hot = { topic: 'hot', partition: 0 }

/** Bytes of the hot topic that were ever sent, and of them those that the page cache had. */
async function counted(broker: TestBroker): Promise<{ sent: number; hit: number }> {
  const samples = await metricsOf(broker)
  const of = (name: string): number => sumOf(samples, name, { topic: hot.topic }) || 0
  return {
    sent: of('logcluster_page_cache_sent_bytes_total'),
    hit: of('logcluster_page_cache_hit_bytes_total'),
  }
}

interface Span {
  readonly from: PartitionId
  readonly start: number
  readonly end: number
}

/** Reads the batches `[start, end)` of a MiB each, one a fetch. */
async function readSpan(client: BrokerClient, { from, start, end }: Span): Promise<void> {
  for (let offset = start; offset < end; offset++) {
    const { errorCode, records } = await client.fetch(from, offset, { maxBytes: mebibyte })
    expect([errorCode, records.length]).toEqual([0, mebibyte])
  }
}

/**
 * Hit ratio of the hot topic, all of which is read each time that somebody else has read 256 MiB more of a history
 * that is not in memory.
 */
async function hotRatio(broker: TestBroker): Promise<number> {
  using scanner = await BrokerClient.connect(broker.port, { timeoutMs: 60_000 })
  using consumer = await BrokerClient.connect(broker.port, { timeoutMs: 60_000 })
  await evict(partitionFolder(broker.dataDir, history.topic, history.partition))
  const round = { from: hot, start: 0, end: hotCount }
  await readSpan(consumer, round)
  const before = await counted(broker)
  for (let start = 0; start < scanCount; start += hotCount) {
    const scan = { from: history, start, end: start + hotCount }
    await Promise.all([readSpan(scanner, scan), readSpan(consumer, round)])
  }
  const sent = scanBytes
  const all = () => counted(broker)
  const after = await eventually('all is counted', all, now => now.sent - before.sent >= sent)
  return (after.hit - before.hit) / sent
}

const title = 'a scan of 2 GiB under a memory limit of 512 MiB'

describeNeeding(['addon', 'device', 'cgroup'], title, () => {
  test('leaves in memory what others read there', { timeout: 300_000 }, async () => {
    const cgroup = new MemoryCgroup(limitBytes)
    try {
      await withBroker({ wrapper: cgroup.wrapper }, async broker => {
        using client = await BrokerClient.connect(broker.port, { timeoutMs: 60_000 })
        await client.createTopics([{ name: history.topic }, { name: hot.topic }])
        await fill(client, history, batchOf(mebibyte), scanCount)
        await fill(client, hot, batchOf(mebibyte), hotCount)
        const unflushed = () => broker.metric('logcluster_unflushed_bytes')
        await eventually('everything is durable', unflushed, bytes => bytes === 0)
        // Again where a kernel takes pages by itself.
        const ratio = await measuredAgain(
          title,
          () => hotRatio(broker),
          found => found >= 0.99,
          3,
        )
        console.log(`hit ratio of 256 MiB beside it: ${ratio}`)
        expect(await broker.metric('logcluster_cold_read_bytes_total')).toBeGreaterThan(scanBytes)
        const dropped = await broker.metric('logcluster_drop_behind_bytes_total')
        expect(dropped).toBeGreaterThan(0.95 * scanBytes)
      })
    } finally {
      cgroup.remove()
    }
  })
})
