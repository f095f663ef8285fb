import { describe, expect, test } from 'vitest'
import { drive } from '../../../../test/helpers/drive.ts'
import {
  cleaned,
  compactedConfig,
  fill,
  put,
  recordsOf,
} from '../../../../test/helpers/keyed-log.ts'
import {
  logConfig,
  logId,
  openDirectory,
  simWorld,
  type LogWorld,
} from '../../../../test/helpers/logs.ts'
import type { Log } from '../log.ts'

async function open(world: LogWorld, config = compactedConfig(), settings = {}) {
  const directory = await drive(world.clock, openDirectory(world, { settings }))
  const log = await drive(world.clock, directory.openLog(logId(), config))
  return { directory, log }
}

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
    const world = simWorld()
    const { directory, log } = await open(world)
    await fill(world, log)
    await cleaned(world, directory)
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
