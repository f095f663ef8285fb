import { expect, test } from 'vitest'
import { SimClock } from '../../../../sim/clock.ts'
import { SimDisk } from '../../../../sim/disk.ts'
import { slowDisk } from '../../../../sim/slow-disk.ts'
import { drive, quietly } from '../../../../test/helpers/drive.ts'
import {
  batchesIn,
  batchOf,
  logConfig,
  logId,
  openDirectory,
  readAll,
  simWorld,
} from '../../../../test/helpers/logs.ts'
import type { AppendResult } from '../log.ts'

/** Each half of a thread's write, each sync and each read takes so long. */
const stepMs = 10

/** A log whose first write has just stalled: the next ones go to a thread. */
async function stalledLog(
  over: Parameters<typeof logConfig>[0] = {},
  laterMs = stepMs,
  first = batchOf(1),
) {
  const clock = new SimClock()
  const disk = new SimDisk({ later: act => void clock.after(laterMs, act) })
  const plain = { ...simWorld(disk), clock }
  let waitMs = 0
  const slow = slowDisk({ disk, clock }, /\.log$/, () => waitMs)
  const world = { ...plain, env: { ...plain.env, ...slow } }
  const directory = await drive(clock, openDirectory(world))
  const config = logConfig({ flushMs: 1e9, ...over })
  const log = await drive(clock, directory.openLog(logId(), config))
  const operations: string[] = []
  disk.onOperation(({ name, path }) => {
    if (path.endsWith('.log')) operations.push(name)
  })
  const results: AppendResult[] = []
  /** Appends; `results` get the answer, in the order of answers. */
  const append = (bytes: Uint8Array, leaderEpoch = 0): void => {
    log.append(bytes, { leaderEpoch, origin: 'client' }, result => results.push(result))
  }
  /** What was answered since the last call: base offsets, and errors. */
  const answers = () =>
    results.splice(0).map(result => (result.ok ? result.baseOffset : result.error))
  waitMs = 6
  append(first)
  clock.runSoon()
  waitMs = 0
  expect([answers(), operations.splice(0)]).toEqual([[0], ['write']])
  /** From now on inline writes take so long. */
  const stall = (ms: number): void => void (waitMs = ms)
  return { world, clock, disk, directory, log, config, operations, append, answers, results, stall }
}

const idempotent = (baseSequence: number, count = 2) =>
  batchOf(count, { producerId: 5, producerEpoch: 0, baseSequence })

test('after a stall a log writes by a thread for a second, and is counted for both', async () => {
  const { clock, directory, operations, append, answers } = await stalledLog({}, 1)
  append(batchOf(1))
  await clock.run(2)
  expect([answers(), operations.splice(0)]).toEqual([[1], ['writeAsync']])
  expect(directory.numbers()).toMatchObject({ writeStalls: 1, threadWrites: 1 })
  expect(directory.numbers().writeStallSeconds).toBeCloseTo(0.006)
  await clock.run(998)
  append(batchOf(1))
  clock.runSoon()
  expect([answers(), operations.splice(0)]).toEqual([[2], ['write']])
  expect(directory.numbers()).toMatchObject({ writeStalls: 1, threadWrites: 1 })
})

test('a write of more than 5 ms is a stall, one of 5 ms is none', async () => {
  const { clock, operations, append, stall } = await stalledLog({}, 1)
  await clock.run(1000)
  for (const ms of [5, 5.1, 0]) {
    stall(ms)
    append(batchOf(1))
    await clock.run(2)
  }
  expect(operations).toEqual(['write', 'write', 'writeAsync'])
})

test('a device that is slow for a thread too is not tried on the loop before it was quick for a second', async () => {
  const { clock, directory, operations, append } = await stalledLog()
  for (const pauseMs of [900, 900, 1000]) {
    append(batchOf(1))
    await clock.run(2 * stepMs + pauseMs)
  }
  append(batchOf(1))
  clock.runSoon()
  expect(operations).toEqual(['writeAsync', 'writeAsync', 'writeAsync', 'write'])
  expect(directory.numbers()).toMatchObject({ writeStalls: 1, threadWrites: 3 })
})

test('a thread is not called slow where the loop was late to hear of its end', async () => {
  const { clock, directory, config, operations, append, stall } = await stalledLog({}, 1)
  const other = await drive(clock, directory.openLog(logId(1), config))
  operations.splice(0)
  append(batchOf(1))
  await clock.run(1)
  stall(900)
  other.append(batchOf(1), { leaderEpoch: 0, origin: 'client' }, () => {})
  clock.runSoon()
  stall(0)
  await clock.run(101)
  append(batchOf(1))
  clock.runSoon()
  expect(operations).toEqual(['writeAsync', 'write', 'write'])
})

test('another log goes on inline', async () => {
  const { clock, directory, config, operations } = await stalledLog()
  const other = await drive(clock, directory.openLog(logId(1), config))
  operations.splice(0)
  other.append(batchOf(1), { leaderEpoch: 0, origin: 'client' }, () => {})
  clock.runSoon()
  expect(operations).toEqual(['write'])
})

