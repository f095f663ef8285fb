import { expect, test } from 'vitest'
import { batchOf, logConfig, simWorld } from '../../../../test/helpers/logs.ts'
import { codecOf, readBatchHeader, stampBatch } from '../batch/batch.ts'
import { createCodecs } from '../compression/codecs.ts'
import type { LogConfig } from '../log-config.ts'
import type { LogState } from '../state/log-state.ts'
import type { AppendOptions } from './result.ts'
import { judge, stamp } from './rules.ts'

const client: AppendOptions = { origin: 'client', leaderEpoch: 3 }
const place = { nextOffset: 1000, nowMs: 1_767_225_600_500 }
const idempotent = { producerId: 9, producerEpoch: 2, baseSequence: 40 }

/** What of a log is asked here. */
function logWith(over: Partial<LogConfig>): LogState {
  const { env } = simWorld()
  const codecs = createCodecs({ soon: act => void setImmediate(act) })
  return { config: logConfig(over), host: { env, codecs } } as unknown as LogState
}

test.each<[string, Partial<LogConfig>]>([
  ['as it came', {}],
  ['with its time of append', { messageTimestampType: 'LogAppendTime' }],
  ['after its records were opened', { cleanupPolicy: 'compact' }],
  ['in another codec', { compressionType: 'gzip' }],
  [
    'in another codec, with its time',
    { compressionType: 'gzip', messageTimestampType: 'LogAppendTime' },
  ],
])('the header that is handed on is that of the stored batch: %s', async (_, config) => {
  const log = logWith({ messageTimestampAfterMaxMs: Number.MAX_VALUE, ...config })
  const key = config.cleanupPolicy === undefined ? null : new Uint8Array(1)
  const records = Array.from({ length: 3 }, () => ({ key, value: new Uint8Array(100) }))
  const sound = await judge(log, batchOf(0, { records, leaderEpoch: 7, ...idempotent }), client)
  if (!sound.ok) throw new Error(sound.message)
  expect(sound.headers).toEqual([readBatchHeader(sound.records, 0)])
  const headers = stamp(log, sound, client, place)
  expect(headers).toEqual([readBatchHeader(sound.records, 0)])
  expect(headers[0]).toMatchObject({ baseOffset: 1000, leaderEpoch: 3, count: 3, ...idempotent })
  expect(codecOf(headers[0]!)).toBe(config.compressionType === undefined ? 0 : 1)
})

test('the batches of a leader are handed on as they are, one header each', async () => {
  const batches = [batchOf(3), batchOf(2), batchOf(4)]
  let offset = 50
  for (const [at, batch] of batches.entries()) {
    stampBatch(batch, 0, offset, at)
    offset += [3, 2, 4][at]!
  }
  const records = new Uint8Array(batches.flatMap(batch => [...batch]))
  const options: AppendOptions = { origin: 'replica', leaderEpoch: 9 }
  const log = logWith({ messageTimestampType: 'LogAppendTime' })
  const sound = await judge(log, records, options)
  if (!sound.ok) throw new Error(sound.message)
  expect(sound.headers).toEqual(batches.map(batch => readBatchHeader(batch, 0)))
  const before = records.slice()
  expect(stamp(log, sound, options, place)).toEqual(sound.headers)
  expect(records).toEqual(before)
})

test('a client that knows no zstd is refused with it', async () => {
  const records = { codec: 4, bytes: new Uint8Array(20), count: 1 }
  const judged = async (options: AppendOptions) => {
    const verdict = await judge(logWith({}), batchOf(0, { records, maxTimestamp: -1 }), options)
    return verdict.ok ? 'ok' : verdict.error
  }
  expect(await judged(client)).not.toBe('UNSUPPORTED_COMPRESSION_TYPE')
  expect(await judged({ ...client, allowsZstd: false })).toBe('UNSUPPORTED_COMPRESSION_TYPE')
})
