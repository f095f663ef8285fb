import { describe, expect, test } from 'vitest'
import {
  append,
  batchesIn,
  logConfig,
  logId,
  openDirectory,
  readAll,
  simWorld,
} from '../../../../test/helpers/logs.ts'
import { fromUtf8, utf8 } from '../../../lib/bytes.ts'
import { crc32c } from '../../../lib/crc32c.ts'
import { Prng } from '../../../lib/prng.ts'
import { codecNames, type CodecId } from '../compression/codec-id.ts'
import { createCodecs } from '../compression/codecs.ts'
import type { CompressionType, LogConfig } from '../log-config.ts'
import { checkCrc, codecOf, encodeBatch, readBatchHeader } from './batch.ts'
import { otherCodec, recompress, type CompressionLevels } from './recompress.ts'
import { encodeRecords, readRecords } from './records.ts'
import { openPayload } from './validate-records.ts'

const codecs = createCodecs({ soon: act => void setImmediate(act) })
const how = { codecs, crc32c, maxMessageBytes: 100_000, levels: logConfig() }
const records = Array.from({ length: 20 }, (_, at) => ({
  key: utf8(`key ${at}`),
  value: utf8(`value ${at}`.repeat(10)),
  offsetDelta: at,
  timestampDelta: at * 5,
}))
const facts = { baseTimestamp: 1000, maxTimestamp: 1095, lastOffsetDelta: 19 }
const producer = { producerId: 7, producerEpoch: 2, baseSequence: 40 }

async function batchIn(codec: CodecId): Promise<Uint8Array> {
  const bytes = await codecs.compress(codec, encodeRecords(records))
  return encodeBatch({ records: { codec, bytes, count: 20 }, ...facts, ...producer })
}

async function valuesOf(batch: Uint8Array): Promise<string[]> {
  const header = readBatchHeader(batch, 0)
  const payload = await openPayload(header, batch, codecs)
  return Array.from(readRecords(payload, header), ({ value }) => fromUtf8(value!))
}

const all: readonly CodecId[] = [0, 1, 2, 3, 4]
const pairs = all.flatMap(from => all.filter(to => to !== from).map(to => [from, to] as const))

describe('a batch in another codec than the topic wants', () => {
  test.each(pairs)('%i to %i keeps everything but its codec and size', async (from, to) => {
    const before = await batchIn(from)
    const header = readBatchHeader(before, 0)
    const result = await recompress(header, before, to, how)
    if (!result.ok) throw new Error(result.message)
    const after = readBatchHeader(result.records, 0)
    expect(codecOf(after)).toBe(to)
    expect(checkCrc(result.records, 0, after, crc32c)).toBe(true)
    const { sizeBytes, crc, attributes } = after
    expect(sizeBytes).toBe(result.records.length)
    expect(after).toEqual({ ...header, sizeBytes, crc, attributes })
    expect(await valuesOf(result.records)).toEqual(records.map(({ value }) => fromUtf8(value)))
  })

  test('is compressed as hard as the topic wants', async () => {
    const words = new Prng(3)
    const value = Array.from({ length: 3000 }, () => `word${words.below(300)}`).join(' ')
    const before = encodeBatch({ records: [{ value: utf8(value) }], ...facts, lastOffsetDelta: 0 })
    const sizeAt = async (to: CodecId, levels: Partial<CompressionLevels>) => {
      const options = { ...how, levels: { ...how.levels, ...levels } }
      const result = await recompress(readBatchHeader(before, 0), before, to, options)
      if (!result.ok) throw new Error(result.message)
      expect(await valuesOf(result.records)).toEqual([value])
      return result.records.length
    }
    const gzip = await Promise.all([1, 6, 9].map(each => sizeAt(1, { compressionGzipLevel: each })))
    expect(gzip[0]).toBeGreaterThan(gzip[2]!)
    expect(await sizeAt(1, {})).toBe(gzip[1])
    const levels = [-131_072, 1, 22]
    const zstd = await Promise.all(levels.map(each => sizeAt(4, { compressionZstdLevel: each })))
    expect(zstd[0]).toBeGreaterThan(zstd[1]!)
    expect(zstd[1]).toBeGreaterThan(zstd[2]!)
  })

  test('is refused where it becomes too large', async () => {
    const before = await batchIn(4)
    const options = { ...how, maxMessageBytes: before.length + 10 }
    const result = await recompress(readBatchHeader(before, 0), before, 0, options)
    expect(result).toMatchObject({
      error: 'MESSAGE_TOO_LARGE',
      message: expect.stringContaining('compression.type=none'),
    })
  })

  test('is refused where it cannot be opened', async () => {
    const payload = { codec: 1, bytes: utf8('this is not gzip'), count: 20 }
    const before = encodeBatch({ records: payload, ...facts })
    const result = await recompress(readBatchHeader(before, 0), before, 0, how)
    expect(result).toMatchObject({ ok: false, error: 'INVALID_RECORD' })
  })
})

