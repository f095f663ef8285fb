import { describe, expect, test } from 'vitest'
import { drive } from '../../../../test/helpers/drive.ts'
import {
  cleaned,
  compactedConfig,
  fill,
  gatedCompaction,
  put,
  recordsOf,
} from '../../../../test/helpers/keyed-log.ts'
import {
  logId,
  openDirectory,
  simWorld,
  worldOn,
  type LogWorld,
} from '../../../../test/helpers/logs.ts'
import { SimClock } from '../../../../sim/clock.ts'
import { SimDisk } from '../../../../sim/disk.ts'
import { inlineCompaction } from '../../../../sim/inline-compaction.ts'
import { crc32c } from '../../../lib/crc32c.ts'
import { Prng } from '../../../lib/prng.ts'
import { checkCrc, readBatchHeader } from '../batch/batch.ts'
import type { LogConfig } from '../log-config.ts'
import { logDirectoryName } from '../log-id.ts'
import type { Log } from '../log.ts'

const folder = `/data/${logDirectoryName(logId())}`

async function open(
  world: LogWorld,
  config = compactedConfig(),
  settings = {},
  compactionLane = inlineCompaction,
) {
  const options = { settings, compactionLane }
  const directory = await drive(world.clock, openDirectory(world, options))
  const log = await drive(world.clock, directory.openLog(logId(), config))
  return { directory, log }
}

/** The last record of each key. */
function latest(records: Awaited<ReturnType<typeof recordsOf>>): Map<string, unknown> {
  return new Map(records.map(([offset, key, value]) => [key, [offset, value]]))
}

/** A log of 40 records of three keys in a dozen segments that was cleaned once, and what it held before. */
async function cleanedLog(config: LogConfig = compactedConfig()) {
  const world = simWorld()
  const { directory, log } = await open(world, config)
  await fill(world, log)
  const before = await recordsOf(log)
  const segmentsBefore = log.segmentCount
  await cleaned(world, directory)
  return { world, directory, log, before, segmentsBefore }
}

test('the last record of each key stays, at its offset, and the active segment as it is', async () => {
  const { log, before } = await cleanedLog()
  const after = await recordsOf(log)
  expect(after.length).toBeLessThan(10)
  for (const record of after) expect(before).toContainEqual(record)
  expect(latest(after)).toEqual(latest(before))
  expect([log.startOffset, log.endOffset]).toEqual([0, 40])
})

test('segments that became small become one, and each new file is on the device', async () => {
  const { world, directory, log, segmentsBefore } = await cleanedLog()
  await fill(world, log)
  await cleaned(world, directory, 2)
  expect(segmentsBefore).toBeGreaterThan(8)
  expect(log.segmentCount).toBeLessThan(segmentsBefore + 3)
  await fill(world, log, { count: 8 })
  await cleaned(world, directory, 3)
  expect(log.segmentCount).toBeLessThan(6)
  const names = world.disk.list(folder)
  expect(names.filter(name => /cleaned|swap/.test(name))).toEqual([])
  await world.clock.run(100)
  expect(world.disk.list(folder).filter(name => name.endsWith('.deleted'))).toEqual([])
  expect(log.durability.dirtyFileCount).toBe(0)
})

