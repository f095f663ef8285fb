import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SimClock } from '../../../../sim/clock.ts'
import { SimDisk } from '../../../../sim/disk.ts'
import { drive } from '../../../../test/helpers/drive.ts'
import {
  append,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  simWorld,
  type LogWorld,
} from '../../../../test/helpers/logs.ts'
import { DiskError } from '../../../env/env.ts'
import { deferred } from '../../../lib/deferred.ts'
import type { Flushable } from '../log-host.ts'
import { FlushScheduler } from './flush-scheduler.ts'

/** So much that a start would not read it all for the epochs. */
const notBrief = () => batchOf(1, { valueBytes: 20_000 })

/** A world that writes down its syncs. */
function watched(world: LogWorld): string[] {
  const syncs: string[] = []
  world.disk.onOperation(({ name, path }) => {
    if (name === 'syncFileSystem' || (name === 'sync' && path.endsWith('.log'))) syncs.push(name)
  })
  return syncs
}

test('interval: a log is flushed when its oldest byte has the age', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig({ flushMs: 1000 }))
  const syncs = watched(world)
  await append(world, log, batchOf(3))
  expect(log.durableOffset).toBe(0)
  expect(directory.unflushedBytes).toBe(log.sizeBytes)
  await world.clock.run(600)
  await append(world, log, batchOf(3))
  expect(directory.unflushedAgeMs).toBe(600)
  await world.clock.run(399)
  expect(syncs).toEqual([])
  await world.clock.run(1)
  expect(syncs).toEqual(['sync'])
  expect([log.durableOffset, directory.unflushedBytes, directory.unflushedAgeMs]).toEqual([6, 0, 0])
  await world.clock.run(10_000)
  expect(syncs.length).toBe(1)
})

test.each([
  { policy: { flushPolicy: 'interval', flushMs: 1000 }, lateMs: 9000 },
  { policy: { flushPolicy: 'interval', flushMs: 3_600_000 }, lateMs: 0 },
  { policy: { flushPolicy: 'ack' }, lateMs: 10_000 },
  { policy: { flushPolicy: 'os' }, lateMs: 0 },
  { policy: { flushPolicy: 'os', flushMessages: 1 }, lateMs: 10_000 },
] as const)('a flush that does not end is late by when it was due: $policy', async test => {
  const clock = new SimClock()
  let syncMs = 1
  const disk = new SimDisk({ later: act => void clock.after(syncMs, act) })
  const world = { ...simWorld(disk), clock }
  const env = { ...world.env, clock }
  const directory = await drive(clock, openDirectory({ ...world, env }))
  const log = await drive(clock, directory.openLog(logId(), logConfig(test.policy)))
  syncMs = 60_000
  await append({ clock }, log, batchOf(1))
  await clock.run(10_000)
  const { unflushedAgeMs, flushOverdueMs } = directory.numbers()
  expect(flushOverdueMs).toBe(test.lateMs)
  expect(unflushedAgeMs).toBeGreaterThanOrEqual(9000)
})

test('ack: every append is flushed at once, several of one turn together', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig({ flushPolicy: 'ack' }))
  const syncs = watched(world)
  log.append(batchOf(1), { leaderEpoch: 0, origin: 'client' }, () => {})
  log.append(batchOf(1), { leaderEpoch: 0, origin: 'client' }, () => {})
  await world.clock.settle()
  expect([log.durableOffset, syncs.length]).toEqual([2, 1])
})

test.each(['interval', 'os'] as const)(
  'flush.messages under %s: a flush begins when so many records have none',
  async flushPolicy => {
    const world = simWorld()
    const directory = await openDirectory(world)
    const config = logConfig({ flushPolicy, flushMessages: 5, flushMs: 1e9 })
    const log = await directory.openLog(logId(), config)
    const syncs = watched(world)
    await append(world, log, batchOf(4))
    expect([log.durableOffset, syncs.length]).toEqual([0, 0])
    await append(world, log, batchOf(1))
    expect([log.durableOffset, syncs.length]).toEqual([5, 1])
    await append(world, log, batchOf(4))
    expect([log.durableOffset, syncs.length]).toEqual([5, 1])
    await append(world, log, batchOf(3))
    expect([log.durableOffset, syncs.length]).toEqual([12, 2])
    // Fewer are enough from now on, for what is written already too.
    await append(world, log, batchOf(2))
    log.configure({ ...config, flushMessages: 2 })
    await world.clock.settle()
    expect([log.durableOffset, syncs.length]).toEqual([14, 3])
  },
)

