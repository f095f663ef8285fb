import { expect } from 'vitest'
import {
  batchOverheadBytes,
  encodeBatch,
  readBatchHeader,
  type BatchInput,
} from '../../src/broker/log/batch/batch.ts'
import { readRecords } from '../../src/broker/log/batch/records.ts'
import type {
  CompactionCall,
  CompactionLane,
} from '../../src/broker/log/cleaner/compaction-lane.ts'
import type { LogDirectory } from '../../src/broker/log/directory/log-directory.ts'
import type { LogConfig } from '../../src/broker/log/log-config.ts'
import type { Log } from '../../src/broker/log/log.ts'
import { fromUtf8 } from '../../src/lib/bytes.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { inlineCompaction } from '../../sim/inline-compaction.ts'
import { drive } from './drive.ts'
import { append, logConfig, readAll, type LogWorld } from './logs.ts'

/** Of a compacted topic: segments of a few batches, cleaned as soon as anything is dirty. */
export function compactedConfig(over: Partial<LogConfig> = {}): LogConfig {
  return logConfig({
    cleanupPolicy: 'compact',
    segmentBytes: 400,
    indexIntervalBytes: 100,
    minCleanableDirtyRatio: 0,
    ...over,
  })
}

export interface Keyed {
  readonly key: string
  /** Null for a tombstone. */
  readonly value: string | null
}

/** Appends one batch. */
export async function put(
  world: LogWorld,
  log: Log,
  records: readonly Keyed[],
  over: Partial<BatchInput> = {},
): Promise<void> {
  const baseTimestamp = world.clock.now()
  const result = await append(world, log, encodeBatch({ records, baseTimestamp, ...over }))
  if (!result.ok) throw new Error(result.message)
}

/** Batches of one record each, with `keyCount` keys in turn, on the device when it resolves. */
export async function fill(
  world: LogWorld,
  log: Log,
  { count = 40, keyCount = 3 }: { readonly count?: number; readonly keyCount?: number } = {},
): Promise<void> {
  for (let at = 0; at < count; at++) {
    const value = `${log.endOffset}`.padEnd(20, '.')
    await put(world, log, [{ key: `k${at % keyCount}`, value }])
  }
  await drive(world.clock, log.whenDurable(log.endOffset))
}

/** Lets the cleaner work until it has cleaned `runs` times since the directory was opened. */
export async function cleaned(world: LogWorld, directory: LogDirectory, runs = 1): Promise<void> {
  // Up to the backoff at one go, then in small steps: what comes behind is not done yet.
  await world.clock.run(14_000)
  for (let turn = 0; turn < 5000 && directory.cleanerNumbers().runs < runs; turn++) {
    await world.clock.run(1)
  }
  expect(directory.cleanerNumbers().runs).toBe(runs)
}

/** What a reader sees: offset, key and value of each record. */
export async function recordsOf(
  log: Log,
  from = log.startOffset,
): Promise<[offset: number, key: string, value: string | null][]> {
  const bytes = await readAll(log, from)
  const found: [number, string, string | null][] = []
  for (let at = 0; at < bytes.length;) {
    const header = readBatchHeader(bytes, at)
    const payload = bytes.subarray(at + batchOverheadBytes, at + header.sizeBytes)
    for (const { offsetDelta, key, value } of readRecords(payload, header)) {
      const offset = header.baseOffset + offsetDelta
      if (offset < from) continue
      found.push([offset, fromUtf8(key!), value === null ? null : fromUtf8(value)])
    }
    at += header.sizeBytes
  }
  return found
}

/** Compaction that waits before the given call until it is let go. */
export function gatedCompaction(at: CompactionCall) {
  const reached = deferred<void>()
  const go = deferred<void>()
  let isReached = false
  const lane = (): CompactionLane => {
    const inner = inlineCompaction()
    return {
      async call(name, argument) {
        if (name === at) {
          isReached = true
          reached.resolve()
          await go.promise
        }
        return inner.call(name, argument)
      },
      close: () => inner.close(),
    }
  }
  return { lane, reached: reached.promise, isReached: () => isReached, go: () => go.resolve() }
}
