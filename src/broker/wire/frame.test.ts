import { expect, test } from 'vitest'
import { concat, fromHex, hex } from '../../lib/bytes.ts'
import { decodeRequest } from './codec.ts'
import {
  type FramePart,
  readCorrelationId,
  readRequestHeader,
  readResponse,
  requestFrame,
  responseFrame,
} from './frame.ts'
import {
  apiVersions,
  fetch,
  heartbeat,
  metadata,
  produce,
  saslHandshake,
} from './messages/index.ts'
import { UnsupportedVersionError, WireError } from './wire-error.ts'

/** Hex with spaces and comments, as golden frames are written below. */
const golden = (text: string) => fromHex(text.replaceAll(/#.*$/gm, '').replaceAll(/\s/g, ''))
const bytesOf = (parts: FramePart[]) => concat(parts as Uint8Array[])
const unprefixed = (parts: FramePart[]) => bytesOf(parts).subarray(4)

test('ApiVersions v3 as librdkafka sends it', () => {
  const frame = golden(`
    0012 0003 00000001            # key, version, correlation id
    0007 72646b61666b61           # client id: int16 length, also in header v2
    00                            # no tags in the header
    0b 6c696272646b61666b61       # compact string: 10 characters
    07 322e31352e30               # 2.15.0
    00`)
  const header = readRequestHeader(frame)
  expect(header).toMatchObject({
    api: apiVersions,
    apiKey: 18,
    apiVersion: 3,
    correlationId: 1,
    clientId: 'rdkafka',
    bodyAt: 18,
  })
  const request = { clientSoftwareName: 'librdkafka', clientSoftwareVersion: '2.15.0' }
  expect(decodeRequest(apiVersions, 3, frame, header.bodyAt)).toEqual(request)
  const written = requestFrame(apiVersions, 3, { correlationId: 1, clientId: 'rdkafka' }, request)
  expect(hex(bytesOf(written))).toBe('00000025' + hex(frame))
})

const oneApi = {
  errorCode: 0,
  apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
  throttleTimeMs: 5,
}

test('an ApiVersions response has compact forms and tags, but no tags in its header (G3)', () => {
  const features = { ...oneApi, finalizedFeaturesEpoch: 7 }
  expect(hex(bytesOf(responseFrame(apiVersions, 3, 9, features)))).toBe(
    hex(
      golden(`
        0000001d 00000009
        0000                        # error code
        02 0012 0000 0004 00        # one element, with its own tag section
        00000005                    # throttle time
        01 01 08 0000000000000007   # one tag: number 1 of 8 bytes
      `),
    ),
  )
})

test('the answer to an unknown version of ApiVersions has a v0 body (G1)', () => {
  const refusal = { ...oneApi, errorCode: 35 }
  expect(hex(bytesOf(responseFrame(apiVersions, 0, 9, refusal)))).toBe(
    hex(golden('00000010 00000009 0023 00000001 0012 0000 0004')),
  )
})

test('Produce v3 as kafkajs sends it: classic forms, records in place', () => {
  const frame = golden(`
    0000 0003 0000002a 0003 616263
    ffff                          # no transactional id
    ffff 00007530                 # acks all, 30 s
    00000001 0001 74              # topic t
    00000001 00000000             # partition 0
    00000004 deadbeef`)
  const { bodyAt } = readRequestHeader(frame)
  const request = decodeRequest(produce, 3, frame, bodyAt)
  expect(request).toMatchObject({ transactionalId: null, acks: -1, timeoutMs: 30_000 })
  const [partition] = request.topicData[0]!.partitionData
  expect(hex(partition!.records!)).toBe('deadbeef')
})

test('Fetch v12 response: a tag section in the header, tags in a struct, records as their compact form', () => {
  const file = { length: 0x90, file: 'segment' }
  const parts = responseFrame(fetch, 12, 1, {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: 0,
    responses: [
      {
        topic: 't',
        partitions: [
          {
            partitionIndex: 3,
            errorCode: 0,
            highWatermark: 258,
            lastStableOffset: 258,
            logStartOffset: 0,
            abortedTransactions: null,
            records: file,
            currentLeader: { leaderId: 2, leaderEpoch: 1 },
          },
        ],
      },
    ],
  })
  expect(parts[1]).toBe(file)
  expect(hex(parts[0] as Uint8Array)).toBe(
    hex(
      golden(`
        000000d6 00000001 00
        00000000 0000 00000000
        02 02 74
        02 00000003 0000 0000000000000102 0000000000000102 0000000000000000
        00 ffffffff
        9101                        # 0x90 bytes of records + 1, as a varint of two bytes
      `),
    ),
  )
  expect(hex(parts[2] as Uint8Array)).toBe(hex(golden('01 01 09 00000002 00000001 00   00 00')))
})

test('a Metadata v1 request tells null from empty (G10)', () => {
  const null1 = golden('0003 0001 00000001 ffff ffffffff')
  const empty = golden('0003 0001 00000001 ffff 00000000')
  expect(decodeRequest(metadata, 1, null1, readRequestHeader(null1).bodyAt).topics).toBe(null)
  expect(decodeRequest(metadata, 1, empty, readRequestHeader(empty).bodyAt).topics).toEqual([])
  expect(readRequestHeader(empty).clientId).toBe(null)
})

test('flexible begins at a version of its own for each API, and never for SaslHandshake', () => {
  const classic = responseFrame(heartbeat, 3, 1, { throttleTimeMs: 0, errorCode: 0 })
  const flexible = responseFrame(heartbeat, 4, 1, { throttleTimeMs: 0, errorCode: 0 })
  expect(hex(bytesOf(classic))).toBe(hex(golden('0000000a 00000001 00000000 0000')))
  expect(hex(bytesOf(flexible))).toBe(hex(golden('0000000c 00000001 00 00000000 0000 00')))
  const handshake = responseFrame(saslHandshake, 1, 1, { errorCode: 0, mechanisms: ['PLAIN'] })
  expect(hex(bytesOf(handshake))).toBe(
    hex(golden('00000011 00000001 0000 00000001 0005 504c41494e')),
  )
})

test('what a client reads is what the broker wrote', () => {
  const value = { throttleTimeMs: 1, errorCode: 27 }
  for (const version of [0, 3, 4]) {
    const frame = unprefixed(responseFrame(heartbeat, version, 77, value))
    expect(readCorrelationId(frame)).toBe(77)
    const expected = { ...value, throttleTimeMs: version === 0 ? 0 : 1 }
    expect(readResponse(heartbeat, version, frame)).toEqual({ correlationId: 77, value: expected })
  }
})

test('an unknown key or version says all that is needed to answer it or to log it', () => {
  const cases = [
    '0012 0063 00000007 0003 616263 ffffff', // ApiVersions 99, its body unreadable
    '0000 0002 00000007 0003 616263', // Produce 2: advertised, not understood (G2)
    '0007 0000 00000007 0003 616263', // ControlledShutdown: gone
    '0003 ffff 00000007 0003 616263',
    '7fff 0000 00000007 0003 616263',
  ]
  for (const text of cases) {
    const frame = golden(text)
    const attempt = () => readRequestHeader(frame)
    expect(attempt).toThrow(UnsupportedVersionError)
    expect(attempt).toThrow(
      expect.objectContaining({ correlationId: 7, clientId: 'abc' }) as unknown as Error,
    )
  }
  const bare = golden('0012 0063 00000007')
  expect(() => readRequestHeader(bare)).toThrow(
    expect.objectContaining({ apiKey: 18, apiVersion: 99, clientId: null }) as unknown as Error,
  )
})

test('a header that is cut short is a broken frame', () => {
  const whole = golden('0012 0003 00000001 0003 616263 00')
  for (let length = 0; length < whole.length; length++) {
    expect(() => readRequestHeader(whole.subarray(0, length))).toThrow(WireError)
  }
  expect(readRequestHeader(whole).bodyAt).toBe(whole.length)
})
