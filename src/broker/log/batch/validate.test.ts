import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeInt32, writeInt64, type Int64 } from '../../../lib/bytes.ts'
import { crc32c } from '../../../lib/crc32c.ts'
import { createCodecs } from '../compression/codecs.ts'
import { encodeBatch, type BatchInput } from './batch.ts'
import { walkRecords } from './record-walk.ts'
import { encodeRecords, type RecordInput } from './records.ts'
import { validateBatch, validateRecords, type BatchRules } from './validate.ts'

const nowMs = 1_700_000_000_000
const rules: BatchRules = {
  maxMessageBytes: 1_000,
  compacted: false,
  origin: 'client',
  allowsZstd: true,
  nowMs,
  timestampType: 'CreateTime',
  beforeMaxMs: 10_000,
  afterMaxMs: 1_000,
}
const records = [
  { key: 'a', value: '1' },
  { key: 'b', value: '2' },
]
const tools = { crc32c, walkRecords }
const codecs = createCodecs({ soon: act => void setImmediate(act) })

function batch(input: Partial<BatchInput> = {}): Uint8Array {
  return encodeBatch({ records, baseTimestamp: nowMs, ...input })
}

function judge(bytes: Uint8Array, changed: Partial<BatchRules> = {}): string {
  const verdict = validateBatch(bytes, { ...rules, ...changed }, tools)
  if (verdict.ok) return verdict.needsRecords ? 'needs records' : 'ok'
  expect(verdict.message).toMatch(/^[A-Z0-9].*\.$/)
  return verdict.error
}

describe('the shape (G18)', () => {
  test('is exactly one batch; fewer bytes behind it than any begins with are nothing', () => {
    expect(judge(batch())).toBe('ok')
    expect(judge(new Uint8Array([...batch(), ...new Uint8Array(11)]))).toBe('ok')
    expect(judge(new Uint8Array(0))).toBe('INVALID_RECORD')
    expect(judge(new Uint8Array([...batch(), ...batch()]))).toBe('INVALID_RECORD')
    expect(judge(new Uint8Array([...batch(), ...new Uint8Array(12)]))).toBe('INVALID_RECORD')
    for (let length = 0; length < batch().length; length++) {
      expect(judge(batch().subarray(0, length))).toBe('INVALID_RECORD')
    }
  })

  test('has a length field that can be', () => {
    for (const length of [-1, 0, 48, -2_147_483_648]) {
      const bytes = batch()
      writeInt32(bytes, 8, length)
      expect(judge(bytes)).toBe('CORRUPT_MESSAGE')
    }
    const bytes = batch()
    writeInt32(bytes, 8, 0x7fff_ffff)
    expect(judge(bytes)).toBe('INVALID_RECORD')
  })

  test('is format 2; the old ones are told to upgrade, others are damage', () => {
    for (const [magic, error] of [
      [0, 'INVALID_RECORD'],
      [1, 'INVALID_RECORD'],
      [3, 'CORRUPT_MESSAGE'],
      [255, 'CORRUPT_MESSAGE'],
    ] as const) {
      const bytes = batch()
      bytes[16] = magic
      expect(judge(bytes)).toBe(error)
    }
    const short = new Uint8Array(34)
    short[16] = 1
    const verdict = validateBatch(short, rules, tools)
    expect(verdict).toMatchObject({ error: 'INVALID_RECORD', message: /format 1/ })
  })

  test('is no larger than the topic takes, counted with its header', () => {
    const { length } = batch()
    expect(judge(batch(), { maxMessageBytes: length })).toBe('ok')
    expect(judge(batch(), { maxMessageBytes: length - 1 })).toBe('MESSAGE_TOO_LARGE')
    expect(judge(batch(), { maxMessageBytes: length - 1, origin: 'replica' })).toBe('ok')
    expect(judge(batch(), { maxMessageBytes: length - 1, origin: 'coordinator' })).toBe('ok')
  })
})

