import { expect, test } from 'vitest'
import { fromUtf8 } from '../../../lib/bytes.ts'
import { drive } from '../../../../test/helpers/drive.ts'
import {
  append,
  logConfig,
  logId,
  openDirectory,
  readAll,
  simWorld,
  type LogWorld,
} from '../../../../test/helpers/logs.ts'
import { batchOverheadBytes, encodeBatch, readBatchHeader } from '../batch/batch.ts'
import { readRecords } from '../batch/records.ts'
import type { LogDirectory } from '../directory/log-directory.ts'
import type { LogConfig } from '../log-config.ts'
import type { Log } from '../log.ts'

const config = logConfig({
  cleanupPolicy: 'compact',
  segmentBytes: 400,
  indexIntervalBytes: 100,
  minCleanableDirtyRatio: 0.01,
})

async function openLog(world: LogWorld, over: Partial<LogConfig> = {}) {
  const directory = await drive(world.clock, openDirectory(world))
  const log = await drive(world.clock, directory.openLog(logId(), { ...config, ...over }))
  return { directory, log }
}

interface Keyed {
  readonly key: string
  readonly value: string | null
}

function batch(records: readonly Keyed[], over: object = {}): Uint8Array {
  return encodeBatch({ records, baseTimestamp: 1_767_225_600_000, ...over })
}

async function put(world: LogWorld, log: Log, ...records: readonly Keyed[]): Promise<void> {
  const result = await append(world, log, batch(records))
  if (!result.ok) throw new Error(result.message)
}

/** Lets the cleaner work until it has cleaned `runs` times since the directory was opened. */
async function cleaned(world: LogWorld, directory: LogDirectory, runs = 1): Promise<void> {
  await world.clock.run(20_000)
  for (let turn = 0; turn < 10_000 && directory.cleanerNumbers().runs < runs; turn++) {
    await world.clock.run(1)
  }
  expect(directory.cleanerNumbers().runs).toBe(runs)
}

/** What a reader sees: offset, key and value of each record. */
async function recordsOf(log: Log): Promise<[number, string, string | null][]> {
  const bytes = await readAll(log)
  const found: [number, string, string | null][] = []
  for (let at = 0; at < bytes.length;) {
    const header = readBatchHeader(bytes, at)
    const payload = bytes.subarray(at + batchOverheadBytes, at + header.sizeBytes)
    for (const { offsetDelta, key, value } of readRecords(payload, header)) {
      const text = value === null ? null : fromUtf8(value)
      found.push([header.baseOffset + offsetDelta, fromUtf8(key!), text])
    }
    at += header.sizeBytes
  }
  return found
}

test('the last record of each key stays, at its offset, and the active segment as it is', async () => {
  const world = simWorld()
  const { log, directory } = await openLog(world)
  for (let at = 0; at < 40; at++) {
    await put(world, log, { key: `k${at % 3}`, value: `v${at}`.padEnd(20, '.') })
  }
  const before = await recordsOf(log)
  await drive(world.clock, log.whenDurable(log.endOffset))
  await cleaned(world, directory)
  const after = await recordsOf(log)
  const activeBase = Math.max(...before.map(([offset]) => offset)) - 3
  expect(after.length).toBeLessThan(12)
  for (const record of after) expect(before).toContainEqual(record)
  expect(after.slice(-2)).toEqual(before.slice(-2))
  const latest = new Map(before.map(([offset, key, value]) => [key, [offset, value]]))
  expect(new Map(after.map(([offset, key, value]) => [key, [offset, value]]))).toEqual(latest)
  expect(activeBase).toBeGreaterThan(0)
  await drive(world.clock, directory.close())
})
