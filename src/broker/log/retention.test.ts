import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SimDisk } from '../../../sim/disk.ts'
import { drive } from '../../../test/helpers/drive.ts'
import {
  append,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  readAll,
  simWorld,
  worldOn,
} from '../../../test/helpers/logs.ts'
import { Prng } from '../../lib/prng.ts'
import { logDirectoryName } from './log-id.ts'

async function oneLog(over: Parameters<typeof logConfig>[0] = {}) {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig({ segmentBytes: 300, ...over }))
  return { world, disk: world.disk, clock: world.clock, directory, log }
}

const folder = `/data/${logDirectoryName(logId())}`

test('segments beyond the size go, from the oldest on', async () => {
  const { world, clock, disk, log } = await oneLog({ retentionBytes: 700, retentionMs: -1 })
  for (let at = 0; at < 20; at++) await append(world, log, batchOf(2))
  const before = log.sizeBytes
  await log.applyRetention(clock.now())
  expect(log.sizeBytes).toBeLessThan(before)
  expect(log.sizeBytes).toBeGreaterThanOrEqual(700)
  expect(log.sizeBytes).toBeLessThan(700 + 300)
  expect(log.startOffset).toBeGreaterThan(0)
  expect((await readAll(log)).length).toBe(log.sizeBytes)
  await clock.run(1)
  expect(disk.list(folder).filter(name => name.includes('00000000000000000000'))).toEqual([])
})

test('expired segments go by their newest timestamp; a log expired as a whole begins anew at its end', async () => {
  const { world, clock, log } = await oneLog({ retentionMs: 5000 })
  for (let at = 0; at < 6; at++)
    await append(world, log, batchOf(2, { baseTimestamp: clock.now() }))
  await clock.run(3000)
  for (let at = 0; at < 6; at++)
    await append(world, log, batchOf(2, { baseTimestamp: clock.now() }))
  await log.applyRetention(clock.now())
  expect(log.startOffset).toBe(0)
  await clock.run(3000)
  await log.applyRetention(clock.now())
  expect(log.startOffset).toBeGreaterThan(0)
  expect(log.startOffset).toBeLessThanOrEqual(12)
  await clock.run(10_000)
  await log.applyRetention(clock.now())
  expect([log.startOffset, log.endOffset, log.segmentCount, log.sizeBytes]).toEqual([24, 24, 1, 0])
  expect(await append(world, log, batchOf(1))).toMatchObject({ baseOffset: 24, logStartOffset: 24 })
})

test('what comes in the turn in which a log is expired as a whole is kept', async () => {
  const { world, clock, log } = await oneLog({ retentionMs: 5000 })
  await append(world, log, batchOf(2, { baseTimestamp: clock.now() }))
  await clock.run(10_000)
  const answered = append(world, log, batchOf(3, { baseTimestamp: clock.now() }))
  await log.applyRetention(clock.now())
  expect(await answered).toMatchObject({ ok: true, baseOffset: 2 })
  expect([log.startOffset, log.endOffset]).toEqual([2, 5])
  expect((await readAll(log)).length).toBeGreaterThan(0)
})

test('compacted topics keep everything', async () => {
  const { world, clock, log } = await oneLog({
    retentionMs: 1,
    retentionBytes: 1,
    cleanupPolicy: 'compact',
  })
  for (let at = 0; at < 6; at++) await append(world, log, batchOf(2), { origin: 'coordinator' })
  await clock.run(1000)
  await log.applyRetention(clock.now())
  expect([log.startOffset, log.endOffset]).toEqual([0, 12])
})

test('nothing at or above the given offset goes', async () => {
  const { world, clock, log } = await oneLog({ retentionMs: 1 })
  for (let at = 0; at < 12; at++)
    await append(world, log, batchOf(2, { baseTimestamp: clock.now() }))
  await clock.run(1000)
  await log.applyRetention(clock.now(), 9)
  expect(log.startOffset).toBeLessThanOrEqual(9)
  expect(log.startOffset).toBeGreaterThan(0)
})

test('G35: the start never goes back, also over a crash of the machine', async () => {
  const { world, log } = await oneLog()
  for (let at = 0; at < 12; at++) await append(world, log, batchOf(2))
  await drive(world.clock, log.whenDurable(24))
  await log.raiseStartOffset(7)
  await log.raiseStartOffset(3)
  expect(log.startOffset).toBe(7)
  expect(log.endOfEpoch(0)).toEqual({ epoch: 0, endOffset: 24 })
  const again = await openDirectory(worldOn(world.disk.crashMachine(new Prng(3)), world), {
    bootId: 'boot-2',
  })
  const reopened = await again.openLog(logId(), logConfig())
  expect([reopened.startOffset, reopened.endOffset]).toEqual([7, 24])
})

test('a fetch that holds a removed segment can still read it', async () => {
  const { world, clock, log } = await oneLog({
    retentionBytes: 0,
    retentionMs: -1,
    fileDeleteDelayMs: 1000,
  })
  for (let at = 0; at < 8; at++) await append(world, log, batchOf(2))
  const held = await log.read(0, { maxBytes: 100, upToOffset: 16, minOneBatch: true })
  await log.applyRetention(clock.now())
  expect(log.startOffset).toBeGreaterThan(0)
  if (held.kind !== 'range') throw new Error('no range')
  expect(held.file.read(held.position, new Uint8Array(held.length))).toBe(held.length)
})

