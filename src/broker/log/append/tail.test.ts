import { expect, test } from 'vitest'
import {
  append,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  readAll,
  simWorld,
  worldOn,
} from '../../../../test/helpers/logs.ts'
import type { LogConfig } from '../log-config.ts'
import type { Log } from '../log.ts'

const day = 24 * 3_600_000
const week = 7 * day

async function oneLog(over: Partial<LogConfig> = {}) {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig(over))
  /** One record of each of these times; how many segments there are after each. */
  const counts = async (to: Log, ...timestamps: readonly number[]): Promise<number[]> => {
    const found: number[] = []
    for (const baseTimestamp of timestamps) {
      await append(world, to, batchOf(1, { baseTimestamp }))
      found.push(to.segmentCount)
    }
    return found
  }
  return { world, clock: world.clock, directory, log, counts }
}

test('a topic that is copied is closed by the time of its records, and what was too old goes', async () => {
  const { clock, log, counts } = await oneLog({ segmentMs: week, retentionMs: week })
  const from = clock.now() - 60 * day
  await counts(log, ...Array.from({ length: 60 }, (_, at) => from + at * day))
  expect(log.segmentCount).toBe(8)
  await log.applyRetention(clock.now())
  // A whole segment goes when its newest record is too old.
  expect(log.startOffset).toBe(48)
})

test('a segment is closed where a batch is more than segment.ms later than its first one', async () => {
  const { clock, log, counts } = await oneLog({ segmentMs: 1000 })
  const now = clock.now()
  expect(await counts(log, now, now + 1000)).toEqual([1, 1])
  // Nor is it closed by the clock.
  await clock.run(5000)
  expect(await counts(log, now + 500, now + 1000)).toEqual([1, 1])
  expect(await counts(log, now + 1001, now + 2001, now + 2002)).toEqual([2, 2, 3])
})

test('of several records the greatest timestamp counts', async () => {
  const { world, clock, log } = await oneLog({ segmentMs: 1000 })
  const now = clock.now()
  await append(world, log, batchOf(2, { timestamps: [now, now + 900] }))
  await append(world, log, batchOf(2, { timestamps: [now, now + 1900] }))
  expect(log.segmentCount).toBe(1)
  await append(world, log, batchOf(2, { timestamps: [now + 1901, now] }))
  expect(log.segmentCount).toBe(2)
})

test('times that go back close nothing, and one in the future closes once', async () => {
  const { clock, log, counts } = await oneLog({ segmentMs: 1000 })
  const now = clock.now()
  expect(await counts(log, now, now - week, now)).toEqual([1, 1, 1])
  expect(await counts(log, now + 3_000_000, now, now + 5000, now - week)).toEqual([2, 2, 2, 2])
})

test('where the first batch has no timestamp, the clock counts from when the segment was made', async () => {
  const { world, clock, log, directory, counts } = await oneLog({ segmentMs: 1000 })
  await clock.run(900)
  expect(await counts(log, -1)).toEqual([1])
  await clock.run(100)
  expect(await counts(log, clock.now() + 5000)).toEqual([1])
  await clock.run(1)
  expect(await counts(log, -1)).toEqual([2])
  await clock.run(1000)
  expect(await counts(log, -1)).toEqual([2])
  // It is made anew, as far as a start knows.
  await directory.close()
  const again = await openDirectory(worldOn(world.disk.clone(), world))
  const reopened = await again.openLog(logId(), logConfig({ segmentMs: 1000 }))
  await clock.run(1000)
  expect(await counts(reopened, -1)).toEqual([2])
  await clock.run(1)
  expect(await counts(reopened, -1)).toEqual([3])
})

test('a batch without a timestamp closes no segment whose first one has some', async () => {
  const { clock, log, counts } = await oneLog({ segmentMs: 1000 })
  expect(await counts(log, clock.now())).toEqual([1])
  await clock.run(5000)
  expect(await counts(log, -1)).toEqual([1])
})