test.each<[CompressionType, CodecId, CodecId | null]>([
  ['producer', 3, null],
  ['lz4', 3, null],
  ['lz4', 0, 3],
  ['uncompressed', 0, null],
  ['uncompressed', 4, 0],
])('compression.type=%s and a batch in %i: %s', async (wanted, codec, expected) => {
  expect(otherCodec(wanted, readBatchHeader(await batchIn(codec), 0))).toBe(expected)
})

describe('a log', () => {
  async function logWith(config: Partial<LogConfig>) {
    const world = simWorld()
    const directory = await openDirectory(world)
    return { world, log: await directory.openLog(logId(), logConfig(config)) }
  }

  /** Each codec's batch, once, sent at once. */
  async function stored(config: Partial<LogConfig>, origin: 'client' | 'coordinator' = 'client') {
    const { world, log } = await logWith(config)
    const batches = await Promise.all(all.map(batchIn))
    const own = batches.map((batch, at) => {
      const payload = { codec: all[at]!, bytes: batch.subarray(61), count: 20 }
      return encodeBatch({ records: payload, ...facts })
    })
    const answers = own.map(batch => append(world, log, batch, { origin }))
    const pump = setInterval(() => void world.clock.settle(), 1)
    const results = await Promise.all(answers)
    clearInterval(pump)
    expect(results.map(result => result.ok && result.baseOffset)).toEqual([0, 20, 40, 60, 80])
    const bytes = await readAll(log)
    return batchesIn(bytes).map(({ position }) => {
      const header = readBatchHeader(bytes, position)
      expect(checkCrc(bytes, position, header, crc32c)).toBe(true)
      return codecNames[codecOf(header)]
    })
  }

  test('stores every batch in the codec of its topic, in the order of their coming', async () => {
    expect(await stored({ compressionType: 'zstd' })).toEqual(Array.from(all, () => 'zstd'))
    expect(await stored({ compressionType: 'uncompressed' })).toEqual(Array.from(all, () => 'none'))
  })

  test('stores batches as they come where its topic leaves it to producers, and always a coordinator’s', async () => {
    expect(await stored({ compressionType: 'producer' })).toEqual([...codecNames])
    expect(await stored({ compressionType: 'gzip' }, 'coordinator')).toEqual([...codecNames])
  })

  test('compresses at the level of its topic', async () => {
    const sizes = await Promise.all(
      [1, 9].map(async compressionGzipLevel => {
        const { world, log } = await logWith({ compressionType: 'gzip', compressionGzipLevel })
        const words = new Prng(3)
        const value = utf8(Array.from({ length: 3000 }, () => `${words.below(300)}`).join(' '))
        const answer = append(
          world,
          log,
          encodeBatch({ records: [{ value }], baseTimestamp: 1000 }),
        )
        const pump = setInterval(() => void world.clock.settle(), 1)
        expect(await answer).toMatchObject({ ok: true })
        clearInterval(pump)
        return log.sizeBytes
      }),
    )
    expect(sizes[0]).toBeGreaterThan(sizes[1]!)
  })

  test('stamps the time of appending into what it compressed', async () => {
    const types = { compressionType: 'lz4', messageTimestampType: 'LogAppendTime' } as const
    expect(await stored(types)).toEqual(Array.from(all, () => 'lz4'))
  })

  test('keeps keyless records out of a compacted topic as ever', async () => {
    const { world, log } = await logWith({ compressionType: 'lz4', cleanupPolicy: 'compact' })
    const keyless = encodeBatch({
      records: [{ key: null, value: utf8('v') }],
      ...facts,
      lastOffsetDelta: 0,
    })
    const answer = append(world, log, keyless)
    const pump = setInterval(() => void world.clock.settle(), 1)
    expect(await answer).toMatchObject({ ok: false, error: 'INVALID_RECORD' })
    clearInterval(pump)
  })
})
