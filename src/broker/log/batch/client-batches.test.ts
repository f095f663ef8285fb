import { describe, expect, test } from 'vitest'
import { fromHex, fromUtf8 } from '../../../lib/bytes.ts'
import { crc32c } from '../../../lib/crc32c.ts'
import { codecNames } from '../compression/codec-id.ts'
import { createCodecs } from '../compression/codecs.ts'
import { codecOf } from './batch.ts'
import { readRecords } from './records.ts'
import { openPayload } from './validate-records.ts'
import { walkRecords } from './record-walk.ts'
import { validateBatch, validateRecords, type BatchRules } from './validate.ts'

/**
 * Batches as real clients sent them, byte for byte: four records of which the first has no key. Taken from
 * librdkafka's own mock broker, from kafka-python's batch builder and from kafka-clients' `MemoryRecords`.
 */
const sent: readonly (readonly [
  client: string,
  codec: (typeof codecNames)[number],
  batch: string,
])[] = [
  [
    'librdkafka 2.16.0',
    'none',
    '0000000000000000000000a500000000023999ea230000000000030000018bcfe568000000018bcf' +
      'e56803000000001d166d280000000000000000000432000000011876616c75652076616c75652004' +
      '02680276026e013a000202086b6579311876616c75652076616c7565200402680276026e013a0004' +
      '04086b6579321876616c75652076616c7565200402680276026e013a000606086b6579331876616c' +
      '75652076616c7565200402680276026e01',
  ],
  [
    'librdkafka 2.16.0',
    'gzip',
    '00000000000000000000007b000000000248fb7e7f0001000000030000018bcfe568000000018bcf' +
      'e56803ffffffffffffffffffffffffffff000000041f8b0800000000000003fbc3ccc0c0c0f880b9' +
      '2c31a7345561e4902c4c194c654c798c2d2c0c4c4c1cd9a99586233a0c585840616034a2c3808d0d' +
      '1406c623370c005cecb3ac0c040000',
  ],
  [
    'librdkafka 2.16.0',
    'snappy',
    '00000000000000000000009300000000023a4794460002000000030000018bcfe568000000018bcf' +
      'e56803ffffffffffffffffffffffffffff000000048c0834fc0300000001e00376616c756520fe06' +
      '00fe0600fe0600a60600440402680276026e018404000202086b657931fe0401fe0401fe0401f204' +
      '0104040421040032fe0401fe0401fe0401f2040104060621040033fe0401fe0401fe0401e60401',
  ],
  [
    'librdkafka 2.16.0',
    'lz4',
    '000000000000000000000083000000000200034b270003000000030000018bcfe568000000018bcf' +
      'e56803ffffffffffffffffffffffffffff0000000404224d1860408243000000effc0300000001e0' +
      '0376616c7565200600d7ff030402680276026e018404000202086b6579310401ea20040404011f32' +
      '0401ea20060604011f330401e2500276026e0100000000',
  ],
  [
    'librdkafka 2.16.0',
    'zstd',
    '0000000000000000000000750000000002f357b86a0004000000030000018bcfe568000000018bcf' +
      'e56803000000002648a8c00000000000000000000428b52ffd0058dd01006402fc0300000001e003' +
      '76616c7565200402680276026e018404000202086b657931040432060633060077400258a807c4c0' +
      '6af4078bb2cfa18a12',
  ],
  [
    'kafka-python 3.0.12',
    'none',
    '0000000000000000000000a500000000025ab43b190000000000030000018bcfe568000000018bcf' +
      'e56803ffffffffffffffffffffffffffff0000000432000000011876616c75652076616c75652004' +
      '02680276026e013a000202086b6579311876616c75652076616c7565200402680276026e013a0004' +
      '04086b6579321876616c75652076616c7565200402680276026e013a000606086b6579331876616c' +
      '75652076616c7565200402680276026e01',
  ],
  [
    'kafka-python 3.0.12',
    'gzip',
    '00000000000000000000007b0000000002d19a2fb00001000000030000018bcfe568000000018bcf' +
      'e56803ffffffffffffffffffffffffffff000000041f8b0800762f036b02fffbc3ccc0c0c0f880b9' +
      '2c31a7345561e4902c4c194c654c798c2d2c0c4c4c1cd9a99586233a0c585840616034a2c3808d0d' +
      '1406c623370c005cecb3ac0c040000',
  ],
  [
    'kafka-python 3.0.12',
    'snappy',
    '0000000000000000000000a700000000026ec846090002000000030000018bcfe568000000018bcf' +
      'e56803ffffffffffffffffffffffffffff0000000482534e41505059000000000100000001000000' +
      '628c0834fc0300000001e00376616c756520fe0600fe0600fe0600a60600440402680276026e0184' +
      '04000202086b657931fe0401fe0401fe0401f2040104040421040032fe0401fe0401fe0401f20401' +
      '04060621040033fe0401fe0401fe0401e60401',
  ],
  [
    'kafka-python 3.0.12',
    'lz4',
    '00000000000000000000008b0000000002fec3b55e0003000000030000018bcfe568000000018bcf' +
      'e56803ffffffffffffffffffffffffffff0000000404224d1868400c040000000000000d43000000' +
      'effc0300000001e00376616c7565200600d7ff030402680276026e018404000202086b6579310401' +
      'ea20040404011f320401ea20060604011f330401e2500276026e0100000000',
  ],
  [
    'kafka-python 3.0.12',
    'zstd',
    '0000000000000000000000760000000002eba139b00004000000030000018bcfe568000000018bcf' +
      'e56803ffffffffffffffffffffffffffff0000000428b52ffd600c03dd01006402fc0300000001e0' +
      '0376616c7565200402680276026e018404000202086b657931040432060633060077400258a807c4' +
      'c06af4078bb2cfa18a12',
  ],
  [
    'Java 4.3.1',
    'none',
    '0000000000000000000000a5ffffffff02965ecff30000000000030000018bcfe568000000018bcf' +
      'e5680300000000000000070000000000000000000432000000011876616c75652076616c75652004' +
      '02680276026e013a000202086b6579311876616c75652076616c7565200402680276026e013a0004' +
      '04086b6579321876616c75652076616c7565200402680276026e013a000606086b6579331876616c' +
      '75652076616c7565200402680276026e01',
  ],
  [
    'Java 4.3.1',
    'gzip',
    '00000000000000000000007bffffffff02745433350001000000030000018bcfe568000000018bcf' +
      'e568030000000000000007000000000000000000041f8b08000000000000fffbc3ccc0c0c0f880b9' +
      '2c31a7345561e4902c4c194c654c798c2d2c0c4c4c1cd9a99586233a0c585840616034a2c3808d0d' +
      '1406c623370c005cecb3ac0c040000',
  ],
  [
    'Java 4.3.1',
    'snappy',
    '0000000000000000000000a7ffffffff029b325e200002000000030000018bcfe568000000018bcf' +
      'e5680300000000000000070000000000000000000482534e41505059000000000100000001000000' +
      '628c0834fc0300000001e00376616c756520fe0600fe0600fe0600a60600440402680276026e0184' +
      '04000202086b657931fe0401fe0401fe0401f2040104040421040032fe0401fe0401fe0401f20401' +
      '04060621040033fe0401fe0401fe0401e60401',
  ],
  [
    'Java 4.3.1',
    'lz4',
    '000000000000000000000083ffffffff02a3659c3d0003000000030000018bcfe568000000018bcf' +
      'e5680300000000000000070000000000000000000404224d1860408243000000effc0300000001e0' +
      '0376616c7565200600d7ff030402680276026e018404000202086b6579310401ea20040404011f32' +
      '0401ea20060604011f330401e2500276026e0100000000',
  ],
  [
    'Java 4.3.1',
    'zstd',
    '000000000000000000000078ffffffff026a7610f90004000000030000018bcfe568000000018bcf' +
      'e5680300000000000000070000000000000000000428b52ffd0058dc01006402fc0300000001e003' +
      '76616c7565200402680276026e018404000202086b657931040432060633060077400258a807c4c0' +
      '6af4078bb2cfa18a12010000',
  ],
]

