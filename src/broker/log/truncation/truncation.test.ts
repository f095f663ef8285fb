import { afterEach, beforeEach, describe, expect, test } from 'vitest'
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
  type LogWorld,
} from '../../../../test/helpers/logs.ts'
import { logDirectoryName } from '../log-id.ts'
import type { LogConfig } from '../log-config.ts'
import type { Log } from '../log.ts'

const folder = `/data/${logDirectoryName(logId())}`

/** Small segments: three batches in each. */
const config = logConfig({ segmentBytes: 400, indexIntervalBytes: 1 })

/** A log of `count` batches of two records, each in an epoch of its own for five batches. */
async function filled(count: number, over: Partial<LogConfig> = {}, world = simWorld()) {
  const directory = await drive(
    world.clock,
    openDirectory(world, { settings: { growthStepBytes } }),
  )
  const log = await drive(world.clock, directory.openLog(logId(), { ...config, ...over }))
  for (let at = 0; at < count; at++) await put(world, log, at)
  return { world, directory, log }
}

async function put(world: LogWorld, log: Log, at: number, leaderEpoch = Math.floor(at / 5)) {
  const producer = { producerId: at % 3, producerEpoch: 0, baseSequence: 2 * Math.floor(at / 3) }
  const records = batchOf(2, { ...producer, valueBytes: 20 + (at % 2) })
  expect(await append(world, log, records, { leaderEpoch })).toMatchObject({ ok: true })
}

async function reopened(world: LogWorld, kind: 'process' | 'stop' = 'process') {
  const disk = kind === 'process' ? world.disk.crashProcess() : world.disk.clone()
  const next = worldOn(disk, world)
  const directory = await drive(next.clock, openDirectory(next))
  return {
    world: next,
    directory,
    log: await drive(next.clock, directory.openLog(logId(), config)),
  }
}

/** All that a log says of itself. */
async function told(log: Log) {
  const epochs = [...Array(8).keys()].map(epoch => log.endOfEpoch(epoch))
  return {
    bytes: await readAll(log),
    start: log.startOffset,
    end: log.endOffset,
    size: log.sizeBytes,
    epochs,
    producers: Array.from(log.producers.states(), ({ producerId, epoch, batches }) => ({
      producerId,
      epoch,
      batches,
    })).toSorted((one, other) => one.producerId - other.producerId),
  }
}

/** What is more than four times as much is not copied. */
let growthStepBytes = 1024

