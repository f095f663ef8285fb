import { expect, test } from 'vitest'
import { SimDisk } from '../../../../sim/disk.ts'
import { drive } from '../../../../test/helpers/drive.ts'
import {
  append,
  batchesIn,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  readAll,
  simWorld,
  worldOn,
} from '../../../../test/helpers/logs.ts'
import { DiskError } from '../../../env/env.ts'
import { logDirectoryName } from '../log-id.ts'
import type { Log, ReadOptions, ReadResult } from '../log.ts'

async function oneLog(over: Parameters<typeof logConfig>[0] = {}) {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig(over))
  return { world, disk: world.disk, clock: world.clock, directory, log }
}

const all = (log: Log, over: Partial<ReadOptions> = {}): ReadOptions => ({
  maxBytes: 1_000_000,
  upToOffset: log.endOffset,
  minOneBatch: true,
  ...over,
})

const segmentFile = (base: number) =>
  `/data/${logDirectoryName(logId())}/${`${base}`.padStart(20, '0')}.log`

/** Bytes that a read takes from its segment, counted at the file. */
async function countedRead(
  log: Log,
  offset: number,
  options: ReadOptions,
): Promise<{ result: ReadResult; bytes: number; calls: number }> {
  const probe = await log.read(offset, options)
  if (probe.kind !== 'range') throw new Error('only ranges are counted')
  const { file } = probe
  const original = file.read.bind(file)
  let bytes = 0
  let calls = 0
  file.read = (position, target) => {
    bytes += target.length
    calls++
    return original(position, target)
  }
  const result = await log.read(offset, options)
  file.read = original
  return { result, bytes, calls }
}

test('G28: an offset inside a batch gets the whole batch', async () => {
  const { world, log } = await oneLog()
  for (let at = 0; at < 3; at++) await append(world, log, batchOf(10))
  const size = batchOf(10).length
  expect(log.read(15, all(log, { maxBytes: size }))).toMatchObject({
    kind: 'range',
    position: size,
    length: size,
    cold: false,
  })
})

test('G29: a first batch that is too large comes whole, or not at all', async () => {
  const { world, log } = await oneLog()
  await append(world, log, batchOf(1, { valueBytes: 5000 }))
  expect(log.read(0, all(log, { maxBytes: 100 }))).toMatchObject({
    kind: 'range',
    length: log.sizeBytes,
  })
  expect(log.read(0, all(log, { maxBytes: 100, minOneBatch: false }))).toEqual({ kind: 'empty' })
})

test('G34: beyond the end is out of range, the end itself and what is not yet visible are empty', async () => {
  const { world, log } = await oneLog()
  for (let at = 0; at < 3; at++) await append(world, log, batchOf(10))
  expect(log.read(31, all(log))).toEqual({ kind: 'out-of-range' })
  expect(log.read(30, all(log))).toEqual({ kind: 'empty' })
  expect(log.read(20, all(log, { upToOffset: 20 }))).toEqual({ kind: 'empty' })
  expect(log.read(5, all(log, { upToOffset: 20 }))).toMatchObject({
    length: 2 * batchOf(10).length,
  })
  expect(log.read(5, all(log, { upToOffset: 19 }))).toMatchObject({ length: batchOf(10).length })
  await log.raiseStartOffset(12)
  expect(log.read(11, all(log))).toEqual({ kind: 'out-of-range' })
  expect(log.read(12, all(log))).toMatchObject({ kind: 'range', position: batchOf(10).length })
})

test('a range never crosses a segment, and the next one goes on', async () => {
  const { world, log } = await oneLog({ segmentBytes: 1000 })
  for (let at = 0; at < 40; at++) await append(world, log, batchOf(1))
  expect(log.segmentCount).toBeGreaterThan(3)
  expect(batchesIn(await readAll(log, 0, 1_000_000)).length).toBe(40)
})

test('what is in the page cache is found at once, what is not is found off the loop', async () => {
  const { world, disk, log } = await oneLog({ segmentBytes: 40_000 })
  for (let at = 0; at < 60; at++) await append(world, log, batchOf(4, { valueBytes: 300 }))
  await drive(world.clock, log.whenDurable(log.endOffset))
  expect(log.read(0, all(log))).toMatchObject({ kind: 'range', cold: false })
  disk.evict()
  const before = disk.coldBytesSync
  const cold = log.read(0, all(log))
  expect(cold).toBeInstanceOf(Promise)
  expect(await cold).toMatchObject({ kind: 'range', cold: true, position: 0 })
  expect(disk.coldBytesSync).toBe(before)
})

test('where residency cannot be asked, what was appended lately is hot', async () => {
  class BlindDisk extends SimDisk {
    override open(path: string, mode: 'read' | 'write' | 'create') {
      const file = super.open(path, mode)
      file.isResident = () => null
      return file
    }
  }
  const world = simWorld(new BlindDisk())
  const directory = await openDirectory(world, { settings: { hotWindowBytes: 20_000 } })
  const log = await directory.openLog(logId(), logConfig({ indexIntervalBytes: 100 }))
  for (let at = 0; at < 100; at++) await append(world, log, batchOf(1, { valueBytes: 900 }))
  expect(await log.read(0, all(log, { maxBytes: 2000 }))).toMatchObject({
    kind: 'range',
    cold: true,
  })
  const tail = log.read(log.endOffset - 3, all(log))
  expect(tail).toMatchObject({ kind: 'range', cold: false })
})

