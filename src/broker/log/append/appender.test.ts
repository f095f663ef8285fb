import { expect, test } from 'vitest'
import {
  append,
  batchesIn,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  readAll,
  simWorld,
} from '../../../../test/helpers/logs.ts'
import { utf8 } from '../../../lib/bytes.ts'
import { crc32c } from '../../../lib/crc32c.ts'
import { encodeBatch, hasLogAppendTime, readBatchHeader, checkCrc } from '../batch/batch.ts'
import { encodeRecords } from '../batch/records.ts'
import { makeSnappy } from '../compression/snappy.ts'
import type { AppendResult } from '../log.ts'

async function oneLog(over: Parameters<typeof logConfig>[0] = {}) {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig(over))
  return { world, disk: world.disk, clock: world.clock, directory, log }
}

const idempotent = (baseSequence: number, count = 2) =>
  batchOf(count, { producerId: 5, producerEpoch: 0, baseSequence })

test('G21: a repeated batch is answered with the original offsets, and only after the original is written', async () => {
  const { clock, log } = await oneLog()
  const results: AppendResult[] = []
  const done = (result: AppendResult) => results.push(result)
  log.append(idempotent(0), { leaderEpoch: 0, origin: 'client' }, done)
  log.append(idempotent(0), { leaderEpoch: 0, origin: 'client' }, done)
  log.append(idempotent(2), { leaderEpoch: 0, origin: 'client' }, done)
  expect(results).toEqual([])
  clock.runSoon()
  expect(
    results.map(result => result.ok && [result.duplicate, result.baseOffset, result.lastOffset]),
  ).toEqual([
    [false, 0, 1],
    [true, 0, 1],
    [false, 2, 3],
  ])
  expect(log.endOffset).toBe(4)
})

test('a repeated batch is answered with its own time, whoever stamps the topic', async () => {
  const { world, log } = await oneLog()
  const batch = () =>
    batchOf(2, { producerId: 5, producerEpoch: 0, baseSequence: 0, baseTimestamp: 4711 })
  const original = await append(world, log, batch())
  expect(original).toMatchObject({ duplicate: false, logAppendTimeMs: -1 })
  const { maxTimestamp } = readBatchHeader(batch(), 0)
  expect(await append(world, log, batch())).toMatchObject({
    duplicate: true,
    logAppendTimeMs: maxTimestamp,
  })
})

test('what is less than a batch behind a batch is not stored', async () => {
  const { world, log } = await oneLog()
  const batch = batchOf(2)
  await append(world, log, new Uint8Array([...batch, 0, 0, 0]))
  await append(world, log, batchOf(2))
  expect(log.sizeBytes).toBe(2 * batch.length)
})

test('a batch of a client fits into a segment; where the log was not asked, its start is not told', async () => {
  const batch = batchOf(2)
  const { world, log } = await oneLog({ segmentBytes: batch.length })
  expect(await append(world, log, batchOf(2))).toMatchObject({ ok: true })
  expect(await append(world, log, batchOf(3))).toMatchObject({
    ok: false,
    error: 'RECORD_LIST_TOO_LARGE',
    logStartOffset: -1,
  })
  expect(await append(world, log, batchOf(1, { baseOffset: 5 }))).toMatchObject({
    error: 'INVALID_RECORD',
    logStartOffset: 0,
  })
  expect(log.endOffset).toBe(2)
})

test('G14: batches of one turn are checked in their order', async () => {
  const { clock, log } = await oneLog()
  const errors: string[] = []
  const done = (result: AppendResult) => errors.push(result.ok ? 'ok' : result.error)
  for (const sequence of [0, 2, 6, 4])
    log.append(idempotent(sequence), { leaderEpoch: 0, origin: 'client' }, done)
  clock.runSoon()
  expect(errors).toEqual(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'ok', 'ok', 'ok'])
})

test('a failed write is taken back: file, offsets and producers are as before, and the same batch goes in later', async () => {
  const { world, disk, directory, log } = await oneLog()
  await append(world, log, idempotent(0))
  const before = await readAll(log)
  disk.failNext({ operation: 'write', pathPattern: /\.log$/, code: 'ENOSPC', written: 30 })
  const results: AppendResult[] = []
  for (const sequence of [2, 4]) {
    log.append(idempotent(sequence), { leaderEpoch: 3, origin: 'client' }, result =>
      results.push(result),
    )
  }
  await world.clock.settle()
  expect(results.map(result => (result.ok ? 'ok' : result.error))).toEqual([
    'KAFKA_STORAGE_ERROR',
    'KAFKA_STORAGE_ERROR',
  ])
  expect(directory.failure).toBe(null)
  expect([log.endOffset, log.latestEpoch]).toEqual([2, 0])
  expect(await readAll(log)).toEqual(before)
  expect(await append(world, log, idempotent(2), { leaderEpoch: 3 })).toMatchObject({
    ok: true,
    baseOffset: 2,
    duplicate: false,
  })
})

