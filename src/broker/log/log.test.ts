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
} from '../../../test/helpers/logs.ts'

async function oneLog(over: Parameters<typeof logConfig>[0] = {}) {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(logId(), logConfig(over))
  return { ...world, world, directory, log }
}

test('what is appended can be read, with the offsets and the epoch that the log gave', async () => {
  const { world, log } = await oneLog()
  expect(await append(world, log, batchOf(3), { leaderEpoch: 4 })).toMatchObject({
    ok: true,
    duplicate: false,
    baseOffset: 0,
    lastOffset: 2,
    logAppendTimeMs: -1,
    logStartOffset: 0,
  })
  expect(await append(world, log, batchOf(2), { leaderEpoch: 4 })).toMatchObject({
    baseOffset: 3,
    lastOffset: 4,
  })
  expect(log.endOffset).toBe(5)
  const batches = batchesIn(await readAll(log))
  expect(batches.map(({ baseOffset }) => baseOffset)).toEqual([0, 3])
  expect(log.latestEpoch).toBe(4)
})

test('appends of one turn go out with one write per segment', async () => {
  const { clock, disk, log } = await oneLog()
  const writes: number[] = []
  disk.onOperation(({ name, parts }) => {
    if (name === 'write') writes.push(parts.length)
  })
  const answered: number[] = []
  for (let at = 0; at < 5; at++) {
    log.append(batchOf(1), { leaderEpoch: 0, origin: 'client' }, result => {
      if (result.ok) answered.push(result.baseOffset)
    })
  }
  expect(log.endOffset).toBe(0)
  expect(answered).toEqual([])
  clock.runSoon()
  expect(writes).toEqual([5])
  expect(answered).toEqual([0, 1, 2, 3, 4])
  expect(log.endOffset).toBe(5)
})

test('a clean stop and a start give the same log without a scan', async () => {
  const { world, directory, log } = await oneLog({ segmentBytes: 600 })
  for (let at = 0; at < 30; at++)
    await append(world, log, batchOf(2, { producerId: 9, producerEpoch: 0, baseSequence: at * 2 }))
  const before = await readAll(log)
  const segmentCount = log.segmentCount
  expect(segmentCount).toBeGreaterThan(3)
  await directory.close()
  const again = await openDirectory(world)
  expect(again.startClass).toBe('A')
  expect(again.found()).toEqual([logId()])
  const reopened = await again.openLog(logId(), logConfig({ segmentBytes: 600 }))
  expect(reopened.segmentCount).toBe(segmentCount)
  expect(await readAll(reopened)).toEqual(before)
  expect(reopened.producers.equals(log.producers)).toBe(true)
  expect(
    await append(
      world,
      reopened,
      batchOf(2, { producerId: 9, producerEpoch: 0, baseSequence: 58 }),
    ),
  ).toMatchObject({ duplicate: true, baseOffset: 58 })
})

test('after a crash of the process everything that was answered is there', async () => {
  const { world, log } = await oneLog({ segmentBytes: 600 })
  for (let at = 0; at < 30; at++) await append(world, log, batchOf(2))
  const before = await readAll(log)
  const crashed = world.disk.crashProcess()
  const next = { ...world, disk: crashed, env: { ...world.env, disk: crashed } }
  const again = await openDirectory(next)
  expect(again.startClass).toBe('B')
  const reopened = await again.openLog(logId(), logConfig({ segmentBytes: 600 }))
  expect(await readAll(reopened)).toEqual(before)
})
