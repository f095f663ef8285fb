import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import {
  batchOverheadBytes,
  codecOf,
  encodeBatch,
  readBatchHeader,
} from '../../src/broker/log/batch/batch.ts'
import { encodeRecords, readRecords, type RecordInput } from '../../src/broker/log/batch/records.ts'
import { doCodecWork } from '../../src/broker/log/compression/codec-work.ts'
import { fromUtf8 } from '../../src/lib/bytes.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import { withBroker } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'
import { metricsOf, sumOf } from '../helpers/metrics.ts'
import { BrokerClient as Client } from '../helpers/broker-client.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'logcluster-compaction-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

const to = { topic: 'changelog', partition: 0 }
const settings = { 'log.cleaner.backoff.ms': '100' }
const configs = {
  'cleanup.policy': 'compact',
  'internal.segment.bytes': '20000',
  'min.cleanable.dirty.ratio': '0.01',
}

const makers: readonly ((records: readonly RecordInput[]) => {
  codec: number
  bytes: Uint8Array
})[] = [
  records => ({ codec: 0, bytes: encodeRecords(records) }),
  records => ({ codec: 1, bytes: gzipSync(encodeRecords(records)) }),
  records => ({ codec: 4, bytes: zstdCompressSync(encodeRecords(records)) }),
  ...([2, 3] as const).map(codec => (records: readonly RecordInput[]) => ({
    codec,
    bytes: doCodecWork({ kind: 'make', codec, bytes: encodeRecords(records) }),
  })),
]

/** The value and offset of each key, by reading all. */
async function stateOf(client: BrokerClient): Promise<Map<string, [number, string]>> {
  const state = new Map<string, [number, string]>()
  const end = (await client.listOffset(to, -1)).offset
  for (let offset = 0; offset < end;) {
    const { records } = await client.fetch(to, offset)
    for (let at = 0; at < records.length;) {
      const header = readBatchHeader(records, at)
      const codec = codecOf(header)
      const packed = records.subarray(at + batchOverheadBytes, at + header.sizeBytes)
      const payload =
        codec === 0 || header.count === 0
          ? packed
          : doCodecWork({ kind: 'open', codec: codec as 1, bytes: packed, outputBytesMax: 1e6 })
      for (const { offsetDelta, key, value } of readRecords(payload, header)) {
        state.set(fromUtf8(key!), [header.baseOffset + offsetDelta, fromUtf8(value!)])
      }
      at += header.sizeBytes
      offset = header.baseOffset + header.lastOffsetDelta + 1
    }
  }
  return state
}

test('a changelog is compacted while it is written, in every codec, and is what it was after a kill', async () => {
  await withBroker({ dataDir, settings }, async broker => {
    const client = await Client.connect(broker.port)
    await client.createTopics([{ name: to.topic, configs }])
    const expected = new Map<string, [number, string]>()
    for (let round = 0; round < 400; round++) {
      const records = Array.from({ length: 20 }, (_, at) => ({
        key: `key-${(round + at * 7) % 50}`,
        value: `${round}-${at}`.padEnd(40, '.'),
      }))
      const { codec, bytes } = makers[round % makers.length]!(records)
      const batch = encodeBatch({ records: { codec, bytes, count: 20 }, baseTimestamp: Date.now() })
      const { errorCode, baseOffset } = await client.produce(to, batch)
      expect(errorCode).toBe(0)
      for (const [at, { key, value }] of records.entries()) {
        expected.set(key, [Number(baseOffset) + at, value])
      }
    }
    const sizeNow = async () => {
      const samples = await metricsOf(broker)
      return sumOf(samples, 'logcluster_log_size_bytes', { topic: to.topic })
    }
    // Of some 400 kB the active segment is left, and fifty records.
    await eventually('a compacted log', sizeNow, size => size < 60_000)
    expect(await stateOf(client)).toEqual(expected)
    const samples = await metricsOf(broker)
    expect(sumOf(samples, 'logcluster_cleaner_runs_total')).toBeGreaterThan(0)
    expect(sumOf(samples, 'logcluster_cleaner_uncleanable_partitions')).toBe(0)
    expect(sumOf(samples, 'logcluster_cleaner_thread_failures_total')).toBe(0)

    await broker.kill()
    await broker.start()
    const again = await Client.connect(broker.port)
    expect(await stateOf(again)).toEqual(expected)
    await broker.stop()
    await broker.start()
    expect(await stateOf(await Client.connect(broker.port))).toEqual(expected)
  })
})