describe('a reader', () => {
  test('who asks for an offset that is gone gets the next one that is there', async () => {
    const { log, before } = await cleanedLog()
    const after = await recordsOf(log)
    for (let offset = 0; offset < log.endOffset; offset++) {
      expect(await recordsOf(log, offset)).toEqual(after.filter(([at]) => at >= offset))
    }
    expect(before.length).toBe(40)
  })

  test('finds a time whose record is gone in the next one that is there', async () => {
    const world = simWorld()
    const { directory, log } = await open(world)
    for (let at = 0; at < 20; at++) {
      await put(world, log, [{ key: `k${at % 2}`, value: `v${at}`.padEnd(20) }])
      await world.clock.run(10)
    }
    await drive(world.clock, log.whenDurable(log.endOffset))
    const at5 = world.clock.now() - 150
    const firstMs = (await drive(world.clock, log.findByTime(at5, log.endOffset)))!
    await cleaned(world, directory)
    const found = (await drive(world.clock, log.findByTime(at5, log.endOffset)))!
    const [first] = await recordsOf(log, firstMs.offset)
    expect(found.offset).toBe(first![0])
    expect(await drive(world.clock, log.findMaxTimestamp(log.endOffset))).toMatchObject({
      offset: 19,
    })
  })

  test('goes on with the bytes that it was given, as long as it may', async () => {
    const world = simWorld()
    const { directory, log } = await open(world, compactedConfig({ fileDeleteDelayMs: 60_000 }))
    await fill(world, log)
    const options = { maxBytes: 1000, upToOffset: 40, minOneBatch: true }
    const range = await log.read(0, options)
    if (range.kind !== 'range') throw new Error('there is a range')
    const bytes = () => {
      const target = new Uint8Array(range.length)
      range.file.read(range.position, target)
      return target
    }
    const before = bytes()
    await cleaned(world, directory)
    expect(bytes()).toEqual(before)
    expect(log.sizeBytes).toBeLessThan(1000)
    await world.clock.run(60_000)
    expect(bytes).toThrow(/EBADF/)
  })

  describe('whose segment is replaced while it is looked up', () => {
    /** Starts `look` so that the segment is replaced before its file is opened: all that may wait for the device takes 50 ms. */
    async function lookedUp<T>(look: (log: Log) => T | Promise<T>): Promise<T> {
      const clock = new SimClock()
      const disk = new SimDisk({ later: act => clock.after(50, act) })
      const sim = simWorld(disk)
      const world = { env: { ...sim.env, clock }, clock, disk }
      const gate = gatedCompaction('endSegment')
      const { directory, log } = await open(world, compactedConfig(), {}, gate.lane)
      await fill(world, log)
      while (!gate.isReached()) await clock.run(50)
      // Nobody has the file open, nothing of it is cached, and the index must be read: two steps.
      log.restIdleSegments(Infinity)
      disk.evict()
      gate.go()
      await clock.run(30)
      const found = await drive(clock, Promise.resolve(look(log)))
      // Other segments are still to come: it was this one.
      expect(directory.cleanerNumbers().runs).toBe(0)
      expect(log.offline).toBe(null)
      return found
    }

    test('by offset is served from the new one, or what comes behind it', async () => {
      const options = { maxBytes: 500, upToOffset: 40, minOneBatch: true, isLagging: true }
      const batch = await lookedUp(async log => {
        const range = await log.read(0, options)
        if (range.kind !== 'range') throw new Error(`a range, not ${JSON.stringify(range)}`)
        const bytes = new Uint8Array(range.length)
        range.file.read(range.position, bytes)
        return bytes
      })
      const header = readBatchHeader(batch, 0)
      expect(checkCrc(batch, 0, header, crc32c)).toBe(true)
      // Nothing of the first segment, [0, 4), stays.
      expect(header.baseOffset).toBe(4)
    })

    test('by time is found there', async () => {
      expect(await lookedUp(log => log.findByTime(0, 40))).toMatchObject({ offset: 4 })
    })
  })

  test('passes segments of which nothing is left', async () => {
    const world = simWorld()
    // Too large to become one with its neighbours, and all of it is superfluous.
    const { directory, log } = await open(world, compactedConfig({ segmentBytes: 250 }))
    const value = 'x'.repeat(70)
    for (const key of ['a', 'b', 'b', 'c', 'd', 'e'])
      await put(world, log, [
        { key, value },
        { key, value },
      ])
    await drive(world.clock, log.whenDurable(log.endOffset))
    await cleaned(world, directory)
    const after = await recordsOf(log)
    expect(after.map(([offset]) => offset)).toEqual([1, 5, 7, 9, 10, 11])
    for (let offset = 0; offset < 12; offset++) {
      expect(await recordsOf(log, offset)).toEqual(after.filter(([at]) => at >= offset))
    }
  })
})

describe('after a restart', () => {
  async function reopened(disk: SimDisk, world: LogWorld, config?: LogConfig) {
    const next = worldOn(disk, world)
    return { next, ...(await open(next, config)) }
  }

  test('that was clean the log is what it was, and no segment is read for it', async () => {
    const { world, directory, log } = await cleanedLog()
    const after = await recordsOf(log)
    await drive(world.clock, directory.close())
    const reads: string[] = []
    const { disk } = world
    const opened = disk.open.bind(disk)
    disk.open = (path, mode) => {
      if (path.endsWith('.log')) reads.push(path)
      return opened(path, mode)
    }
    const { log: again } = await reopened(disk, world)
    // The active one is looked at.
    expect(new Set(reads).size).toBe(1)
    expect(await recordsOf(again)).toEqual(after)
    expect(again.endOffset).toBe(40)
  })

  test.each(['process', 'machine'] as const)(
    'after a crash of the %s it is what it was',
    async kind => {
      const { world, log } = await cleanedLog()
      const after = await recordsOf(log)
      const disk =
        kind === 'process' ? world.disk.crashProcess() : world.disk.crashMachine(new Prng(3))
      const { log: again } = await reopened(disk, world)
      expect(again.offline).toBe(null)
      expect(await recordsOf(again)).toEqual(after)
    },
  )

  test('it is what it was with another policy too, and without the checkpoints', async () => {
    const { world, directory, log } = await cleanedLog()
    const after = await recordsOf(log)
    await drive(world.clock, log.whenDurable(log.endOffset))
    await world.clock.run(2000)
    const deleted = compactedConfig({ cleanupPolicy: 'delete', retentionMs: -1 })
    const crashed = await reopened(world.disk.clone().crashProcess(), world, deleted)
    expect(await recordsOf(crashed.log)).toEqual(after)
    await drive(world.clock, directory.close())
    for (const name of ['cleaner', 'sparse']) world.disk.unlink(`/data/${name}-offset-checkpoint`)
    world.disk.unlink('/data/clean.json')
    const bare = await reopened(world.disk, world)
    expect(await recordsOf(bare.log)).toEqual(after)
  })

  test('a gap that compaction did not make is damage still', async () => {
    const world = simWorld()
    const { directory, log } = await open(world)
    await fill(world, log)
    await cleaned(world, directory)
    await fill(world, log, { count: 30 })
    // The checkpoint follows the flush.
    await world.clock.run(2000)
    const disk = world.disk.clone().crashProcess()
    const bases = disk.list(folder).filter(name => name.endsWith('.log'))
    disk.unlink(`${folder}/${bases.at(-3)!}`)
    const { log: again } = await reopened(disk, world, compactedConfig({ cleanupPolicy: 'delete' }))
    expect(again.offline).toMatch(/is missing|not \d+|ends at offset/)
  })
})