test('G14: who comes while a thread writes waits, is answered in order, and is seen only then', async () => {
  const { clock, disk, log, append, answers } = await stalledLog()
  append(idempotent(0))
  await clock.run(stepMs)
  // Half of it lies in the file, and nothing of it counts.
  expect([disk.underWayCount, answers(), log.endOffset]).toEqual([1, [], 1])
  expect((await readAll(log)).length).toBe(log.sizeBytes)
  expect(log.read(1, { maxBytes: 1000, upToOffset: 3, minOneBatch: true })).toMatchObject({
    kind: 'empty',
  })
  append(idempotent(0))
  append(idempotent(2))
  append(idempotent(7))
  append(batchOf(1))
  await clock.run(stepMs - 1)
  expect([answers(), log.endOffset]).toEqual([[], 1])
  await clock.run(1)
  expect([answers(), log.endOffset]).toEqual([[1, 1, 'OUT_OF_ORDER_SEQUENCE_NUMBER'], 3])
  await clock.run(2 * stepMs)
  expect([answers(), log.endOffset]).toEqual([[3, 5], 6])
  expect(batchesIn(await readAll(log)).map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 3, 5])
})

test('a segment begins when all that comes before it is written', async () => {
  const sizes = { segmentBytes: 3 * batchOf(2).length }
  const { clock, log, operations, append, answers } = await stalledLog(sizes)
  for (let at = 0; at < 6; at++) append(batchOf(2))
  await clock.run(stepMs)
  expect([operations, log.segmentCount]).toEqual([['writeAsync'], 1])
  await clock.run(stepMs)
  expect(answers()).toEqual([1, 3])
  expect(operations.slice(0, 3)).toEqual(['writeAsync', 'create', 'writeAsync'])
  await clock.run(10 * stepMs)
  expect([answers(), log.segmentCount]).toEqual([[5, 7, 9, 11], 3])
  expect(batchesIn(await readAll(log)).length).toBe(7)
})

test('a failed write is taken back when the thread is done with it: file, offsets and producers are as before', async () => {
  const { clock, disk, directory, log, operations, append, answers } = await stalledLog()
  const before = await readAll(log)
  const fault = { operation: 'writeAsync', pathPattern: /\.log$/, code: 'ENOSPC' } as const
  disk.failNext({ ...fault, written: 30 })
  append(idempotent(0), 3)
  append(idempotent(2), 3)
  await clock.run(stepMs)
  log.noteEpoch(4)
  append(batchOf(1), 4)
  expect(operations).toEqual(['writeAsync'])
  await clock.run(stepMs)
  expect([operations, answers()]).toEqual([['writeAsync', 'truncate', 'sync'], []])
  await clock.run(4 * stepMs)
  expect(answers()).toEqual(['KAFKA_STORAGE_ERROR', 'KAFKA_STORAGE_ERROR', 1])
  expect(operations).toEqual(['writeAsync', 'truncate', 'sync', 'writeAsync'])
  expect([directory.failure, log.endOfEpoch(4)]).toEqual([null, { epoch: 4, endOffset: 2 }])
  expect((await readAll(log)).subarray(0, before.length)).toEqual(before)
  // As if nobody had asked.
  append(idempotent(0), 4)
  await clock.run(2 * stepMs)
  expect(answers()).toEqual([2])
})

test('EIO in a thread is final for the directory, and nothing is cut', async () => {
  const { clock, disk, directory, operations, append, answers } = await stalledLog()
  disk.failNext({ operation: 'writeAsync', code: 'EIO' })
  append(batchOf(1))
  await clock.run(1)
  append(batchOf(1))
  await clock.run(10 * stepMs)
  expect(answers()).toEqual(['KAFKA_STORAGE_ERROR', 'KAFKA_STORAGE_ERROR'])
  expect([directory.failure?.code, operations]).toEqual(['EIO', ['writeAsync']])
})

test('what a thread wrote while an fsync failed is refused, not answered', async () => {
  const { clock, disk, log, append, answers } = await stalledLog()
  disk.failNext({ operation: 'sync', pathPattern: /\.log$/, code: 'EIO' })
  quietly(log.whenDurable(1))
  clock.runSoon()
  append(batchOf(1))
  await clock.run(4 * stepMs)
  expect([answers(), log.endOffset]).toEqual([['KAFKA_STORAGE_ERROR'], 1])
})

test('a flush that began before a write ended makes nothing of it durable', async () => {
  const notBrief = batchOf(1, { valueBytes: 20_000 })
  const { clock, log, append, answers, directory } = await stalledLog({}, stepMs, notBrief)
  append(batchOf(3))
  await clock.run(stepMs + 1)
  quietly(log.whenDurable(1))
  await clock.run(stepMs)
  expect([answers(), log.endOffset, log.durableOffset]).toEqual([[1], 4, 0])
  await clock.run(5 * stepMs)
  // The epoch's checkpoint is written before the offset counts.
  expect(log.durableOffset).toBe(1)
  expect(directory.unflushedBytes).toBe(batchOf(3).length)
  await drive(clock, log.whenDurable(4))
  expect(log.durableOffset).toBe(4)
})

