import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readInt16, utf8, writeInt32 } from '../../src/lib/bytes.ts'
import { readCorrelationId, readResponse, requestFrame } from '../../src/broker/wire/frame.ts'
import { apiVersions, fetch, metadata, produce } from '../../src/broker/wire/messages/index.ts'
import { startBroker, type TestBroker } from '../helpers/broker.ts'
import { produceRequest } from '../helpers/broker-client.ts'
import { int16, int32 } from '../helpers/numbers.ts'
import { RawClient } from '../helpers/raw-client.ts'
import { Bystander } from './bystander.ts'
import { refusalFrom } from './log-lines.ts'

let broker: TestBroker
let bystander: Bystander
let caseCount = 0

beforeAll(async () => {
  broker = await startBroker()
  bystander = await Bystander.join(broker)
})

afterAll(async () => {
  bystander.leave()
  if (!broker.isRunning) console.error(`The broker said:\n${broker.output.slice(-8000)}`)
  await broker[Symbol.asyncDispose]()
})

const software = { clientSoftwareName: 'stranger', clientSoftwareVersion: '1' }
const noTopics = {
  topics: [],
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}

/** A connection from an address of its own, so that its log line is found. */
async function stranger(): Promise<{ client: RawClient; address: string }> {
  const address = `127.0.1.${++caseCount}`
  const options = { localAddress: address, clientId: 'stranger' }
  return { client: await RawClient.connect(broker.port, options), address }
}

/** The broker closes the connection, says so once, and serves everybody else. */
async function closesFor(bytes: Uint8Array, line: Record<string, unknown>): Promise<void> {
  const { client, address } = await stranger()
  expect(await client.answerOrClose(bytes)).toBeNull()
  expect(await refusalFrom(broker, address)).toMatchObject(line)
  await bystander.isServed()
}

function frameOf(...parts: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts)
  const length = new Uint8Array(4)
  writeInt32(length, 0, body.length)
  return Buffer.concat([length, body])
}

function header(apiKey: number, version: number, clientId = 'stranger'): Uint8Array {
  const text = utf8(clientId)
  return Buffer.concat([int16(apiKey), int16(version), int32(7), int16(text.length), text])
}

describe('a length prefix', () => {
  test.each([-1, -0x80000000, 0, 1, 7, 0x7fffffff, 104_857_601])('of %d', async size => {
    await closesFor(Buffer.concat([int32(size), header(18, 0)]), { reason: 'frame' })
  })
})

describe('what is not the protocol', () => {
  test.each([
    ['an HTTP request', utf8('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a TLS hello', Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0)],
  ])('%s', async (_, bytes) => {
    await closesFor(bytes, { reason: 'frame' })
  })

  test('a frame of noise', async () => {
    const noise = Uint8Array.from({ length: 40 }, (_, at) => (at * 151 + 77) & 0xff)
    await closesFor(frameOf(noise), { remote: expect.any(String), reason: expect.any(String) })
  })
})

describe('a header', () => {
  test('of an unknown API', async () => {
    const line = { reason: 'unknown-api', api: '999', version: 0, clientId: 'stranger' }
    await closesFor(frameOf(header(999, 0)), line)
  })

  test('of a negative API key', async () => {
    await closesFor(frameOf(header(-1, 0)), { reason: 'unknown-api', clientId: 'stranger' })
  })

  test("of an API of Kafka's that is not served", async () => {
    const detail = expect.stringContaining('leave transactional.id of the producer empty')
    const line = { reason: 'unknown-api', api: 'AddPartitionsToTxn', version: 3, detail }
    await closesFor(frameOf(header(24, 3)), line)
  })

  test.each([-1, 0, 2, 99])('of Produce in version %d', async version => {
    const line = { reason: 'unsupported-version', api: 'Produce', version, clientId: 'stranger' }
    await closesFor(frameOf(header(0, version)), line)
  })

  test.each([-2, 32767])('with a client id of %d bytes', async length => {
    const bytes = Buffer.concat([int16(3), int16(1), int32(7), int16(length), utf8('x')])
    await closesFor(frameOf(bytes), { reason: 'malformed' })
  })

  test.each([5, -1, 999])(
    'of ApiVersions in version %d is answered with what we speak',
    async version => {
      const { client } = await stranger()
      const answer = await client.answerOrClose(frameOf(header(18, version)))
      expect(readCorrelationId(answer!)).toBe(7)
      const { value } = readResponse(apiVersions, 0, answer!)
      expect(value.errorCode).toBe(35)
      expect(value.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 4 }])
      // The connection lives on, for the client to ask again.
      expect((await client.ask(apiVersions, 3, software)).errorCode).toBe(0)
      client.close()
      await bystander.isServed()
    },
  )
})