const codecs = createCodecs({ soon: act => void setImmediate(act) })
const rules: BatchRules = {
  maxMessageBytes: 1_048_588,
  compacted: false,
  origin: 'client',
  allowsZstd: true,
  nowMs: 1_700_000_001_000,
  timestampType: 'CreateTime',
  beforeMaxMs: Number.MAX_VALUE,
  afterMaxMs: 3_600_000,
}

describe.each(sent)('%s with %s', (_, codec, text) => {
  const batch = fromHex(text)
  const accepted = validateBatch(batch, rules, { crc32c, walkRecords })
  if (!accepted.ok) throw new Error(accepted.message)
  const { header } = accepted

  test('is accepted, and has the records that were produced', async () => {
    expect(codecNames[codecOf(header)]).toBe(codec)
    expect(await validateRecords(header, batch, codecs, rules)).toMatchObject({ ok: true })
    const records = [...readRecords(await openPayload(header, batch, codecs), header)]
    const value = 'value '.repeat(codec === 'none' ? 2 : 40)
    expect(
      records.map(record => [record.key && fromUtf8(record.key), fromUtf8(record.value!)]),
    ).toEqual([null, 'key1', 'key2', 'key3'].map(key => [key, value]))
    expect(records.map(({ timestampDelta, offsetDelta }) => [timestampDelta, offsetDelta])).toEqual(
      [
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 3],
      ],
    )
    expect(
      records[3]!.headers.map(({ key, value: held }) => [fromUtf8(key), held && fromUtf8(held)]),
    ).toEqual([
      ['h', 'v'],
      ['n', null],
    ])
    expect([header.baseTimestamp, header.maxTimestamp]).toEqual([
      1_700_000_000_000, 1_700_000_000_003,
    ])
  })

  test('is refused by a compacted topic, which names the record without a key', async () => {
    expect(
      await validateRecords(header, batch, codecs, { ...rules, compacted: true }),
    ).toMatchObject({
      error: 'INVALID_RECORD',
      recordErrors: [{ index: 0 }],
    })
  })
})
