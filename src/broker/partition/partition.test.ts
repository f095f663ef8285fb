import { expect, test } from 'vitest'
import { batchOf, logConfig, logId, openDirectory, simWorld } from '../../../test/helpers/logs.ts'
import type { LogConfig } from '../log/log-config.ts'
import { Partition } from './partition.ts'
import type { AppendResult } from './requests.ts'

const role = {
  leader: 1,
  leaderEpoch: 4,
  partitionEpoch: 0,
  replicas: [1],
  isr: [1],
  isRecovering: false,
  minInsyncReplicas: 1,
  brokers: new Map(),
}

/** A partition that leads, with an open log on a simulated disk. */
async function leading(over: Partial<LogConfig> = {}) {
  const world = simWorld()
  const { clock, disk } = world
  const directory = await openDirectory(world)
  const config = logConfig(over)
  const partition = new Partition(logId(), 1, { clock, countsWhenDurable: false })
  partition.take(role)
  partition.open(await directory.openLog(logId(), config))
  const append = (batch: Uint8Array): AppendResult | undefined => {
    let found: AppendResult | undefined
    partition.append(batch, { acks: 1, timeoutMs: 1000, origin: 'client' }, result => {
      found = result
    })
    clock.runSoon()
    return found
  }
  return { clock, disk, partition, append, config }
}

test('what readers see of a partition: where it begins and ends, its records by time, its epochs', async () => {
  const { partition, append } = await leading()
  const empty = { startOffset: 0, highWatermark: 0, endOffset: 0, latestEpoch: 4, sizeBytes: 0 }
  expect([partition.isOpen, partition.extent]).toEqual([true, empty])
  const times = [10_000, 30_000, 20_000]
  const batch = batchOf(3, { timestamps: times })
  expect(append(batch)).toMatchObject({ ok: true, baseOffset: 0 })
  expect(partition.extent).toEqual({
    startOffset: 0,
    highWatermark: 3,
    endOffset: 3,
    latestEpoch: 4,
    sizeBytes: batch.length,
  })
  expect(partition.earliest).toEqual({ offset: 0, leaderEpoch: 4 })
  expect(partition.latest).toEqual({ offset: 3, leaderEpoch: 4 })
  expect(partition.endOfEpoch(4)).toEqual({ epoch: 4, endOffset: 3 })
  expect(await partition.findByTime(15_000)).toMatchObject({ offset: 1, timestampMs: 30_000 })
  expect(await partition.findMaxTimestamp()).toMatchObject({ offset: 1, timestampMs: 30_000 })
})

test('an epoch that is told has to be the present one, and the last record of a reader not of a later one', async () => {
  const { partition, append } = await leading()
  append(batchOf(3))
  expect([-1, 4, 3, -2, 5].map(epoch => partition.availability(epoch))).toEqual([
    'NONE',
    'NONE',
    'FENCED_LEADER_EPOCH',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
  ])
  const read = (lastFetchedEpoch: number) =>
    partition.read({
      fetchOffset: 3,
      maxBytes: 100,
      minOneBatch: true,
      currentLeaderEpoch: -1,
      lastFetchedEpoch,
    })
  expect(await read(4)).toMatchObject({ error: 'NONE', highWatermark: 3, logStartOffset: 0 })
  expect(await read(5)).toMatchObject({
    error: 'OFFSET_OUT_OF_RANGE',
    highWatermark: -1,
    logStartOffset: -1,
  })
})

test('deleting moves the beginning, and says why where it does not', async () => {
  const { partition, append, disk } = await leading()
  append(batchOf(5))
  expect(await partition.deleteBefore(6)).toEqual({
    error: 'OFFSET_OUT_OF_RANGE',
    lowWatermark: -1,
  })
  expect(await partition.deleteBefore(-2)).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
  expect(await partition.deleteBefore(3)).toEqual({ error: 'NONE', lowWatermark: 3 })
  // What is gone already is no mistake.
  expect(await partition.deleteBefore(1)).toEqual({ error: 'NONE', lowWatermark: 3 })
  expect(partition.earliest.offset).toBe(3)
  disk.failNext({ operation: 'sync', pathPattern: /start-offset/, code: 'EIO' })
  expect(await partition.deleteBefore(4)).toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
  expect(partition.extent?.startOffset).toBe(3)
})

test('what is only compacted, and what is not served here, keeps its records', async () => {
  const { partition } = await leading({ cleanupPolicy: 'compact' })
  expect(await partition.deleteBefore(0)).toMatchObject({ error: 'POLICY_VIOLATION' })
  partition.take({ ...role, leader: 2, leaderEpoch: 5, partitionEpoch: 1 })
  expect(await partition.deleteBefore(0)).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER' })
})

test('what lies before a reader counts from the beginning of the log, and is nothing at its end', async () => {
  const { partition, append } = await leading()
  const batch = batchOf(4, { baseTimestamp: 7000 })
  append(batch)
  expect(partition.backlog(0)).toEqual({ records: 4, bytes: batch.length, timestampMs: 7000 })
  expect(partition.backlog(4)).toEqual({ records: 0, bytes: 0, timestampMs: null })
  await partition.deleteBefore(2)
  expect(partition.backlog(0)).toMatchObject({ records: 2 })
})

test('zstd of a client that cannot know it is refused beneath the partition', async () => {
  const { partition } = await leading()
  const batch = batchOf(0, { records: { codec: 4, bytes: new Uint8Array(20), count: 1 } })
  const results: AppendResult[] = []
  const options = { acks: 1, timeoutMs: 1000, origin: 'client', allowsZstd: false } as const
  partition.append(batch, options, result => results.push(result))
  expect(results).toMatchObject([{ ok: false, error: 'UNSUPPORTED_COMPRESSION_TYPE' }])
})

test('a partition without a log says so', async () => {
  const { clock } = simWorld()
  const partition = new Partition(logId(), 1, { clock, countsWhenDurable: false })
  partition.take(role)
  expect([partition.isOpen, partition.extent, partition.backlog(0)]).toEqual([false, null, null])
  expect(await partition.deleteBefore(0)).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER' })
  await partition.applyRetention(0)
  expect(() => partition.earliest).toThrow('serves')
})

test('retention applies, and expired producers go by the settings as they are now', async () => {
  const { partition, append, clock, config } = await leading({ retentionMs: 5000 })
  append(
    batchOf(2, { baseTimestamp: clock.now(), producerId: 5, producerEpoch: 0, baseSequence: 0 }),
  )
  await clock.run(1000)
  partition.configure({ ...config, retentionMs: 500, producerIdExpirationMs: 500 })
  await partition.applyRetention(clock.now())
  expect(partition.extent).toMatchObject({ startOffset: 2, endOffset: 2, sizeBytes: 0 })
  // A producer that is known must go on; one that is forgotten may begin anywhere.
  const late = { producerId: 5, producerEpoch: 0, baseSequence: 9 }
  expect(append(batchOf(1, late))).toMatchObject({ ok: true, baseOffset: 2 })
})
