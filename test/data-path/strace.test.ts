import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withBroker, type TestBroker } from '../helpers/broker.ts'
import { evict } from '../helpers/page-cache.ts'
import { partitionFolder } from '../helpers/segments.ts'
import { BrokerClient, type PartitionId } from '../helpers/broker-client.ts'
import { batchOf, fill, kibibyte, mebibyte, readAll } from './load.ts'
import { describeNeeding } from './needs.ts'
import {
  bytesOf,
  exchangesOf,
  isOnSegment,
  readTrace,
  reads,
  syncs,
  tracing,
  type Exchange,
  type Syscall,
} from './syscalls.ts'

const batchCount = 64
const totalBytes = batchCount * mebibyte
const segmentReadBytesMax = 64 * kibibyte
/** Nothing is exchanged but what a test asks: each exchange is looked at. */
const quiet = { timeoutMs: 30_000, isSilent: true }

/** Runs `act` with a traced broker that stops in order; resolves to all that it did, and its first thread. */
async function traced(
  act: (broker: TestBroker) => Promise<void>,
): Promise<{ calls: readonly Syscall[]; loop: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-trace-'))
  const file = join(folder, 'trace.txt')
  const settings = { 'fetch.max.bytes': String(2 * totalBytes) }
  let loop = 0
  try {
    await withBroker({ wrapper: tracing(file), settings }, async broker => {
      loop = broker.pid
      await act(broker)
      await broker.stop()
    })
    return { calls: await readTrace(file, loop), loop }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** One fetch of all that `from` has; resolves to the client's port. */
async function fetchWhole(broker: TestBroker, from: PartitionId): Promise<number> {
  using client = await BrokerClient.connect(broker.port, quiet)
  const { errorCode, records } = await client.fetch(from, 0, { maxBytes: totalBytes })
  expect({ errorCode, bytes: records.length }).toEqual({ errorCode: 0, bytes: totalBytes })
  return client.localPort
}

function sentByFile({ calls }: Exchange): Syscall[] {
  return calls.filter(call => call.name === 'sendfile' && isOnSegment(call))
}

/** Those that may wait: what the page cache is known to have is looked up by the event loop. */
function segmentReads({ calls }: Exchange): Syscall[] {
  const all = calls.filter(call => [...reads, 'mmap'].includes(call.name) && isOnSegment(call))
  return all.filter(({ mayWait }) => mayWait)
}

describeNeeding(['addon', 'device', 'strace'], 'system calls', () => {
  test('a fetch of 64 MiB goes by sendfile; a cold one keeps off the event loop', async () => {
    const from = { topic: 'large', partition: 0 }
    const ports: number[] = []
    const { calls, loop } = await traced(async broker => {
      using producer = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
      await producer.createTopics([{ name: from.topic }])
      await fill(producer, from, batchOf(mebibyte), batchCount)
      ports.push(await fetchWhole(broker, from))
      await evict(partitionFolder(broker.dataDir, from.topic, from.partition))
      ports.push(await fetchWhole(broker, from))
    })
    const [hot, cold] = ports.map(port => exchangesOf(calls, port))
    for (const exchanges of [hot!, cold!]) {
      expect(exchanges.length).toBe(1)
      expect(bytesOf(sentByFile(exchanges[0]!))).toBe(totalBytes)
      expect(bytesOf(segmentReads(exchanges[0]!))).toBeLessThanOrEqual(segmentReadBytesMax)
    }
    expect(hot![0]!.receiver).toBe(loop)
    const blocking = [...sentByFile(cold![0]!), ...segmentReads(cold![0]!)]
    expect(blocking.filter(({ thread }) => thread === loop)).toEqual([])
  })

  test('a cold log read to its end never touches the event loop; what comes after does', async () => {
    const from = { topic: 'history', partition: 0 }
    let port = 0
    const { calls, loop } = await traced(async broker => {
      using producer = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
      await producer.createTopics([{ name: from.topic }])
      const batch = batchOf(mebibyte)
      await fill(producer, from, batch, batchCount)
      await evict(partitionFolder(broker.dataDir, from.topic, from.partition))
      using client = await BrokerClient.connect(broker.port, quiet)
      port = client.localPort
      expect(await readAll(client, from, batchCount, mebibyte)).toBe(totalBytes)
      await fill(producer, from, batch, 1)
      expect((await client.fetch(from, batchCount)).records.length).toBe(mebibyte)
    })
    const onLoop = exchangesOf(calls, port).map(exchange =>
      [...sentByFile(exchange), ...segmentReads(exchange)].some(({ thread }) => thread === loop),
    )
    expect(onLoop).toEqual([...Array.from({ length: batchCount }, () => false), true])
  })

  test('the thread that received a produce syncs nothing before its answer', async () => {
    const ports = new Map<string, number>()
    const { calls } = await traced(async broker => {
      using admin = await BrokerClient.connect(broker.port, { timeoutMs: 30_000 })
      await admin.createTopics([
        { name: 'interval', configs: { 'flush.ms': '1' } },
        { name: 'ack', configs: { 'flush.policy': 'ack' } },
      ])
      const batch = batchOf(mebibyte)
      for (const topic of ['interval', 'ack']) {
        using client = await BrokerClient.connect(broker.port, quiet)
        ports.set(topic, client.localPort)
        for (let at = 0; at < 40; at++) {
          const produced = await client.produce({ topic, partition: 0 }, batch)
          expect(produced.errorCode).toBe(0)
        }
      }
    })
    for (const [topic, port] of ports) {
      const exchanges = exchangesOf(calls, port)
      expect(exchanges.length).toBe(40)
      const synced = exchanges.map(({ receiver, calls: within }) => ({
        byReceiver: within.filter(it => it.thread === receiver && syncs.includes(it.name)),
        bySomebody: within.filter(it => syncs.includes(it.name) && isOnSegment(it)),
      }))
      expect(synced.flatMap(({ byReceiver }) => byReceiver)).toEqual([])
      // That a flush before the answer would have been seen.
      const sawFlush = synced.every(({ bySomebody }) => bySomebody.length > 0)
      if (topic === 'ack') expect(sawFlush).toBe(true)
    }
  })
})