test('a tombstone goes when its time has come, and takes nothing with it', async () => {
  const world = simWorld()
  const { directory, log } = await open(world, compactedConfig({ deleteRetentionMs: 60_000 }))
  await put(world, log, [
    { key: 'a', value: '1' },
    { key: 'b', value: '1' },
  ])
  await put(world, log, [{ key: 'a', value: null }])
  await fill(world, log, { count: 12 })
  await cleaned(world, directory)
  expect((await recordsOf(log)).slice(0, 2)).toEqual([
    [1, 'b', '1'],
    [2, 'a', null],
  ])
  await world.clock.run(60_000)
  await fill(world, log, { count: 12 })
  await cleaned(world, directory, 2)
  expect((await recordsOf(log)).filter(([, key]) => key === 'a')).toEqual([])
  expect((await recordsOf(log))[0]).toEqual([1, 'b', '1'])
})

test('a tombstone stays where the wall clock jumps past its time, and goes when the clock has stood there for an hour', async () => {
  const world = simWorld()
  const { directory, log } = await open(world, compactedConfig({ deleteRetentionMs: 60_000 }))
  const tombstones = async () => (await recordsOf(log)).filter(([, , value]) => value === null)
  await put(world, log, [{ key: 'a', value: '1' }])
  await put(world, log, [{ key: 'a', value: null }])
  await fill(world, log, { count: 12 })
  await cleaned(world, directory)
  world.clock.jump(365 * 86_400_000)
  await fill(world, log, { count: 12 })
  await cleaned(world, directory, 2)
  expect(await tombstones()).toEqual([[1, 'a', null]])
  await world.clock.run(3_600_000)
  await fill(world, log, { count: 12 })
  await cleaned(world, directory, 3)
  expect(await tombstones()).toEqual([])
})

test('a producer is known by its last sequence after all of its records are gone', async () => {
  const world = simWorld()
  const { directory, log } = await open(world)
  const producer = { producerId: 5, producerEpoch: 1, baseSequence: 0 }
  await put(
    world,
    log,
    [
      { key: 'k0', value: 'x' },
      { key: 'k0', value: 'y' },
    ],
    producer,
  )
  await fill(world, log)
  await cleaned(world, directory)
  expect((await recordsOf(log)).filter(([, , value]) => value === 'y')).toEqual([])
  for (const name of world.disk.list(folder)) {
    if (name.endsWith('.producers')) world.disk.unlink(`${folder}/${name}`)
  }
  const next = worldOn(world.disk.crashProcess(), world)
  const { log: again } = await open(next)
  expect(again.producers.stateOf(5)).toMatchObject({
    epoch: 1,
    batches: [{ baseOffset: 0, lastOffsetDelta: 1, firstSequence: 0 }],
  })
})

describe('compact,delete', () => {
  test('removes what is too old, compacted or not', async () => {
    const config = compactedConfig({ cleanupPolicy: 'compact,delete', retentionMs: 30_000 })
    const { world, log } = await cleanedLog(config)
    await world.clock.run(40_000)
    await drive(world.clock, log.applyRetention(world.clock.now()))
    expect(log.startOffset).toBe(40)
    expect(await recordsOf(log)).toEqual([])
  })
})

describe('the page cache', () => {
  /** What of the closed segments lies there after a cleaning that began with `evicted` of it. */
  async function cachedAfter(isEvicted: boolean): Promise<{ coldBytes: number; cached: boolean }> {
    const world = simWorld()
    // Each segment is more than a page, and nothing of it is superfluous.
    const config = compactedConfig({ segmentBytes: 20_000 })
    const { directory, log } = await open(world, config)
    for (let at = 0; at < 20; at++) {
      await put(world, log, [{ key: `k${at}`, value: 'x'.repeat(5000) }])
    }
    await drive(world.clock, log.whenDurable(log.endOffset))
    const [first] = world.disk.list(folder).filter(name => name.endsWith('.log'))
    const path = `${folder}/${first}`
    const file = world.disk.open(path, 'read')
    if (isEvicted) world.disk.evict(path)
    await cleaned(world, directory)
    return { coldBytes: world.disk.coldBytesAsync, cached: file.isResident(0, 12_288) ?? true }
  }

  test('keeps what others had there, and nothing that only the cleaner read', async () => {
    expect(await cachedAfter(false)).toEqual({ coldBytes: 0, cached: true })
    const cold = await cachedAfter(true)
    expect(cold.cached).toBe(false)
    // Twice: once for the keys, once for the records.
    expect(cold.coldBytes).toBeGreaterThan(20_000)
  })
})