test('a look-up reads headers, never records: a few KiB, whatever is asked', async () => {
  const { world, log } = await oneLog()
  for (let at = 0; at < 300; at++)
    await append(world, log, batchOf(5, { valueBytes: 20 + (at % 7) * 400 }))
  for (const maxBytes of [1, 1000, 50_000, 1_000_000]) {
    for (const offset of [0, 7, 700, 1400]) {
      for (const upToOffset of [log.endOffset, 1450]) {
        const { bytes, calls } = await countedRead(log, offset, all(log, { maxBytes, upToOffset }))
        expect(bytes).toBeLessThanOrEqual(64 * 1024)
        expect(calls).toBeLessThanOrEqual(6)
      }
    }
  }
})

test('EIO on a read takes that partition, and no other', async () => {
  const { world, disk, directory, log } = await oneLog()
  const other = await directory.openLog(logId(1), logConfig())
  await append(world, log, batchOf(1))
  await append(world, other, batchOf(1))
  disk.failNext({ operation: 'read', pathPattern: /orders-0.*\.log$/, code: 'EIO' })
  expect(log.read(0, all(log))).toMatchObject({ kind: 'failed', error: 'KAFKA_STORAGE_ERROR' })
  expect(log.read(0, all(log))).toMatchObject({ kind: 'failed' })
  expect(await append(world, log, batchOf(1))).toMatchObject({
    ok: false,
    error: 'KAFKA_STORAGE_ERROR',
  })
  expect(log.offline).toContain('EIO')
  expect(directory.failure).toBe(null)
  expect(await append(world, other, batchOf(1))).toMatchObject({ ok: true })
  expect(other.read(0, all(other))).toMatchObject({ kind: 'range' })
})

test('a header that is not what the index says is never served', async () => {
  const { world, disk, log } = await oneLog()
  for (let at = 0; at < 5; at++) await append(world, log, batchOf(2))
  const file = disk.open(segmentFile(0), 'write')
  file.write(2 * batchOf(2).length, [new Uint8Array(8).fill(9)])
  expect(log.read(0, all(log, { maxBytes: 10 }))).toMatchObject({ kind: 'range' })
  expect(await log.read(4, all(log))).toMatchObject({
    kind: 'failed',
    error: 'KAFKA_STORAGE_ERROR',
  })
  expect(log.offline).toContain('damaged')
})

test('a wrong index file of a closed segment is found out and made anew', async () => {
  const { world, directory, log } = await oneLog({ segmentBytes: 2000, indexIntervalBytes: 1 })
  for (let at = 0; at < 60; at++) await append(world, log, batchOf(1))
  const before = await readAll(log, 0, 10_000)
  await directory.close()
  const path = segmentFile(0).replace('.log', '.offsets')
  const file = world.disk.open(path, 'write')
  const bytes = new Uint8Array(file.size())
  file.read(0, bytes)
  bytes[70]! ^= 0xff
  file.write(0, [bytes])
  file.close()
  const again = await openDirectory(worldOn(world.disk, world))
  expect(again.startClass).toBe('A')
  const reopened = await again.openLog(
    logId(),
    logConfig({ segmentBytes: 2000, indexIntervalBytes: 1 }),
  )
  expect(await readAll(reopened, 0, 10_000)).toEqual(before)
  expect(reopened.offline).toBe(null)
})

test('closed segments that nobody reads give back descriptor and index, and come back when they are read', async () => {
  const { world, disk, clock, log } = await oneLog({ segmentBytes: 2000 })
  for (let at = 0; at < 80; at++) await append(world, log, batchOf(1))
  const before = await readAll(log, 0, 10_000)
  await clock.run(2000)
  let opened = 0
  const open = disk.open.bind(disk)
  disk.open = (path, mode) => {
    if (path.endsWith('.log')) opened++
    return open(path, mode)
  }
  expect(await readAll(log, 0, 10_000)).toEqual(before)
  expect(opened).toBe(0)
  await clock.run(21 * 60_000)
  expect(await readAll(log, 0, 10_000)).toEqual(before)
  expect(opened).toBe(log.segmentCount - 1)
})

test('a missing descriptor fails one read, not the partition', async () => {
  const { world, disk, clock, log } = await oneLog({ segmentBytes: 2000 })
  for (let at = 0; at < 80; at++) await append(world, log, batchOf(1))
  await clock.run(21 * 60_000)
  const open = disk.open.bind(disk)
  disk.open = path => {
    throw new DiskError('open', path, 'EMFILE')
  }
  expect(await log.read(0, all(log))).toMatchObject({
    kind: 'failed',
    error: 'KAFKA_STORAGE_ERROR',
  })
  disk.open = open
  expect(await log.read(0, all(log))).toMatchObject({ kind: 'range' })
  expect(log.offline).toBe(null)
})