describe('the header (G19)', () => {
  test('has the right CRC, whoever sends', () => {
    for (const origin of ['client', 'coordinator', 'replica'] as const) {
      for (let at = 21; at < batch().length; at++) {
        const bytes = batch()
        bytes[at]! ^= 1
        expect(judge(bytes, { origin })).toBe('CORRUPT_MESSAGE')
      }
    }
  })

  test('has no zstd where the client cannot know it, whatever else is wrong with it', () => {
    const old = { ...rules, allowsZstd: false }
    for (const codec of [0, 1, 2, 3]) {
      // Forty zeros are no records: that is looked at.
      expect(judge(batch({ records: { codec, bytes: new Uint8Array(40), count: 2 } }), old)).toBe(
        codec === 0 ? 'needs records' : 'ok',
      )
    }
    const zstd = batch({ records: { codec: 4, bytes: new Uint8Array(40), count: 2 } })
    expect(judge(zstd)).toBe('ok')
    const refusal = {
      error: 'UNSUPPORTED_COMPRESSION_TYPE',
      message: 'zstd needs Produce version 7 or later (KIP-110).',
    }
    expect(validateBatch(zstd, old, tools)).toMatchObject(refusal)
    zstd[70]! ^= 1
    expect(validateBatch(zstd, old, tools)).toMatchObject(refusal)
  })

  test('has base offset 0 where a client sends it', () => {
    const bytes = batch({ baseOffset: 1 })
    expect(judge(bytes)).toBe('INVALID_RECORD')
    expect(judge(bytes, { origin: 'replica' })).toBe('ok')
    expect(judge(bytes, { origin: 'coordinator' })).toBe('ok')
    expect(judge(batch({ leaderEpoch: 7 }))).toBe('ok')
  })

  test.each([0, 1, 4])('counts as many records as offsets, with codec %i', codec => {
    const payload = (count: number) => ({ codec, bytes: new Uint8Array(40), count })
    expect(judge(batch({ records: payload(3) }))).toBe(codec === 0 ? 'needs records' : 'ok')
    for (const lastOffsetDelta of [1, 3, -1, 0x7fff_ffff]) {
      const bytes = batch({ records: payload(3), lastOffsetDelta })
      expect(judge(bytes)).toBe('INVALID_RECORD')
      expect(judge(bytes, { origin: 'coordinator' })).toBe('INVALID_RECORD')
      expect(judge(bytes, { origin: 'replica' })).toBe('ok')
    }
    for (const count of [0, -1, -2_147_483_648]) {
      expect(
        judge(
          batch({ records: payload(count), lastOffsetDelta: Math.max(count - 1, -2_147_483_648) }),
        ),
      ).toBe('INVALID_RECORD')
    }
  })

  test('counts no more uncompressed records than its bytes can hold', () => {
    const payload = { bytes: new Uint8Array(20), count: 3 }
    expect(judge(batch({ records: { ...payload, codec: 0 } }))).toBe('INVALID_RECORD')
    expect(judge(batch({ records: { ...payload, codec: 1 } }))).toBe('ok')
  })

  test('is not a control batch of a client', () => {
    expect(judge(batch({ control: true }))).toBe('INVALID_RECORD')
    expect(judge(batch({ control: true }), { origin: 'coordinator' })).toBe('ok')
  })

  test('carries no delete horizon of a client', () => {
    const bytes = batch()
    bytes[22]! |= 0x40
    writeInt32(bytes, 17, crc32c(bytes, 21))
    expect(judge(bytes)).toBe('INVALID_RECORD')
    expect(judge(bytes, { origin: 'replica' })).toBe('ok')
  })

  test('is not transactional yet', () => {
    const ids = { producerId: 1, producerEpoch: 0, baseSequence: 0 }
    expect(judge(batch({ transactional: true, ...ids }))).toBe(
      'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    )
  })

  test('has a sequence where it has a producer id', () => {
    const idempotent = { producerId: 1, producerEpoch: 0, baseSequence: 0 }
    expect(judge(batch(idempotent))).toBe('ok')
    expect(judge(batch({ ...idempotent, baseSequence: -1 }))).toBe('INVALID_RECORD')
    expect(judge(batch({ ...idempotent, producerId: -2 }))).toBe('INVALID_RECORD')
    const bytes = batch(idempotent)
    bytes.fill(0x7f, 43, 51)
    writeInt32(bytes, 17, crc32c(bytes, 21))
    expect(judge(bytes)).toBe('INVALID_RECORD')
  })

  test('has a known codec', () => {
    for (const codec of [0, 1, 2, 3, 4]) {
      const payload = { codec, bytes: new Uint8Array(20), count: 2 }
      expect(judge(batch({ records: payload }))).toBe(codec === 0 ? 'needs records' : 'ok')
    }
    for (const codec of [5, 6, 7]) {
      const payload = { codec, bytes: new Uint8Array(20), count: 2 }
      expect(judge(batch({ records: payload }))).toBe('UNSUPPORTED_COMPRESSION_TYPE')
    }
  })
})

describe('timestamps', () => {
  /** With the records, where they are asked for; `ok` with the greatest timestamp that they tell. */
  const judgeAll = async (bytes: Uint8Array, changed: Partial<BatchRules> = {}) => {
    const all = { ...rules, ...changed }
    const first = validateBatch(bytes, all, tools)
    if (!first.ok) return first.error
    if (!first.needsRecords) return first.greatestMs
    const second = await validateRecords(first.header, bytes, codecs, all)
    return second.ok ? second.greatestMs : second.error
  }
  /** Records at these times, from the first on, with what else the header says. */
  const at = (times: readonly Int64[], header: Partial<BatchInput> = {}) => {
    const [baseTimestamp = 0] = times
    const deltas = times.map(time => Number(BigInt(time) - BigInt(baseTimestamp)))
    const timed = deltas.map(timestampDelta => ({ key: 'k', timestampDelta }))
    return batch({ records: timed, baseTimestamp, ...header })
  }
  const wide = { beforeMaxMs: 2 ** 63, afterMaxMs: 2 ** 63 }

  test.each([
    ['now, later, between', [nowMs, nowMs + 5, nowMs + 3], nowMs + 5],
    ['at both bounds', [nowMs - 10_000, nowMs + 1_000], nowMs + 1_000],
    ['none', [-1], -1],
    ['none, and some', [-1, nowMs], nowMs],
    ['too old', [nowMs - 10_001], 'INVALID_TIMESTAMP'],
    ['one too old', [nowMs, nowMs - 10_001], 'INVALID_TIMESTAMP'],
    ['one too young', [nowMs, nowMs + 1_001], 'INVALID_TIMESTAMP'],
    ['none, and one too old', [-1, 5], 'INVALID_TIMESTAMP'],
  ] as const)('%s', async (_, times, expected) => {
    expect(await judgeAll(at(times))).toBe(expected)
  })

  test.each<[string, readonly Int64[], Int64]>([
    ['before 1970', [-1000, -995], -1],
    ['before and after 1970', [-1000, 1000], 1000],
    ['nanoseconds', [nowMs * 1e6, nowMs * 1e6 + 512], BigInt(nowMs * 1e6) + 512n],
    ['the last one of 64 bits', [2n ** 63n - 1n], 2n ** 63n - 1n],
  ])('%s, where the topic takes any', async (_, times, expected) => {
    expect(await judgeAll(at(times), wide)).toBe(expected)
  })

  test('what the header says is not what is judged: the records are', async () => {
    const far = nowMs + 2_000
    for (const maxTimestamp of [-1, nowMs - 5, nowMs + 4, far, 2 ** 63]) {
      expect(await judgeAll(at([nowMs, nowMs + 5], { maxTimestamp }))).toBe(nowMs + 5)
      expect(await judgeAll(at([nowMs, far], { maxTimestamp }))).toBe('INVALID_TIMESTAMP')
    }
    // A base that no record has may lie where none could.
    const base = { records: [{ key: 'k', timestampDelta: -2_000 }], baseTimestamp: far }
    expect(await judgeAll(batch({ ...base, maxTimestamp: nowMs }))).toBe(nowMs)
  })

  test('of compressed records are looked at where the header cannot be true', async () => {
    const bytes = await codecs.compress(
      1,
      encodeRecords([{ timestampDelta: 0 }, { timestampDelta: 5 }]),
    )
    const packed = (baseTimestamp: number, maxTimestamp: number) =>
      batch({ records: { codec: 1, bytes, count: 2 }, baseTimestamp, maxTimestamp })
    for (const lie of [-1, nowMs - 1, nowMs + 1_001, -2]) {
      expect(judge(packed(nowMs, lie))).toBe('needs records')
      expect(await judgeAll(packed(nowMs, lie))).toBe(nowMs + 5)
    }
    expect(await judgeAll(packed(-1000, -1), wide)).toBe(-1)
    // A lie that could be true is believed (docs/compatibility.md).
    for (const told of [nowMs, nowMs + 4, nowMs + 5]) {
      expect(await judgeAll(packed(nowMs, told))).toBe(null)
    }
    expect(await judgeAll(packed(-1, -1))).toBe(null)
    expect(await judgeAll(packed(nowMs, -1), { timestampType: 'LogAppendTime' })).toBe(null)
  })

  test("are the broker's own under LogAppendTime, whatever they are", async () => {
    const own = { timestampType: 'LogAppendTime' } as const
    expect(judge(at([5, nowMs * 2]), own)).toBe('ok')
    expect(judge(batch({ logAppendTime: true }), own)).toBe('INVALID_TIMESTAMP')
    expect(judge(batch({ logAppendTime: true }))).toBe('INVALID_TIMESTAMP')
  })
})

test('arbitrary bytes never throw, also where the CRC is right', () => {
  const anywhere = fc.tuple(fc.nat(60), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 150 }),
      fc.array(anywhere),
      fc.boolean(),
      (noise, writes, isOurs) => {
        const bytes = isOurs ? new Uint8Array([...batch().subarray(0, 61), ...noise]) : noise
        for (const [place, word] of writes)
          if (place + 4 <= bytes.length) writeInt32(bytes, place, word)
        if (isOurs) {
          writeInt64(bytes, 0, 0)
          writeInt32(bytes, 8, bytes.length - 12)
          bytes[16] = 2
        }
        judge(bytes)
        const believing = () => (bytes.length < 21 ? 0 : new DataView(bytes.buffer).getUint32(17))
        validateBatch(bytes, rules, { ...tools, crc32c: believing })
      },
    ),
    { numRuns: 2_000 },
  )
})