test('with a size of 0 the last segment goes too, with 1 it stays', async () => {
  const zero = await oneLog({ retentionBytes: 0, retentionMs: -1 })
  for (let at = 0; at < 12; at++) await append(zero.world, zero.log, batchOf(2))
  // Not all of it is on every replica.
  await zero.log.applyRetention(zero.clock.now(), 23)
  expect(zero.log.startOffset).toBeLessThan(24)
  expect(zero.log.segmentCount).toBe(1)
  await zero.log.applyRetention(zero.clock.now(), 24)
  expect([zero.log.startOffset, zero.log.endOffset, zero.log.sizeBytes]).toEqual([24, 24, 0])
  await zero.log.applyRetention(zero.clock.now(), 24)
  expect(await append(zero.world, zero.log, batchOf(1))).toMatchObject({ baseOffset: 24 })

  const one = await oneLog({ retentionBytes: 1, retentionMs: -1 })
  for (let at = 0; at < 12; at++) await append(one.world, one.log, batchOf(2))
  await one.log.applyRetention(one.clock.now())
  expect(one.log.startOffset).toBeLessThan(24)
  expect([one.log.segmentCount, one.log.sizeBytes > 0]).toEqual([1, true])
})

test('whatever was written when, and whatever was changed, each look takes what is over and nothing else', async () => {
  const retentionMs = fc.oneof(
    fc.nat({ max: 3000 }),
    fc.constantFrom(-1, 2 ** 31, 2 ** 53, 2 ** 63),
  )
  const step = fc.record({
    at: fc.nat({ max: 2 }),
    does: fc.oneof(fc.constantFrom('append', 'look'), retentionMs),
    thenMs: fc.nat({ max: 1500 }),
  })
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
  const run = async (first: number[], steps: readonly Step[]): Promise<void> => {
    const world = simWorld()
    const directory = await openDirectory(world)
    const config = (ms: number) => logConfig({ retentionMs: ms, segmentBytes: 200 })
    const retention = [...first]
    const gone = first.map(() => 0)
    // One batch a segment, so that each is judged by itself.
    const written = await Promise.all(
      first.map(async (ms, at) => ({
        log: await directory.openLog(logId(at), config(ms)),
        times: [] as number[],
      })),
    )
    for (const { at, does, thenMs } of steps) {
      const { log, times } = written[at]!
      if (does === 'append') {
        times.push(world.clock.now())
        await append(world, log, batchOf(1, { baseTimestamp: world.clock.now(), valueBytes: 60 }))
      } else if (does === 'look') {
        await drive(world.clock, log.applyRetention(world.clock.now()))
        const isOver = (time: number) =>
          retention[at]! >= 0 && world.clock.now() - time > retention[at]!
        const kept = times.findIndex(time => !isOver(time))
        gone[at] = Math.max(gone[at]!, kept === -1 ? times.length : kept)
        expect(log.startOffset).toBe(gone[at])
      } else {
        retention[at] = does
        log.configure(config(does))
      }
      await world.clock.run(thenMs)
    }
  }
  const three = fc.array(retentionMs, { minLength: 3, maxLength: 3 })
  // What was taken is not there again where the topic wants to keep more from then on.
  const keepMore: readonly Step[] = [
    { at: 0, does: 'append', thenMs: 5 },
    { at: 0, does: 'look', thenMs: 0 },
    { at: 0, does: -1, thenMs: 0 },
    { at: 0, does: 'look', thenMs: 0 },
  ]
  await fc.assert(fc.asyncProperty(three, fc.array(step), run), {
    examples: [[[0, 0, 0], keepMore]],
  })
})

test('records are not older than they are because the batch says so', async () => {
  const { world, clock, log } = await oneLog({ retentionMs: 10_000, segmentBytes: 100 })
  await append(world, log, batchOf(1, { baseTimestamp: clock.now() }))
  for (let second = 0; second < 24; second++) {
    await clock.run(500)
    await append(world, log, batchOf(1, { baseTimestamp: clock.now(), maxTimestamp: -1 }))
    await log.applyRetention(clock.now())
  }
  // Twelve seconds: what is older than ten is gone, and nothing that is younger.
  const first = await log.findByTime(0, log.endOffset)
  const ageMs = clock.now() - Number(first!.timestampMs)
  expect(first!.offset).toBe(log.startOffset)
  expect([log.startOffset, ageMs]).toEqual([4, 10_000])
})

test('a log whose batches a crash took begins anew without their producers, and so at every later start', async () => {
  const config = logConfig({ flushMs: 1e9, retentionMs: -1 })
  const produced = (baseSequence: number) =>
    batchOf(2, { producerId: 5, producerEpoch: 0, baseSequence })
  const world = simWorld()
  const first = await openDirectory(world)
  await append(world, await first.openLog(logId(), config), produced(0))
  await first.close()
  // The caches too, which a stop leaves unsynced.
  await world.disk.syncFileSystem('/data')
  const again = await openDirectory(world)
  const log = await again.openLog(logId(), config)
  // Unflushed, and the start behind it, which is durable at some of these moments.
  await append(world, log, produced(2))
  const moments: SimDisk[] = []
  world.disk.onOperation(() => moments.push(world.disk.clone()))
  await drive(world.clock, log.raiseStartOffset(4))
  let begunAnew = 0
  for (const [at, moment] of moments.entries()) {
    const disk = moment.crashMachine(new Prng(at))
    const second = await openDirectory(worldOn(disk, world), { bootId: 'boot-2' })
    const { producers, startOffset } = await second.openLog(logId(), config)
    if (startOffset === 4 && producers.size === 0) begunAnew++
    const next = await openDirectory(worldOn(disk.crashProcess(), world), { bootId: 'boot-2' })
    const found = await next.openLog(logId(), config)
    expect([found.startOffset, found.producers.size]).toEqual([startOffset, producers.size])
  }
  expect(begunAnew).toBeGreaterThan(0)
})
