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
import { logId, openDirectory, simWorld } from '../../../../test/helpers/logs.ts'
import { inlineCompaction } from '../../../../sim/inline-compaction.ts'
import { SimDisk } from '../../../../sim/disk.ts'
import { logDirectoryName } from '../log-id.ts'
import type { LogDirectory } from '../directory/log-directory.ts'
import type { Log } from '../log.ts'
import type { CompactionLane } from './compaction-lane.ts'
import { LaneError } from './outcome.ts'

const folderOf = (partition: number) => `/data/${logDirectoryName(logId(partition))}`

interface Warning {
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

interface Wish {
  readonly disk?: SimDisk
  readonly settings?: object
  readonly lane?: () => CompactionLane
  readonly config?: Parameters<typeof compactedConfig>[0]
}

/** Two compacted logs of 40 records each, and what is said about them. */
async function twoLogs({ disk, settings = {}, lane = inlineCompaction, config = {} }: Wish = {}) {
  const world = simWorld(disk)
  const warnings: Warning[] = []
  const warn = (message: string, fields: Warning['fields']) => warnings.push({ message, fields })
  const options = { settings, compactionLane: lane, hooks: { warn } }
  const directory: LogDirectory = await drive(world.clock, openDirectory(world, options))
  const logs: Log[] = []
  for (const partition of [0, 1]) {
    const log = await drive(
      world.clock,
      directory.openLog(logId(partition), compactedConfig(config)),
    )
    await fill(world, log)
    logs.push(log)
  }
  const [first, second] = logs as [Log, Log]
  const setAside = () => directory.cleanerNumbers().uncleanablePartitions
  const left = (partition: number) =>
    world.disk.list(folderOf(partition)).filter(name => /cleaned|swap/.test(name))
  return { world, directory, first, second, warnings, setAside, left }
}

/** What is written into segments that are being cleaned, or synced of them, from now on. */
function writesOf(disk: SimDisk): string[] {
  const writes: string[] = []
  disk.onOperation(({ name, path }) => {
    const isWrite = name.startsWith('write') || name === 'sync'
    if (isWrite && path.endsWith('.cleaned')) writes.push(path)
  })
  return writes
}

describe('a segment that is damaged', () => {
  test('sets its log aside, once, with the place; the others go on', async () => {
    const { world, directory, first, second, warnings, setAside, left } = await twoLogs()
    const before = await recordsOf(first)
    const path = `${folderOf(0)}/${world.disk.list(folderOf(0)).filter(name => name.endsWith('.log'))[3]}`
    const file = world.disk.open(path, 'write')
    file.write(80, [Uint8Array.of(0x21)])
    file.close()
    await cleaned(world, directory)
    await world.clock.run(100_000)
    expect(setAside()).toBe(1)
    expect(directory.cleanerNumbers().uncleanableBytes).toBeGreaterThan(1000)
    expect(warnings).toEqual([
      {
        message: expect.stringContaining('Set a log aside that cannot be cleaned'),
        fields: {
          log: 'orders-0',
          reason: expect.stringContaining(`${path} is damaged at byte 0`),
        },
      },
    ])
    expect(second.sizeBytes).toBeLessThan(1000)
    expect(left(0)).toEqual([])
    // Nothing was taken from it, and it serves.
    expect(first.offline).toBe(null)
    expect((await recordsOf(first)).length).toBe(before.length)
  })

  test('keeps what was not reached, where it is found in the middle of the writing', async () => {
    const gate = gatedCompaction('keep')
    const { world, directory, first, setAside, left } = await twoLogs({ lane: gate.lane })
    await world.clock.run(15_000)
    await gate.reached
    const name = world.disk.list(folderOf(0)).filter(each => each.endsWith('.log'))[3]
    const file = world.disk.open(`${folderOf(0)}/${name}`, 'write')
    const sound = new Uint8Array(1)
    file.read(80, sound)
    file.write(80, [Uint8Array.of(sound[0]! ^ 1)])
    gate.go()
    await cleaned(world, directory)
    expect(setAside()).toBe(1)
    expect(left(0)).toEqual([])
    // Made good, it is cleaned to its end when something of its topic is changed.
    file.write(80, [sound])
    first.configure(compactedConfig())
    await cleaned(world, directory, 2)
    expect(setAside()).toBe(0)
    const after = await recordsOf(first)
    expect(new Map(after.map(([offset, key]) => [key, offset])).get('k0')).toBe(39)
    expect(after.length).toBeLessThan(10)
  })

  test('or that the device does not give back', async () => {
    const disk = new SimDisk()
    const { world, directory, second, setAside, warnings } = await twoLogs({ disk })
    disk.failNext({ operation: 'readAsync', pathPattern: /orders-0.*\.log$/, code: 'EIO' })
    await cleaned(world, directory)
    expect(setAside()).toBe(1)
    expect(warnings[0]!.fields['reason']).toMatch(/readAsync of .* failed with EIO/)
    expect(second.sizeBytes).toBeLessThan(1000)
    expect(directory.failure).toBe(null)
  })
})

describe('a full disk', () => {
  test.each([
    ['writeAsync', /\.cleaned$/],
    ['create', /\.cleaned$/],
    ['rename', /\.cleaned$/],
  ] as const)('at a %s takes nothing, and is tried again', async (operation, pathPattern) => {
    const disk = new SimDisk()
    const { world, directory, first, warnings, left } = await twoLogs({ disk })
    const before = await recordsOf(first)
    disk.failNext({ operation, pathPattern, code: 'ENOSPC' })
    await cleaned(world, directory)
    expect(warnings).toEqual([
      {
        message: 'Could not clean a log; it is tried again',
        fields: expect.objectContaining({ retryInMs: 15_000 }),
      },
    ])
    expect([...left(0), ...left(1)]).toEqual([])
    expect(directory.failure).toBe(null)
    await cleaned(world, directory, 2)
    const after = await recordsOf(first)
    expect(new Map(after.map(([, key, value]) => [key, value]))).toEqual(
      new Map(before.map(([, key, value]) => [key, value])),
    )
    expect(after.length).toBeLessThan(10)
  })

  test('that stays full is tried less and less often', async () => {
    const disk = new SimDisk()
    const { world, warnings } = await twoLogs({ disk })
    for (let times = 0; times < 12; times++) {
      disk.failNext({ operation: 'create', pathPattern: /\.cleaned$/, code: 'ENOSPC' })
    }
    for (let turn = 0; turn < 2000; turn++) await world.clock.run(100)
    const waits = warnings.filter(({ fields }) => fields['log'] === 'orders-0')
    expect(waits.slice(0, 3).map(({ fields }) => fields['retryInMs'])).toEqual([
      15_000, 30_000, 60_000,
    ])
  })
})

describe('the directory fails', () => {
  test.each([
    ['sync', /\.cleaned$/],
    ['rename', /\.cleaned$/],
    ['rename', /\.swap$/],
  ] as const)('at a %s of %s that gives EIO', async (operation, pathPattern) => {
    const disk = new SimDisk()
    const { world, directory } = await twoLogs({ disk })
    disk.failNext({ operation, pathPattern, code: 'EIO' })
    await world.clock.run(16_000)
    expect(directory.failure).toMatchObject({ operation, code: 'EIO' })
    expect(directory.cleanerNumbers().runs).toBe(0)
  })
})

describe('keys that do not fit', () => {
  const batch = Array.from({ length: 60 }, (_, at) => ({ key: `many-${at}`, value: null }))

  test('all at once are cleaned in several runs', async () => {
    // Room for 43,000 keys is the least that can be set: so the load is what makes it small.
    const settings = { logCleanerIoBufferLoadFactor: 1.7 / 43_690 }
    const world = simWorld()
    const directory = await drive(
      world.clock,
      openDirectory(world, { settings: { ...settings, logCleanerDedupeBufferSize: 1024 * 1024 } }),
    )
    const log = await drive(world.clock, directory.openLog(logId(), compactedConfig()))
    await fill(world, log, { count: 40, keyCount: 5 })
    await world.clock.run(14_000)
    for (let turn = 0; turn < 3000; turn++) await world.clock.run(1)
    expect(directory.cleanerNumbers().runs).toBeGreaterThan(5)
    expect(directory.cleanerNumbers().uncleanablePartitions).toBe(0)
    const after = await recordsOf(log)
    expect(after.slice(-5).map(([offset]) => offset)).toEqual([35, 36, 37, 38, 39])
    expect(after.length).toBeLessThan(12)
  })

  test('of one batch set the log aside, until there is room for them', async () => {
    const settings = { logCleanerDedupeBufferSize: 24 * 50, logCleanerIoBufferLoadFactor: 0.9 }
    const { world, directory, first, warnings, setAside, second } = await twoLogs({
      settings,
      config: { segmentBytes: 4000 },
    })
    await put(world, first, batch)
    await fill(world, first, { count: 60 })
    await cleaned(world, directory)
    await world.clock.run(60_000)
    expect(setAside()).toBe(1)
    expect(warnings.at(-1)!.fields['reason']).toMatch(/raise log.cleaner.dedupe.buffer.size/)
    settings.logCleanerDedupeBufferSize = 24 * 5000
    expect(second.offline).toBe(null)
  })
})

describe('a log that is being cleaned', () => {
  test('can be removed at once', async () => {
    const gate = gatedCompaction('filter')
    const { world, directory, left, second } = await twoLogs({ lane: gate.lane })
    await world.clock.run(15_000)
    await gate.reached
    const removed = directory.remove(logId(0))
    await world.clock.settle()
    // Not under the cleaner's hands.
    expect(world.disk.stat(folderOf(0))).not.toBe(null)
    const writes = writesOf(world.disk)
    gate.go()
    await drive(world.clock, removed)
    expect(writes).toEqual([])
    await world.clock.run(70_000)
    expect(world.disk.stat(folderOf(0))).toBe(null)
    expect(second.sizeBytes).toBeLessThan(1000)
    expect(left(1)).toEqual([])
  })

  test('does not keep the directory from closing, cleanly', async () => {
    const gate = gatedCompaction('filter')
    const { world, directory, left } = await twoLogs({ lane: gate.lane })
    await world.clock.run(15_000)
    await gate.reached
    const closed = directory.close()
    await world.clock.run(1000)
    expect(world.disk.stat('/data/clean.json')).toBe(null)
    const writes = writesOf(world.disk)
    gate.go()
    await drive(world.clock, closed)
    expect(writes).toEqual([])
    expect([...left(0), ...left(1)]).toEqual([])
    expect(world.disk.stat('/data/clean.json')).not.toBe(null)
  })

  test('is left as it is where its directory fails', async () => {
    const gate = gatedCompaction('filter')
    const { world, directory, first } = await twoLogs({ lane: gate.lane })
    await world.clock.run(15_000)
    await gate.reached
    world.disk.failNext({ operation: 'sync', pathPattern: /\.log$/, code: 'EIO' })
    await put(world, first, [{ key: 'k', value: 'v' }])
    await world.clock.run(2000)
    expect(directory.failure).not.toBe(null)
    const writes = writesOf(world.disk)
    gate.go()
    await world.clock.run(100_000)
    expect(writes).toEqual([])
    expect(directory.cleanerNumbers().runs).toBe(0)
  })

  test('stays as it is where its policy changes', async () => {
    const gate = gatedCompaction('filter')
    const { world, directory, first, second } = await twoLogs({ lane: gate.lane })
    await world.clock.run(15_000)
    await gate.reached
    for (const log of [first, second]) log.configure(compactedConfig({ cleanupPolicy: 'delete' }))
    gate.go()
    await world.clock.run(60_000)
    expect(directory.cleanerNumbers().runs).toBe(0)
    expect(await recordsOf(first)).toHaveLength(40)
  })

  test('does not keep DeleteRecords and retention waiting, and gives way to them', async () => {
    const gate = gatedCompaction('filter')
    const { world, directory, first } = await twoLogs({ lane: gate.lane })
    await world.clock.run(15_000)
    await gate.reached
    await drive(world.clock, first.raiseStartOffset(25))
    expect(first.startOffset).toBe(25)
    gate.go()
    await cleaned(world, directory, 2)
    const after = await recordsOf(first)
    expect(new Map(after.map(([offset, key]) => [key, offset]))).toEqual(
      new Map([
        ['k1', 37],
        ['k2', 38],
        ['k0', 39],
      ]),
    )
    expect(first.startOffset).toBe(25)
  })

  test('grows meanwhile, and what came later is cleaned the next time', async () => {
    const gate = gatedCompaction('keep')
    const { world, directory, first } = await twoLogs({ lane: gate.lane })
    await world.clock.run(15_000)
    await gate.reached
    await fill(world, first)
    gate.go()
    await cleaned(world, directory, 3)
    const after = await recordsOf(first)
    expect(after.length).toBeLessThan(12)
    expect(after.at(-1)![0]).toBe(79)
  })
})

test('a thread that ends is told, and another one goes on', async () => {
  let count = 0
  const lane = (): CompactionLane => {
    const inner = inlineCompaction()
    const isBroken = ++count === 1
    return {
      call(name, argument) {
        if (isBroken && name === 'filter') return Promise.reject(new LaneError('it ended'))
        return inner.call(name, argument)
      },
      close: () => {},
    }
  }
  const { world, directory, warnings, left } = await twoLogs({ lane })
  await cleaned(world, directory)
  expect(directory.cleanerNumbers().threadFailures).toBe(1)
  expect(warnings[0]).toMatchObject({ fields: { error: 'it ended' } })
  await cleaned(world, directory, 2)
  expect([...left(0), ...left(1)]).toEqual([])
})