test('appends wait until the cut after a failed write is durable', async () => {
  const { world, disk, log } = await oneLog()
  await append(world, log, batchOf(1))
  const operations: string[] = []
  disk.onOperation(({ name, path }) => {
    if (path.endsWith('.log')) operations.push(name)
  })
  disk.failNext({ operation: 'write', pathPattern: /\.log$/, code: 'ENOSPC', written: 30 })
  const ends: boolean[] = []
  log.append(batchOf(1), { leaderEpoch: 0, origin: 'client' }, ({ ok }) => ends.push(ok))
  world.clock.runSoon()
  log.append(batchOf(2), { leaderEpoch: 0, origin: 'client' }, ({ ok }) => ends.push(ok))
  await world.clock.settle()
  expect(ends).toEqual([false, true])
  expect(operations.slice(0, 4)).toEqual(['write', 'truncate', 'sync', 'write'])
})

test('an epoch that a leader began outlives a failed write before it', async () => {
  const { world, disk, log } = await oneLog()
  disk.failNext({ operation: 'write', pathPattern: /\.log$/, code: 'ENOSPC' })
  log.append(batchOf(3), { leaderEpoch: 1, origin: 'client' }, () => {})
  log.noteEpoch(2)
  await world.clock.settle()
  expect(log.latestEpoch).toBe(2)
  expect(log.endOfEpoch(2)).toEqual({ epoch: 2, endOffset: 0 })
})

test('EIO on a write is final for the directory', async () => {
  const { world, disk, directory, log } = await oneLog()
  const other = await directory.openLog(logId(1), logConfig())
  await append(world, other, batchOf(1))
  const failures: string[] = []
  directory.onFailure(error => failures.push(error.code))
  disk.failNext({ operation: 'write', pathPattern: /orders-0.*\.log$/, code: 'EIO' })
  expect(await append(world, log, batchOf(1))).toMatchObject({
    ok: false,
    error: 'KAFKA_STORAGE_ERROR',
  })
  expect(failures).toEqual(['EIO'])
  expect(await append(world, other, batchOf(1))).toMatchObject({
    ok: false,
    error: 'KAFKA_STORAGE_ERROR',
  })
  expect(other.read(0, { maxBytes: 1, upToOffset: 1, minOneBatch: true })).toMatchObject({
    kind: 'failed',
  })
  await directory.close()
  await expect(openDirectory({ ...world, env: world.env })).rejects.toMatchObject({
    reason: 'failed',
  })
})

test('segments are closed by size, and when their index is full', async () => {
  const bySize = await oneLog({ segmentBytes: 300 })
  for (let at = 0; at < 10; at++) await append(bySize.world, bySize.log, batchOf(2))
  expect(bySize.log.segmentCount).toBeGreaterThan(2)

  const byIndex = await oneLog({ segmentIndexBytes: 32, indexIntervalBytes: 1 })
  for (let at = 0; at < 10; at++)
    byIndex.log.append(batchOf(1), { leaderEpoch: 0, origin: 'client' }, () => {})
  byIndex.clock.runSoon()
  for (let at = 0; at < 10; at++)
    byIndex.log.append(batchOf(1), { leaderEpoch: 0, origin: 'client' }, () => {})
  byIndex.clock.runSoon()
  expect(byIndex.log.segmentCount).toBe(2)
  expect((await readAll(byIndex.log)).length).toBe(20 * batchOf(1).length)
})

test('with an empty cleanup policy records need no key: nothing is compacted', async () => {
  const { world, log } = await oneLog({ cleanupPolicy: '' })
  expect(await append(world, log, batchOf(1))).toMatchObject({ ok: true })
})

test('preallocate takes the place of each new segment, and gives back the rest of a closed one', async () => {
  const { world, disk, directory, log } = await oneLog({ preallocate: true, segmentBytes: 500 })
  const done: string[] = []
  disk.onOperation(({ name, path }) => {
    if (['create', 'truncate'].includes(name) && path.endsWith('.log')) done.push(name)
  })
  while (log.segmentCount < 3) await append(world, log, batchOf(1))
  await world.clock.settle()
  expect(done).toEqual(['create', 'truncate', 'create', 'truncate'])
  expect((await readAll(log)).length).toBe(log.sizeBytes)
  expect(directory.failure).toBe(null)
})

test('a roll in the middle of a turn makes two writes, and each segment ends where the next begins', async () => {
  const { clock, disk, log } = await oneLog({ segmentBytes: 500 })
  const writes: [string, number][] = []
  disk.onOperation(({ name, path, parts }) => {
    if (name === 'write' && path.endsWith('.log')) writes.push([path.slice(-24), parts.length])
  })
  for (let at = 0; at < 7; at++)
    log.append(batchOf(2), { leaderEpoch: 0, origin: 'client' }, () => {})
  clock.runSoon()
  expect(writes).toEqual([
    ['00000000000000000000.log', 5],
    ['00000000000000000010.log', 2],
  ])
  expect(batchesIn(await readAll(log)).length).toBe(7)
})

