import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  append,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  simWorld,
} from '../../../../test/helpers/logs.ts'
import { utf8 } from '../../../lib/bytes.ts'
import { encodeBatch } from '../batch/batch.ts'
import { encodeRecords } from '../batch/records.ts'
import { makeGzip } from '../compression/zlib.ts'

async function oneLog(over: Parameters<typeof logConfig>[0] = {}) {
  const world = simWorld()
  const directory = await openDirectory(world)
  const log = await directory.openLog(
    logId(),
    logConfig({ messageTimestampAfterMaxMs: Number.MAX_SAFE_INTEGER, ...over }),
  )
  return { world, clock: world.clock, directory, log }
}

test('G36: the first record at or after a time, and the newest one, as a linear search finds them', async () => {
  const batches = fc.array(
    fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 }),
    { minLength: 1, maxLength: 25 },
  )
  await fc.assert(
    fc.asyncProperty(
      batches,
      fc.integer({ min: 0, max: 101 }),
      fc.nat(130),
      fc.nat(60),
      async (times, wanted, upTo, start) => {
        const { world, log } = await oneLog({ segmentBytes: 700, indexIntervalBytes: 150 })
        for (const timestamps of times)
          await append(world, log, batchOf(timestamps.length, { timestamps }))
        const records = times.flat().map((timestampMs, offset) => ({ timestampMs, offset }))
        await log.raiseStartOffset(Math.min(start, log.endOffset))
        const visible = records.filter(({ offset }) => offset >= log.startOffset && offset < upTo)
        const first = visible.find(({ timestampMs }) => timestampMs >= wanted)
        expect(await log.findByTime(wanted, upTo)).toEqual(
          first === undefined ? null : { ...first, leaderEpoch: 0 },
        )
        const newest = visible.reduce<(typeof records)[0] | null>(
          (best, each) => (best === null || each.timestampMs > best.timestampMs ? each : best),
          null,
        )
        const found = await log.findMaxTimestamp(upTo)
        // Batches that straddle a limit are judged by their header: the greatest of the visible ones is what is promised.
        const isWhole = (offset: number) =>
          offset === 0 || records.length === offset || startsBatch(times, offset)
        if (isWhole(upTo) && isWhole(log.startOffset))
          expect(found).toEqual(newest === null ? null : { ...newest, leaderEpoch: 0 })
      },
    ),
    { numRuns: 60 },
  )
})

function startsBatch(times: readonly (readonly number[])[], offset: number): boolean {
  let at = 0
  for (const { length } of times) {
    if (at === offset) return true
    at += length
  }
  return offset >= at
}

test('where no record has a time the first one is the newest, and with no record there is none', async () => {
  const { world, log } = await oneLog()
  expect(await log.findMaxTimestamp(log.endOffset)).toBe(null)
  for (let at = 0; at < 2; at++) await append(world, log, batchOf(1, { baseTimestamp: -1 }))
  const first = { offset: 0, timestampMs: -1, leaderEpoch: 0 }
  expect(await log.findMaxTimestamp(log.endOffset)).toEqual(first)
  await append(world, log, batchOf(1, { baseTimestamp: 5 }))
  expect(await log.findMaxTimestamp(log.endOffset)).toMatchObject({ offset: 2, timestampMs: 5 })
})

test('compressed batches are opened to find the record', async () => {
  const { world, log } = await oneLog()
  const records = [10, 20, 30].map((timestampDelta, at) => ({
    offsetDelta: at,
    timestampDelta,
    key: null,
    value: utf8('x'),
    headers: [],
  }))
  const payload = { codec: 1, bytes: makeGzip(encodeRecords(records)), count: 3 }
  await append(
    world,
    log,
    encodeBatch({ records: payload, baseTimestamp: 1000, maxTimestamp: 1030 }),
  )
  // Real threads decompress: the simulated clock only has to let them report.
  const find = async <T>(work: Promise<T>): Promise<T> => {
    const pump = setInterval(() => world.clock.runSoon(), 1)
    return work.finally(() => clearInterval(pump))
  }
  expect(await find(log.findByTime(1011, log.endOffset))).toEqual({
    offset: 1,
    timestampMs: 1020,
    leaderEpoch: 0,
  })
  expect(await find(log.findMaxTimestamp(log.endOffset))).toEqual({
    offset: 2,
    timestampMs: 1030,
    leaderEpoch: 0,
  })
})

test('a batch that cannot be opened answers with its first offset', async () => {
  const { world, log } = await oneLog()
  const payload = { codec: 1, bytes: utf8('this is no gzip'), count: 3 }
  await append(
    world,
    log,
    encodeBatch({ records: payload, baseTimestamp: 1000, maxTimestamp: 1030 }),
  )
  const pump = setInterval(() => world.clock.runSoon(), 1)
  expect(await log.findByTime(1011, log.endOffset)).toEqual({
    offset: 0,
    timestampMs: 1030,
    leaderEpoch: 0,
  })
  clearInterval(pump)
})
