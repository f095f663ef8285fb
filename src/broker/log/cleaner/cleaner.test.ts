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
  logConfig,
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

  test('whose segment is replaced while it is looked up is served from the new one', async () => {
    // Everything that may wait for the device takes 50 ms.
    const clock = new SimClock()
    const disk = new SimDisk({ later: act => clock.after(50, act) })
    const world = { ...simWorld(disk), clock, disk }
    const slow = { ...world, env: { ...world.env, clock } }
    const gate = gatedCompaction('endSegment')
    const { directory, log } = await open(slow, compactedConfig(), {}, gate.lane)
    await fill(slow, log)
    while (!gate.isReached()) await clock.run(50)
    // Nobody has the file open, and the index must be read: it takes three steps until the file is opened.
    log.restIdleSegments(Infinity)
    gate.go()
    await clock.run(30)
    const found = Promise.resolve(
      log.read(0, { maxBytes: 500, upToOffset: 40, minOneBatch: true, isLagging: true }),
    )
    const range = await drive(clock, found)
    expect(directory.cleanerNumbers().runs).toBe(0)
    if (range.kind !== 'range') throw new Error(`there is a range, not ${JSON.stringify(range)}`)
    const bytes = new Uint8Array(range.length)
    range.file.read(range.position, bytes)
    expect(checkCrc(bytes, 0, readBatchHeader(bytes, 0), crc32c)).toBe(true)
    expect(log.offline).toBe(null)
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

test('a log whose records wait for too long is cleaned, though little is dirty', async () => {
  const world = simWorld()
  const lag = { minCleanableDirtyRatio: 1, maxCompactionLagMs: 100_000 }
  const config = compactedConfig({ ...lag, segmentBytes: 4000 })
  const { directory, log } = await open(world, config)
  await fill(world, log, { count: 5 })
  await world.clock.run(150_000)
  // The active segment is closed by the next append: it is older than its records may wait.
  await put(world, log, [{ key: 'k0', value: 'new' }])
  await drive(world.clock, log.whenDurable(log.endOffset))
  await cleaned(world, directory)
  expect(log.sizeBytes).toBeLessThan(400)
})

describe('an idle broker', () => {
  test('with no compacted log has no timer for them', async () => {
    const world = simWorld()
    const { log, directory } = await open(world, logConfig())
    await drive(world.clock, log.whenDurable(0))
    const before = world.clock.timerCount
    await world.clock.run(120_000)
    expect(world.clock.timerCount).toBe(before)
    log.configure(compactedConfig())
    expect(world.clock.timerCount).toBe(before + 1)
    expect(directory.cleanerNumbers().runs).toBe(0)
  })

  test('looks once at a compacted log in which nothing is dirty', async () => {
    const { world } = await cleanedLog()
    await world.clock.run(30_000)
    const before = world.clock.timerCount
    const at = world.clock.nextAtMs
    await world.clock.run(30_000)
    expect(world.clock.timerCount).toBe(before)
    // The directory's own, once a minute and in ten minutes.
    expect(at).toBeGreaterThan(0)
  })
})

test('with log.cleaner.enable=false everything stays', async () => {
  const world = simWorld()
  const { directory, log } = await open(world, compactedConfig(), { logCleanerEnable: false })
  await fill(world, log)
  await world.clock.run(200_000)
  expect(directory.cleanerNumbers().runs).toBe(0)
  expect(await recordsOf(log)).toHaveLength(40)
})

test('reads and writes no more than it may in a second', async () => {
  const world = simWorld()
  const rate = { logCleanerIoMaxBytesPerSecond: 500 }
  const { directory, log } = await open(world, compactedConfig(), rate)
  await fill(world, log)
  await world.clock.run(15_000)
  const startedMs = world.clock.monotonic()
  for (let turn = 0; turn < 1000 && directory.cleanerNumbers().runs === 0; turn++) {
    await world.clock.run(50)
  }
  const { readBytes, writtenBytes } = directory.cleanerNumbers()
  const tookMs = world.clock.monotonic() - startedMs
  expect(tookMs).toBeGreaterThan(((readBytes + writtenBytes) / 500) * 900)
})

test('what is not on every replica yet stays, and makes nothing else superfluous', async () => {
  const world = simWorld()
  const options = { committedOffset: () => 13 }
  const directory = await drive(world.clock, openDirectory(world, options))
  const log = await drive(world.clock, directory.openLog(logId(), compactedConfig()))
  await fill(world, log)
  await cleaned(world, directory)
  const offsets = (await recordsOf(log)).map(([offset]) => offset)
  const stays = Array.from({ length: 27 }, (_, at) => 13 + at)
  expect(offsets.slice(-27)).toEqual(stays)
  // The last of each key below stays too, wherever their segment ends.
  expect(offsets.length).toBeLessThan(33)
  expect(offsets[0]).toBeGreaterThan(4)
})

test('two logs: the dirtier one first', async () => {
  const world = simWorld()
  const directory = await drive(world.clock, openDirectory(world))
  const logs: Log[] = []
  for (const partition of [0, 1]) {
    logs.push(await drive(world.clock, directory.openLog(logId(partition), compactedConfig())))
  }
  for (const log of logs) await fill(world, log)
  await cleaned(world, directory, 2)
  await fill(world, logs[0]!, { count: 8 })
  await fill(world, logs[1]!, { count: 60 })
  const order: string[] = []
  world.disk.onOperation(({ name, path }) => {
    if (name === 'create' && path.endsWith('.cleaned')) order.push(path.split('/')[2]!)
  })
  await cleaned(world, directory, 4)
  expect(order[0]).toBe(logs[1]!.name)
  expect(order.at(-1)).toBe(logs[0]!.name)
})