describe('records of a compacted topic', () => {
  const compacted = { ...rules, compacted: true, maxMessageBytes: 10_000_000 }
  const open = async (bytes: Uint8Array, changed: Partial<BatchRules> = {}) => {
    const all = { ...compacted, ...changed }
    const verdict = validateBatch(bytes, all, tools)
    if (!verdict.ok) throw new Error(verdict.message)
    return validateRecords(verdict.header, bytes, codecs, all)
  }
  const packed = async (
    codec: 0 | 1 | 2 | 3 | 4,
    all: readonly RecordInput[],
    count = all.length,
  ) => {
    const bytes = await codecs.compress(codec, encodeRecords(all))
    return batch({ records: { codec, bytes, count } })
  }

  test('are asked for where a client sends them', () => {
    const compressed = batch({ records: { codec: 1, bytes: new Uint8Array(40), count: 2 } })
    expect(judge(compressed, compacted)).toBe('needs records')
    expect(judge(batch({ records: [{ value: 'x' }] }), compacted)).toBe('needs records')
    // One pass tells that every record has a key.
    expect(judge(batch(), compacted)).toBe('ok')
    expect(judge(batch(), { ...compacted, origin: 'coordinator' })).toBe('ok')
    expect(judge(batch(), { ...compacted, origin: 'replica' })).toBe('ok')
  })

  test.each([0, 1, 2, 3, 4] as const)('have keys, or are named, with codec %i', async codec => {
    expect(await open(await packed(codec, records))).toMatchObject({ ok: true })
    const mixed = [{ value: 'x' }, { key: 'k' }, { key: null, value: 'y' }]
    expect(await open(await packed(codec, mixed))).toMatchObject({
      error: 'INVALID_RECORD',
      message: expect.stringContaining('2 of the 3 records'),
      recordErrors: [{ index: 0 }, { index: 2 }],
    })
  })

  test.each([0, 4] as const)('have deltas 0 to n-1, with codec %i', async codec => {
    for (const deltas of [
      [0, 2],
      [1, 2],
      [1, 0],
      [0, 0],
      [-1, 0],
    ]) {
      const all = deltas.map(offsetDelta => ({ key: 'k', offsetDelta }))
      expect(await open(await packed(codec, all))).toMatchObject({ error: 'INVALID_RECORD' })
    }
  })

  test('have timestamps that the topic takes', async () => {
    const all = [
      { key: 'k' },
      { key: 'k', timestampDelta: 1_001 },
      { key: 'k', timestampDelta: -10_000 },
    ]
    expect(await open(await packed(1, all))).toMatchObject({
      error: 'INVALID_TIMESTAMP',
      recordErrors: [{ index: 1 }],
    })
    expect(await open(await packed(1, all), { timestampType: 'LogAppendTime' })).toMatchObject({
      ok: true,
    })
  })

  test('are as many as the header says, and nothing else is there', async () => {
    const more = await packed(1, records, 3)
    const fewer = await packed(1, records, 1)
    expect(await open(more)).toMatchObject({
      error: 'INVALID_RECORD',
      message: expect.stringContaining('Record 2 of 3'),
      recordErrors: [],
    })
    expect(await open(fewer)).toMatchObject({
      error: 'INVALID_RECORD',
      message: expect.stringContaining('left over'),
    })
  })

  test("that do not decompress, or to too much, are the client's mistake", async () => {
    const noise = batch({ records: { codec: 1, bytes: new Uint8Array(30), count: 2 } })
    expect(await open(noise)).toMatchObject({ error: 'INVALID_RECORD', recordErrors: [] })
    const bytes = await codecs.compress(4, new Uint8Array(40_000_000))
    const bomb = batch({ records: { codec: 4, bytes, count: 2 } })
    expect(await open(bomb)).toMatchObject({
      error: 'INVALID_RECORD',
      message: expect.stringContaining('send smaller batches'),
    })
  })

  test('are named a thousand at most', async () => {
    const result = await open(
      await packed(
        4,
        Array.from({ length: 5_000 }, () => ({})),
      ),
    )
    expect(result).toMatchObject({ message: expect.stringContaining('5000 of the 5000') })
    expect(result.ok ? [] : result.recordErrors).toHaveLength(1_000)
  })
})