test.each(['stop', 'kill'])('a log goes on after a %s as it would have without', async kind => {
  const { world, clock, log, directory, counts } = await oneLog({ segmentMs: 1000 })
  const later = clock.now() + 600_000
  await counts(log, later)
  if (kind === 'stop') await directory.close()
  const disk = kind === 'stop' ? world.disk.clone() : world.disk.crashProcess()
  const again = await openDirectory(worldOn(disk, world))
  const reopened = await again.openLog(logId(), logConfig({ segmentMs: 1000 }))
  expect(await counts(reopened, later + 1000, later + 1001)).toEqual([1, 2])
})

test('with LogAppendTime the broker’s time counts', async () => {
  const { clock, log, counts } = await oneLog({
    segmentMs: 1000,
    messageTimestampType: 'LogAppendTime',
  })
  expect(await counts(log, clock.now() - week, clock.now())).toEqual([1, 1])
  await clock.run(1000)
  expect(await counts(log, 0)).toEqual([1])
  await clock.run(1)
  expect(await counts(log, 0)).toEqual([2])
})

test('a follower closes its own segments, by the time of the batches that it gets', async () => {
  const leader = await oneLog({ segmentMs: 2 * week })
  const from = leader.clock.now() - 60 * day
  const times = Array.from({ length: 60 }, (_, at) => from + at * day)
  await leader.counts(leader.log, ...times)
  const { world, log } = await oneLog({ segmentMs: week })
  const records = await readAll(leader.log)
  expect(await append(world, log, records, { origin: 'replica' })).toMatchObject({ ok: true })
  expect([leader.log.segmentCount, log.segmentCount]).toEqual([4, 8])
})

test('a segment in which a log was cut is as old as what stays of it', async () => {
  const { clock, log, counts } = await oneLog({ segmentMs: 1000 })
  const now = clock.now()
  expect(await counts(log, now, now + 1000, now + 1001, now + 1002)).toEqual([1, 1, 2, 2])
  await log.truncateTo(1)
  expect(await counts(log, now + 1000, now + 1001)).toEqual([1, 2])
  // Of this one nothing stays.
  await log.truncateTo(2)
  expect(await counts(log, now + 5000, now + 6000, now + 6001)).toEqual([2, 2, 3])
})

test('segment.jitter.ms closes segments earlier by chance, each at its own age, and for new ones only', async () => {
  const { log, counts } = await oneLog({ segmentMs: 1000, segmentJitterMs: 600 })
  const ages: number[] = []
  let time = 1_767_225_600_000
  let since = time
  await counts(log, time)
  for (let steps = 0; steps < 6000 && ages.length < 30; steps++) {
    const { segmentCount } = log
    time += 5
    await counts(log, time)
    if (log.segmentCount === segmentCount) continue
    ages.push(time - since)
    since = time
  }
  expect(ages.length).toBe(30)
  expect(Math.min(...ages)).toBeGreaterThan(400)
  expect(Math.max(...ages)).toBeLessThanOrEqual(1005)
  expect(new Set(ages).size).toBeGreaterThan(10)
  log.configure(logConfig({ segmentMs: 10, segmentJitterMs: 1e9 }))
  const before = log.segmentCount
  await counts(log, time, time)
  expect(log.segmentCount).toBeLessThanOrEqual(before + 1)
})

test('a compacted log closes as early as compaction asks for it, whatever the jitter', async () => {
  const { world, log } = await oneLog({
    cleanupPolicy: 'compact',
    segmentMs: week,
    segmentJitterMs: week,
    maxCompactionLagMs: 1000,
  })
  const now = world.clock.now()
  const keyed = async (baseTimestamp: number) => {
    await append(world, log, batchOf(1, { baseTimestamp }), { origin: 'coordinator' })
    return log.segmentCount
  }
  expect([await keyed(now), await keyed(now), await keyed(now)]).toEqual([1, 1, 1])
  expect(await keyed(now + 1001)).toBe(2)
})