describe('a body', () => {
  test.each([
    ['Metadata v1', header(3, 1)],
    ['Fetch v4', Buffer.concat([header(1, 4), int32(-1), int32(0), int32(0), int32(1), int16(0)])],
    ['ListOffsets v1', Buffer.concat([header(2, 1), int32(-1)])],
    ['CreateTopics v2', header(19, 2)],
    ['DeleteTopics v1', header(20, 1)],
  ])('of %s that is cut off', async (name, bytes) => {
    const [api, version] = name.split(' v')
    const line = { reason: 'malformed', api, version: Number(version), clientId: 'stranger' }
    await closesFor(frameOf(bytes), line)
  })

  test.each([-2, 2, 0x10000, 0x7fffffff])('with an array of %d elements', async count => {
    await closesFor(frameOf(header(3, 1), int32(count)), { reason: 'malformed', api: 'Metadata' })
  })

  test.each([-1, 2, 0x7fff, -0x8000])('with a string of %d bytes', async length => {
    const body = [header(3, 1), int32(1), int16(length), utf8('x')]
    await closesFor(frameOf(...body), { reason: 'malformed', api: 'Metadata' })
  })

  test.each([-2, 100, 0x7fffffff])('with records of %d bytes', async length => {
    const topic = [int32(1), int16(1), utf8('t'), int32(1), int32(0), int32(length)]
    const body = [header(0, 3), int16(-1), int16(1), int32(1000), ...topic]
    await closesFor(frameOf(...body), { reason: 'malformed', api: 'Produce', version: 3 })
  })

  test('with bytes after its end is taken without them, as some clients need it', async () => {
    const { client } = await stranger()
    const answer = await client.answerOrClose(frameOf(header(18, 0), utf8('more')))
    expect(readResponse(apiVersions, 0, answer!).value.errorCode).toBe(0)
    client.close()
    await bystander.isServed()
  })

  test('with a compact length that does not end', async () => {
    const tags = Uint8Array.of(0)
    const endless = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
    await closesFor(frameOf(header(3, 9), tags, endless), { reason: 'malformed', api: 'Metadata' })
  })

  test('with a tag section that claims more than there is', async () => {
    const tags = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)
    await closesFor(frameOf(header(3, 9), tags), { reason: 'malformed' })
  })
})

describe('a connection', () => {
  test('that ends within a frame harms nobody', async () => {
    const whole = frameOf(header(3, 1), int32(-1))
    for (let length = 1; length < whole.length; length++) {
      const client = await RawClient.connect(broker.port)
      client.send(whole.subarray(0, length))
      client.finish()
      await client.closed
    }
    await bystander.isServed()
  })

  test('that sends byte by byte is answered', async () => {
    const { client } = await stranger()
    const answer = client.exchange(new Uint8Array(0))
    for (const byte of frameOf(header(3, 1), int32(-1))) {
      client.send(Uint8Array.of(byte))
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(readInt16(await answer, 2)).toBe(7)
    client.close()
  })

  test('gets the answers to what came before its broken frame', async () => {
    const { client, address } = await stranger()
    const asked = Array.from({ length: 5 }, () => client.ask(metadata, 12, noTopics))
    client.send(frameOf(header(3, 1), int32(9)))
    for (const answer of asked) expect((await answer).brokers).toHaveLength(1)
    await client.closed
    expect(await refusalFrom(broker, address)).toMatchObject({ reason: 'malformed' })
    await bystander.isServed()
  })

  test('with a parked fetch that breaks another frame ends, and the fetch with it', async () => {
    const { client } = await stranger()
    const topics = [
      {
        topic: bystander.place.topic,
        partitions: [{ partition: 0, fetchOffset: bystander.end, partitionMaxBytes: 1000 }],
      },
    ]
    const parked = client.ask(fetch, 4, {
      maxWaitMs: 600_000,
      minBytes: 1 << 20,
      isolationLevel: 0,
      topics,
      forgottenTopicsData: [],
      rackId: '',
      sessionId: 0,
    })
    parked.catch(() => {})
    client.send(int32(-1))
    await client.closed
    await expect(parked).rejects.toThrow('closed')
    await bystander.isServed()
  })

  test('that reads nothing of ten thousand answers does not hurt others', async () => {
    const { client } = await stranger()
    client.pause()
    const names = { topics: null, includeTopicAuthorizedOperations: false }
    const parts = requestFrame(
      metadata,
      1,
      { correlationId: 1, clientId: null },
      { ...names, includeClusterAuthorizedOperations: false },
    ) as Uint8Array[]
    const one = Buffer.concat(parts)
    for (let count = 0; count < 10_000; count++) client.send(one)
    await bystander.isServed()
    client.close()
    await bystander.isServed()
  })
})

test('a produce whose topic name is not UTF-8 names no topic', async () => {
  const bytes = requestFrame(
    produce,
    3,
    { correlationId: 1, clientId: 'stranger' },
    produceRequest({ topic: 'abc', partition: 0 }, new Uint8Array(100), 1),
  ) as Uint8Array[]
  const frame = Buffer.concat(bytes)
  const at = frame.indexOf('abc')
  frame.set([0xff, 0xfe, 0xfd], at)
  const { client } = await stranger()
  const answer = await client.answerOrClose(frame)
  if (answer !== null) {
    const { value } = readResponse(produce, 3, answer)
    expect(value.responses[0]!.partitionResponses[0]!.errorCode).not.toBe(0)
  }
  client.close()
  await bystander.isServed()
})