test('LogAppendTime: the batch is stamped, its CRC fits, and the answer says the time', async () => {
  const { world, clock, log } = await oneLog({ messageTimestampType: 'LogAppendTime' })
  expect(await append(world, log, batchOf(3))).toMatchObject({ logAppendTimeMs: clock.now() })
  const bytes = await readAll(log)
  const header = readBatchHeader(bytes, 0)
  expect(hasLogAppendTime(header)).toBe(true)
  expect(header.maxTimestamp).toBe(clock.now())
  expect(checkCrc(bytes, 0, header, crc32c)).toBe(true)
})

test('the order of appends is kept where records must be opened first', async () => {
  const { world, log } = await oneLog({ cleanupPolicy: 'compact' })
  const keyed = (key: string | null) => [
    {
      offsetDelta: 0,
      timestampDelta: 0,
      key: key === null ? null : utf8(key),
      value: utf8('v'),
      headers: [],
    },
  ]
  const packed = {
    codec: 2,
    bytes: makeSnappy(encodeRecords(keyed('a'))),
    count: 1,
  }
  const offsets: (number | string)[] = []
  const done = (result: AppendResult) => offsets.push(result.ok ? result.baseOffset : result.error)
  const now = world.clock.now()
  log.append(
    encodeBatch({ records: packed, baseTimestamp: now }),
    { leaderEpoch: 0, origin: 'client' },
    done,
  )
  log.append(
    encodeBatch({ records: keyed(null), baseTimestamp: now }),
    { leaderEpoch: 0, origin: 'client' },
    done,
  )
  log.append(
    encodeBatch({ records: keyed('b'), baseTimestamp: now }),
    { leaderEpoch: 0, origin: 'client' },
    done,
  )
  while (offsets.length < 3) {
    await new Promise(resolve => setImmediate(resolve))
    await world.clock.settle()
  }
  expect(offsets).toEqual(['INVALID_RECORD', 0, 1])
  expect(batchesIn(await readAll(log)).length).toBe(2)
  expect(readBatchHeader(await readAll(log), 0).attributes & 7).toBe(2)
})

test('an older leader is fenced', async () => {
  const { world, log } = await oneLog()
  await append(world, log, batchOf(1), { leaderEpoch: 4 })
  expect(await append(world, log, batchOf(1), { leaderEpoch: 3 })).toMatchObject({
    error: 'FENCED_LEADER_EPOCH',
  })
})

test('a replica appends the batches of its leader as they are, whole fetches at a time', async () => {
  const leader = await oneLog()
  for (let at = 0; at < 4; at++)
    await append(leader.world, leader.log, batchOf(3), { leaderEpoch: at })
  const fetched = await readAll(leader.log)
  const follower = await oneLog()
  const result = await append(follower.world, follower.log, fetched.slice(), {
    leaderEpoch: 3,
    origin: 'replica',
  })
  expect(result).toMatchObject({ ok: true, baseOffset: 0, lastOffset: 11 })
  expect(await readAll(follower.log)).toEqual(fetched)
  expect(follower.log.endOfEpoch(1)).toEqual({ epoch: 1, endOffset: 6 })
  expect(
    await append(follower.world, follower.log, fetched.slice(), {
      leaderEpoch: 3,
      origin: 'replica',
    }),
  ).toMatchObject({ ok: false })
})

test('bad input is refused at once and changes nothing', async () => {
  const { world, log } = await oneLog({ maxMessageBytes: 300 })
  const corrupt = batchOf(1)
  corrupt[70]! ^= 1
  expect(await append(world, log, corrupt)).toMatchObject({ error: 'CORRUPT_MESSAGE' })
  expect(await append(world, log, batchOf(1, { valueBytes: 400 }))).toMatchObject({
    error: 'MESSAGE_TOO_LARGE',
  })
  expect(await append(world, log, new Uint8Array(0))).toMatchObject({ ok: false })
  expect(await append(world, log, new Uint8Array(0), { origin: 'replica' })).toMatchObject({
    ok: false,
  })
  expect([log.endOffset, log.sizeBytes]).toEqual([0, 0])
})

test('what is staged when an fsync fails is refused, not answered', async () => {
  const { world, disk, directory, log } = await oneLog()
  await append(world, log, batchOf(1))
  disk.failNext({ operation: 'sync', pathPattern: /\.log$/, code: 'EIO' })
  const results: AppendResult[] = []
  directory.onFailure(() => {})
  const lost = log.whenDurable(1).catch((error: Error) => error.message)
  world.clock.runSoon()
  log.append(batchOf(1), { leaderEpoch: 0, origin: 'client' }, result => results.push(result))
  expect(await lost).toContain('EIO')
  await world.clock.settle()
  expect(results).toMatchObject([{ ok: false, error: 'KAFKA_STORAGE_ERROR' }])
  expect(log.endOffset).toBe(1)
})
