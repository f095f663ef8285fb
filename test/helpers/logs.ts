import type { Env } from '../../src/env/env.ts'
import type { Random } from '../../src/env/random.ts'
import { Prng } from '../../src/lib/prng.ts'
import { crc32c } from '../../src/lib/crc32c.ts'
import { uuidFrom } from '../../src/lib/uuid.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import {
  encodeBatch,
  lastOffset,
  readBatchHeader,
  type BatchInput,
} from '../../src/broker/log/batch/batch.ts'
import {
  LogDirectory,
  type LogDirectoryOptions,
} from '../../src/broker/log/directory/log-directory.ts'
import { defaultSettings } from '../../src/broker/config/settings.ts'
import { topicConfig } from '../../src/broker/config/topic-config.ts'
import type { LogDirectorySettings } from '../../src/broker/log/directory/settings.ts'
import type { LogConfig } from '../../src/broker/log/log-config.ts'
import { walkRecords } from '../../src/broker/log/batch/record-walk.ts'
import type { LogId } from '../../src/broker/log/log-id.ts'
import type { AppendResult, Log } from '../../src/broker/log/log.ts'
import type { AppendOrigin } from '../../src/broker/log/batch/batch.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { inlineCompaction } from '../../sim/inline-compaction.ts'

/** A log engine's world in memory. */
export interface LogWorld {
  readonly env: Env
  readonly clock: SimClock
  readonly disk: SimDisk
}

export function simWorld(disk = new SimDisk(), seed = 1): LogWorld {
  const clock = new SimClock()
  const prng = new Prng(seed)
  const random: Random = { bytes: length => prng.bytes(length) }
  const network = null as unknown as Env['network']
  return { env: { clock, disk, random, network, crc32c, walkRecords }, clock, disk }
}

/** The world after a crash or a stop: another disk, the same clock. */
export function worldOn(disk: SimDisk, { env, clock }: LogWorld): LogWorld {
  return { env: { ...env, disk }, clock, disk }
}

export function logId(partition = 0, seed = 7): LogId {
  return { topicId: uuidFrom(new Prng(seed).bytes(16)), topic: 'orders', partition }
}

const defaults: LogConfig = topicConfig(defaultSettings(), new Map())

/** Of a topic that overrides nothing, at a broker with default settings; files that are removed go at once. */
export function logConfig(over: Partial<LogConfig> = {}): LogConfig {
  return { ...defaults, fileDeleteDelayMs: 0, ...over }
}

type DirectoryWish = Partial<Omit<LogDirectoryOptions, 'settings'>> & {
  readonly settings?: Partial<LogDirectorySettings>
}

export function openDirectory({ env }: LogWorld, over: DirectoryWish = {}): Promise<LogDirectory> {
  return LogDirectory.open({
    path: '/data',
    env,
    clusterId: 'cluster',
    brokerId: 1,
    bootId: 'boot-1',
    compactionLane: inlineCompaction,
    ...over,
    settings: { ...defaultSettings(), ballastBytes: 0, ...over.settings },
  })
}

/** A batch of `count` records whose values have `valueBytes`. */
export function batchOf(
  count: number,
  over: Partial<BatchInput> & {
    readonly valueBytes?: number
    readonly timestamps?: readonly number[]
  } = {},
): Uint8Array {
  const { valueBytes = 10, timestamps, ...input } = over
  const baseTimestamp = input.baseTimestamp ?? timestamps?.[0] ?? 1_767_225_600_000
  const records = Array.from({ length: count }, (_, at) => ({
    offsetDelta: at,
    timestampDelta: timestamps === undefined ? 0 : timestamps[at]! - Number(baseTimestamp),
    key: null,
    value: utf8(`${at}`.padEnd(valueBytes, '.')),
    headers: [],
  }))
  return encodeBatch({ records, ...input, baseTimestamp })
}

export interface AppendWish {
  readonly leaderEpoch?: number
  readonly origin?: AppendOrigin
}

/** Appends and waits for the answer. */
export async function append(
  { clock }: Pick<LogWorld, 'clock'>,
  log: Log,
  records: Uint8Array,
  { leaderEpoch = 0, origin = 'client' }: AppendWish = {},
): Promise<AppendResult> {
  const { promise, resolve } = Promise.withResolvers<AppendResult>()
  log.append(records, { leaderEpoch, origin }, resolve)
  await clock.settle()
  return promise
}

export interface BatchAt {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly position: number
}

/** Everything a log gives to a reader that begins at `from`, as bytes. */
export async function readAll(
  log: Log,
  from = log.startOffset,
  maxBytes = 4096,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let offset = from
  while (offset < log.endOffset) {
    const result = await log.read(offset, {
      maxBytes,
      upToOffset: log.endOffset,
      minOneBatch: true,
    })
    if (result.kind !== 'range') throw new Error(`read of ${offset} gave ${JSON.stringify(result)}`)
    const bytes = new Uint8Array(result.length)
    if (result.file.read(result.position, bytes) !== bytes.length)
      throw new Error('a range is short')
    parts.push(bytes)
    const batches = batchesIn(bytes)
    offset = batches.at(-1)!.lastOffset + 1
  }
  return Uint8Array.from(parts.flatMap(part => Array.from(part)))
}

/** The batches that lie one after the other in `bytes`; throws where they do not. */
export function batchesIn(bytes: Uint8Array): BatchAt[] {
  const found: BatchAt[] = []
  let position = 0
  while (position < bytes.length) {
    const header = readBatchHeader(bytes, position)
    found.push({ baseOffset: header.baseOffset, lastOffset: lastOffset(header), position })
    position += header.sizeBytes
  }
  if (position !== bytes.length) throw new Error('the last batch is cut off')
  return found
}