test('the epoch before one that is being written ends where readers end', async () => {
  const { clock, log, append } = await stalledLog()
  append(batchOf(2), 0)
  log.noteEpoch(1)
  clock.runSoon()
  expect(log.endOfEpoch(0)).toEqual({ epoch: 0, endOffset: 1 })
  await clock.run(2 * stepMs)
  expect(log.endOfEpoch(0)).toEqual({ epoch: 0, endOffset: 3 })
})

test('retention leaves a segment that a thread writes into for the next time', async () => {
  const { clock, log, append, answers } = await stalledLog({ retentionMs: 1 })
  append(batchOf(1))
  await clock.run(1)
  await drive(clock, log.applyRetention(clock.now() + 10))
  await clock.run(2 * stepMs)
  expect([answers(), log.startOffset, log.segmentCount]).toEqual([[1], 0, 1])
  await drive(clock, log.applyRetention(clock.now() + 10))
  expect([log.startOffset, log.segmentCount, log.sizeBytes]).toEqual([2, 1, 0])
})

test('DeleteRecords moves the start while a thread writes, and what it writes stays', async () => {
  const { clock, log, append, answers } = await stalledLog()
  append(batchOf(2))
  await clock.run(1)
  const raised = log.raiseStartOffset(1)
  await clock.run(2 * stepMs)
  expect(answers()).toEqual([1])
  await drive(clock, raised)
  expect([log.startOffset, log.endOffset]).toEqual([1, 3])
  expect(batchesIn(await readAll(log)).at(-1)).toMatchObject({ baseOffset: 1, lastOffset: 2 })
})

test('epochs below a start that moved meanwhile do not come back with what is taken back', async () => {
  const { clock, disk, log, append, answers } = await stalledLog()
  append(batchOf(1), 1)
  await clock.run(2 * stepMs)
  disk.failNext({ operation: 'writeAsync', pathPattern: /\.log$/, code: 'ENOSPC' })
  append(batchOf(1), 2)
  quietly(log.raiseStartOffset(2))
  await clock.run(20 * stepMs)
  expect(answers()).toEqual([1, 'KAFKA_STORAGE_ERROR'])
  expect([log.startOffset, log.latestEpoch]).toEqual([2, 1])
  expect(log.endOfEpoch(0)).toEqual({ epoch: 0, endOffset: 2 })
  expect(log.epochAt(1)).toBe(-1)
})

test.each([
  ['before the write begins', 0, false],
  ['while it is under way', 1, false],
  ['while others wait for it', 1, true],
])('a log is closed when the thread is done: %s', async (_, afterMs, doOthersWait) => {
  const { clock, world, disk, directory, config, append, answers } = await stalledLog()
  append(batchOf(1))
  if (afterMs > 0) await clock.run(afterMs)
  if (doOthersWait) append(batchOf(1))
  const underWay: number[] = []
  disk.onOperation(({ name, path }) => {
    if (name === 'sync' && path.endsWith('.log')) underWay.push(disk.underWayCount)
  })
  await drive(clock, directory.close())
  expect(underWay).toEqual([0])
  const answered = doOthersWait ? [1, 2] : [1]
  expect(answers()).toEqual(answered)
  const again = await drive(clock, openDirectory(world))
  const log = await drive(clock, again.openLog(logId(), config))
  const end = 1 + answered.length
  expect([again.startClass, log.endOffset, log.durableOffset]).toEqual(['A', end, end])
})

test('a log is removed when the thread is done, and who waited is refused', async () => {
  const { clock, directory, append, answers } = await stalledLog()
  append(batchOf(1))
  clock.runSoon()
  append(batchOf(1))
  await drive(clock, directory.remove(logId()))
  expect(answers()).toEqual([1, 'KAFKA_STORAGE_ERROR'])
  expect(directory.failure).toBe(null)
})

test('an append that an answer brings is not taken back with what fails behind that answer', async () => {
  const { clock, disk, log, append, results } = await stalledLog({
    segmentBytes: 3 * batchOf(2).length,
  })
  await clock.run(1001)
  const late: AppendResult[] = []
  const options = { leaderEpoch: 0, origin: 'client' } as const
  log.append(idempotent(0), options, () => {
    log.append(idempotent(4), options, result => late.push(result))
  })
  append(batchOf(2))
  append(idempotent(2))
  disk.failNext({ operation: 'create', pathPattern: /\.log$/, code: 'ENOSPC' })
  clock.runSoon()
  await clock.run(10 * stepMs)
  expect(results.map(({ ok }) => ok)).toEqual([true, false])
  expect(late).toMatchObject([{ ok: false, error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }])
})