test('flush.messages: what a flush under way covers calls for no other', async () => {
  const clock = new SimClock()
  const disk = new SimDisk({ later: act => void clock.after(10, act) })
  const world = { ...simWorld(disk), clock }
  const env = { ...world.env, clock }
  const directory = await drive(clock, openDirectory({ ...world, env }))
  const config = logConfig({ flushMessages: 5, flushMs: 1e9 })
  const log = await drive(clock, directory.openLog(logId(), config))
  const syncs = watched({ ...world, disk })
  await append({ clock }, log, batchOf(5))
  await append({ clock }, log, batchOf(4))
  await clock.run(100)
  expect([log.durableOffset, syncs.length]).toEqual([5, 1])
  await append({ clock }, log, batchOf(1))
  await append({ clock }, log, batchOf(5))
  await clock.run(100)
  expect([log.durableOffset, syncs.length]).toEqual([15, 3])
})

test('flush.ms=0: what is written is flushed at once, and then nothing runs', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig({ flushMs: 0 }))
  const syncs = watched(world)
  await append(world, log, batchOf(1))
  await world.clock.run(1)
  expect([log.durableOffset, syncs.length]).toEqual([1, 1])
  await world.clock.run(1000)
  expect(syncs.length).toBe(1)
})

test('os: nothing is flushed, but who waits gets what he waits for', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig({ flushPolicy: 'os' }))
  await append(world, log, batchOf(1))
  await world.clock.run(100_000)
  expect(log.durableOffset).toBe(0)
  await drive(world.clock, log.whenDurable(1))
  expect(log.durableOffset).toBe(1)
})

test('many dirty logs are flushed by one flush of the file system', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  const logs = await Promise.all(
    Array.from({ length: 20 }, (_, partition) =>
      directory.openLog(logId(partition), logConfig({ flushMs: 100 })),
    ),
  )
  const syncs = watched(world)
  for (const log of logs) await append(world, log, batchOf(1))
  await world.clock.run(200)
  for (let turn = 0; turn < 10; turn++) await world.clock.settle()
  expect(syncs).toEqual(['syncFileSystem'])
  expect(logs.map(({ durableOffset }) => durableOffset)).toEqual(logs.map(() => 1))
})

test('at most four flushes are under way at the same time', async () => {
  const clock = new SimClock()
  let underWay = 0
  let most = 0
  const disk = new SimDisk({ later: act => void clock.after(10, act) })
  const world = { ...simWorld(disk), clock }
  const env = { ...world.env, clock }
  const directory = await drive(clock, openDirectory({ ...world, env }))
  const logs = []
  for (let partition = 0; partition < 12; partition++) {
    logs.push(await drive(clock, directory.openLog(logId(partition), logConfig({ flushMs: 50 }))))
  }
  for (const log of logs) await append({ clock }, log, batchOf(1))
  disk.onOperation(({ name, path }) => {
    if (name !== 'sync' || !path.endsWith('.log')) return
    most = Math.max(most, ++underWay)
    clock.after(10, () => underWay--)
  })
  await clock.run(1000)
  expect(logs.every(({ durableOffset }) => durableOffset === 1)).toBe(true)
  expect(most).toBe(4)
})

test('a failed fsync is final, is not tried again, and tells who waits', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig())
  await append(world, log, batchOf(1))
  const syncs = watched(world)
  world.disk.failNext({ operation: 'sync', pathPattern: /\.log$/, code: 'EIO' })
  await expect(drive(world.clock, log.whenDurable(1))).rejects.toMatchObject({ code: 'EIO' })
  expect(directory.failure).toMatchObject({ code: 'EIO', operation: 'sync' })
  expect(await append(world, log, batchOf(1))).toMatchObject({
    ok: false,
    error: 'KAFKA_STORAGE_ERROR',
  })
  await world.clock.run(10_000)
  expect(syncs).toEqual(['sync'])
  await directory.close()
  expect(world.disk.stat('/data/clean.json')).toBe(null)
  await expect(openDirectory(world)).rejects.toMatchObject({
    reason: 'failed',
    message: expect.stringContaining('failed.json'),
  })
})

test('no room for a leader-epoch checkpoint is no failure: the flush is tried again', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig({ flushMs: 10 }))
  world.disk.failNext({ operation: 'write', pathPattern: /leader-epoch/, code: 'ENOSPC' })
  await append(world, log, notBrief(), { leaderEpoch: 3 })
  await world.clock.run(100)
  expect([log.durableOffset, directory.failure]).toEqual([0, null])
  await world.clock.run(1000)
  expect([log.durableOffset, directory.failure]).toEqual([1, null])
})

test('the recovery point follows the flushes', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig({ flushMs: 10 }))
  await append(world, log, batchOf(4))
  await world.clock.run(3000)
  const { readSealed } = await import('../segment/sealed-file.ts')
  const kind = 'recovery-point-checkpoint'
  expect(readSealed({ ...world.env, path: `/data/${kind}`, kind })).toMatchObject({
    offsets: { [log.name]: 4 },
  })
})