describe.each([
  ['what stays is copied', 1024],
  ['what stays is kept where it is', 10],
])('a log that is cut at its end: %s', (_, stepBytes) => {
  beforeEach(() => void (growthStepBytes = stepBytes))
  afterEach(() => void (growthStepBytes = 1024))

  test.each([
    ['inside of the last segment', 29],
    ['where a segment begins', 12],
    ['in an earlier segment', 15],
    ['inside of a batch, which goes whole', 17],
    ['where it begins', 0],
  ])('%s is as one that never had more', async (_, offset) => {
    const { world, directory, log } = await filled(15)
    const whole = Math.floor(offset / 2)
    await drive(world.clock, log.truncateTo(offset))
    const twin = await filled(whole)
    expect(await told(log)).toEqual(await told(twin.log))
    expect(log.endOffset).toBe(whole * 2)
    // It goes on as one, through a stop and through a crash.
    const crashed = await reopened({ ...world, disk: world.disk.clone() })
    expect(await told(crashed.log)).toEqual(await told(twin.log))
    for (let at = whole; at < whole + 9; at++) {
      await put(world, log, at, 7)
      await put(twin.world, twin.log, at, 7)
    }
    expect(await told(log)).toEqual(await told(twin.log))
    await drive(world.clock, log.whenDurable(log.endOffset))
    await drive(world.clock, directory.close())
    const again = await reopened(world, 'stop')
    expect(again.directory.startClass).toBe('A')
    expect(await told(again.log)).toEqual(await told(twin.log))
  })

  test('is cut again, and again', async () => {
    const { world, log } = await filled(15)
    for (const offset of [27, 20, 14, 13, 2]) {
      await drive(world.clock, log.truncateTo(offset))
      const twin = await filled(Math.floor(offset / 2))
      expect(await told(log)).toEqual(await told(twin.log))
      await put(world, log, log.endOffset / 2, 7)
      await drive(world.clock, log.truncateTo(offset - 1))
    }
    await world.clock.run(60_000)
    expect(world.disk.list(folder).filter(name => /deleted|cleaned|swap/.test(name))).toEqual([])
  })

  test('keeps all where the cut is at its end or behind, but not an epoch that has no records', async () => {
    const { world, log } = await filled(4)
    log.noteEpoch(6)
    const before = await readAll(log)
    await drive(world.clock, log.truncateTo(8))
    expect([log.endOffset, log.latestEpoch]).toEqual([8, 0])
    await drive(world.clock, log.truncateTo(100))
    expect(await readAll(log)).toEqual(before)
  })

  test('gives who reads the old bytes whole, or the new ones', async () => {
    const { world, log } = await filled(9)
    const read = await log.read(16, { maxBytes: 4096, upToOffset: 18, minOneBatch: true })
    if (read.kind !== 'range') throw new Error(read.kind)
    const old = new Uint8Array(read.length)
    read.file.read(read.position, old)
    const release = read.file.hold()
    await drive(world.clock, log.truncateTo(16))
    const other = batchOf(2, { producerId: 8, producerEpoch: 0, baseSequence: 0, valueBytes: 20 })
    expect(other.length).toBe(old.length)
    await append(world, log, other, { leaderEpoch: 5 })
    const now = new Uint8Array(read.length)
    read.file.read(read.position, now)
    expect(now).toEqual(old)
    release()
    expect(await readAll(log, 16)).not.toEqual(old)
  })

  test('appends what comes meanwhile behind the cut', async () => {
    const { world, log } = await filled(9)
    const cut = log.truncateTo(10)
    const appended = append(world, log, batchOf(1), { leaderEpoch: 3 })
    await drive(world.clock, cut)
    expect(await appended).toMatchObject({ ok: true, baseOffset: 10 })
    expect(batchesIn(await readAll(log)).at(-1)).toMatchObject({ baseOffset: 10, lastOffset: 10 })
  })

  test('is durable as far as it is there, and who waited for more is told', async () => {
    const world = simWorld()
    const syncs = gateSyncs(world)
    const { log } = await filled(9, { flushPolicy: 'os' }, world)
    const waiting = expect(log.whenDurable(18)).rejects.toThrow('cut before')
    const below = log.whenDurable(4)
    await world.clock.settle()
    const cut = log.truncateTo(10)
    syncs.go()
    await drive(world.clock, cut)
    await waiting
    await drive(world.clock, below)
    expect(log.durableOffset).toBeLessThanOrEqual(10)
    await put(world, log, 5, 4)
    await drive(world.clock, log.whenDurable(12))
    expect(log.durableOffset).toBe(12)
  })

  test('is left as it was where there is no room for what stays', async () => {
    const { world, log } = await filled(9)
    const before = await told(log)
    world.disk.failNext({ operation: 'create', pathPattern: /\.cleaned$/, code: 'ENOSPC' })
    await expect(drive(world.clock, log.truncateTo(15))).rejects.toThrow('ENOSPC')
    expect(await told(log)).toEqual(before)
    expect(log.offline).toBe(null)
    await drive(world.clock, log.whenDurable(18))
    await drive(world.clock, log.truncateTo(15))
    expect(log.endOffset).toBe(14)
  })

  test('is not cut where it is out of service', async () => {
    const { world, directory, log } = await filled(3)
    await drive(world.clock, directory.close())
    await expect(drive(world.clock, log.truncateTo(2))).rejects.toThrow('was not cut')
  })
})

describe('a log that begins anew', () => {
  test.each([
    ['behind its end', 0, 100],
    ['at its end', 0, 30],
    ['in its middle', 0, 15],
    ['where it begins', 12, 12],
    ['before it begins', 13, 12],
    ['before its first segment', 13, 3],
  ])('%s is empty there', async (_, startOffset, offset) => {
    const { world, log } = await filled(15)
    await drive(world.clock, log.raiseStartOffset(startOffset))
    await drive(world.clock, log.truncateFullyAndStartAt(offset))
    expect([log.startOffset, log.endOffset, log.sizeBytes]).toEqual([offset, offset, 0])
    expect([log.latestEpoch, log.producers.size, log.segmentCount]).toEqual([-1, 0, 1])
    const crashed = await reopened({ ...world, disk: world.disk.clone() })
    expect([crashed.log.startOffset, crashed.log.endOffset]).toEqual([offset, offset])
    await put(world, log, 0, 4)
    expect(batchesIn(await readAll(log))).toEqual([
      { baseOffset: offset, lastOffset: offset + 1, position: 0 },
    ])
    const again = await reopened(world)
    expect([again.log.startOffset, again.log.endOffset]).toEqual([offset, offset + 2])
    expect(again.log.latestEpoch).toBe(4)
  })

  test('cut below its start it begins where it ends', async () => {
    const { world, log } = await filled(15)
    await drive(world.clock, log.raiseStartOffset(15))
    await drive(world.clock, log.truncateTo(14))
    expect([log.startOffset, log.endOffset]).toEqual([14, 14])
    await put(world, log, 7, 4)
    const again = await reopened(world)
    expect([again.log.startOffset, again.log.endOffset]).toEqual([14, 16])
  })
})

/** Syncs of segments end when they may. */
function gateSyncs({ disk }: LogWorld) {
  const { promise, resolve } = Promise.withResolvers<void>()
  const open = disk.open.bind(disk)
  disk.open = (path, mode) => {
    const file = open(path, mode)
    const sync = file.sync.bind(file)
    if (path.endsWith('.log')) file.sync = () => promise.then(sync)
    return file
  }
  return { go: resolve }
}