test('interval: whatever is written or changed in whatever order, each log is flushed at its own time', async () => {
  const far = [3_600_000, 2 ** 31, 2 ** 53, 2 ** 63]
  const flushMs = fc.oneof(fc.nat({ max: 3000 }), fc.constantFrom(...far))
  const step = fc.record({
    at: fc.nat({ max: 2 }),
    // Half of the steps append, the others change a setting.
    change: fc.option(flushMs),
    thenMs: fc.nat({ max: 1500 }),
  })
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
  const run = async (first: number[], steps: readonly Step[]): Promise<void> => {
    const world = simWorld()
    const directory = await openDirectory(world)
    const logs = await Promise.all(
      first.map((ms, at) => directory.openLog(logId(at), logConfig({ flushMs: ms }))),
    )
    const flushed: string[] = []
    world.disk.onOperation(({ name, path }) => {
      if (name === 'sync' && path.endsWith('.log')) {
        flushed.push(`${logs.findIndex(log => path.includes(log.name))} ${world.clock.monotonic()}`)
      }
    })
    const config = [...first]
    const dirtySince = logs.map(() => Infinity)
    const expected: string[] = []
    const nowMs = () => world.clock.monotonic()
    for (const { at, change, thenMs } of steps) {
      if (change === null) {
        await append(world, logs[at]!, batchOf(1))
        dirtySince[at] = Math.min(dirtySince[at]!, nowMs())
      } else {
        logs[at]!.configure(logConfig({ flushMs: change }))
        config[at] = change
      }
      const untilMs = nowMs() + thenMs
      for (const [log, sinceMs] of dirtySince.entries()) {
        const dueMs = Math.max(nowMs(), sinceMs + config[log]!)
        if (dueMs > untilMs) continue
        expected.push(`${log} ${dueMs}`)
        dirtySince[log] = Infinity
      }
      await world.clock.run(thenMs)
      expect(flushed.toSorted()).toEqual(expected.toSorted())
    }
    await directory.close()
  }
  const cases = [fc.array(flushMs, { minLength: 3, maxLength: 3 }), fc.array(step)] as const
  await fc.assert(fc.asyncProperty(...cases, run), {
    // A topic that may wait an hour is written first; the others wait a second.
    examples: [
      [
        [3_600_000, 1000, 1000],
        [
          { at: 0, change: null, thenMs: 1 },
          { at: 1, change: null, thenMs: 1500 },
        ],
      ],
    ],
  })
})

test('a stricter policy is in force for what was written before, too', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig({ flushPolicy: 'os' }))
  await append(world, log, batchOf(1))
  log.configure(logConfig({ flushPolicy: 'interval', flushMs: 500 }))
  await world.clock.run(499)
  expect(log.durableOffset).toBe(0)
  await world.clock.run(1)
  expect(log.durableOffset).toBe(1)
  log.configure(logConfig({ flushPolicy: 'os' }))
  await append(world, log, batchOf(1))
  log.configure(logConfig({ flushPolicy: 'ack' }))
  await world.clock.settle()
  expect(log.durableOffset).toBe(2)
})

test('what found no room is tried again in a second, however long others may wait', async () => {
  const world = simWorld()
  const directory = await openDirectory(world)
  const patient = await directory.openLog(logId(0), logConfig({ flushMs: 3_600_000 }))
  const log = await directory.openLog(logId(1), logConfig({ flushMs: 10 }))
  await append(world, patient, batchOf(1))
  world.disk.failNext({ operation: 'write', pathPattern: /leader-epoch/, code: 'ENOSPC' })
  await append(world, log, notBrief(), { leaderEpoch: 3 })
  await world.clock.run(1009)
  expect(log.durableOffset).toBe(0)
  await world.clock.run(1)
  expect([log.durableOffset, patient.durableOffset]).toEqual([1, 0])
})

test('a flush of all ends when the last log is done, though the first found no room', async () => {
  const world = simWorld()
  const slow = deferred<void>()
  const abandoned: string[] = []
  const log = (name: string, endFlush: () => Promise<void>): Flushable => ({
    name,
    flushMs: 1000,
    flushPolicy: 'ack',
    hasFlushMessages: false,
    dirtyFileCount: 10,
    beginFlush: () => ({ endOffset: 1, files: [], directory: false, cutCount: 0 }),
    sync: async () => {},
    endFlush,
    abandonFlush: () => void abandoned.push(name),
  })
  const scheduler = new FlushScheduler({
    env: world.env,
    path: '/',
    onFlushed: () => {},
    onFailure: error => expect.unreachable(error.message),
  })
  const full = log('full', () => Promise.reject(new DiskError('write', '/full', 'ENOSPC')))
  const late = log('late', () => slow.promise)
  scheduler.noteDirty(full)
  scheduler.noteDirty(late)
  await world.clock.settle()
  let isRemoved = false
  const removed = scheduler.remove(late).then(() => (isRemoved = true))
  await world.clock.settle()
  expect([isRemoved, abandoned]).toEqual([false, []])
  slow.resolve()
  await removed
  expect(abandoned).toEqual(['full', 'late'])
  await scheduler.stop()
})
