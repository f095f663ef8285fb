import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { concat, hex, utf8 } from '../../src/lib/bytes.ts'
import { createCodecs } from '../../src/broker/log/compression/codecs.ts'
import { readCorrelationId } from '../../src/broker/wire/frame.ts'
import { errorName, type ErrorName } from '../../src/broker/wire/errors.ts'
import { apiVersions, fetch, metadata, produce } from '../../src/broker/wire/messages/index.ts'
import { outcomeOf } from './outcome.ts'
import type { TestBroker } from '../helpers/broker.ts'
import { produceRequest, BrokerClient } from '../helpers/broker-client.ts'
import { RawClient } from '../helpers/raw-client.ts'
import {
  badBatches,
  type BadBatch,
  bombBytesMax,
  bombs,
  nearlyBomb,
  rightBatch,
} from './bad-batches.ts'
import type { Campaign, PartCounts } from './campaign.ts'
import { mapFrame } from './frame-map.ts'
import { sizeOf } from './process-size.ts'
import { textBombs } from './text-bombs.ts'

/** What no single frame can be: ways of sending, and requests that are too large to be made by thousands. */
export async function runParts(
  campaign: Campaign,
  frames: number,
  progress: (text: string) => void,
): Promise<PartCounts> {
  const isShort = frames < 50_000
  const parts: readonly (() => Promise<PartCounts>)[] = [
    () => otherProtocols(campaign),
    () => byteByByte(campaign, isShort ? 20 : campaign.served.length),
    () => endsWithin(campaign),
    () => pipelinedUnread(campaign, 10_000),
    () => sameCorrelationId(campaign),
    () => largeFetch(campaign, 1_000_000),
    () => largeMetadata(campaign, 100_000),
    () => textBombs(campaign),
    () => wrongBatches(campaign, isShort ? 2 : 50),
    () => compressionBombs(campaign, isShort ? 1 : 10),
  ]
  const counts: Record<string, unknown> = {}
  for (const part of parts) {
    const found = await part()
    Object.assign(counts, found)
    const { residentMiB, peakMiB } = sizeOf(campaign.broker.pid)
    progress(`${JSON.stringify(found)}: ${residentMiB} MiB, at most ${peakMiB} MiB`)
  }
  return counts
}

function open(broker: TestBroker): Promise<RawClient> {
  return RawClient.connect(broker.port, { clientId: 'campaign', timeoutMs: 60_000 })
}

function openClient(broker: TestBroker): Promise<BrokerClient> {
  return BrokerClient.connect(broker.port, { clientId: 'campaign', timeoutMs: 60_000 })
}

/** HTTP, TLS, SSH, SMTP and noise: each is closed. */
async function otherProtocols({ broker, random }: Campaign): Promise<PartCounts> {
  const hellos = [
    utf8('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    utf8('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    utf8('SSH-2.0-OpenSSH_9.6\r\n'),
    concat([Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3), random.bytes(500)]),
    concat([Uint8Array.of(0x80 | random.below(128)), random.bytes(50)]),
  ]
  for (const bytes of hellos) {
    using client = await open(broker)
    const answer = await client.answerOrClose(bytes)
    if (answer !== null) throw new Error(`${bytes.subarray(0, 8).join()} was answered`)
  }
  return { otherProtocols: hellos.length }
}

/** A whole request in one-byte writes comes out as one in a single write does: it is answered. */
async function byteByByte(campaign: Campaign, count: number): Promise<PartCounts> {
  let answered = 0
  for (let at = 0; at < count; at++) {
    const { api, version } = campaign.served[(at * 7) % campaign.served.length]!
    using client = await open(campaign.broker)
    const header = { correlationId: at, clientId: 'slow' }
    const request = campaign.maker.request(api)
    const { bytes } = mapFrame(api, version, header, request)
    const heard = (answer: Uint8Array): void => {
      if (readCorrelationId(answer) !== at) throw new Error(`another id for ${hex(bytes)}`)
    }
    const outcome = await outcomeOf(client, bytes, { heard, send: slowly(client) })
    // Where nobody waits for an answer, the end of the connection is how a refusal is told.
    if (outcome === 'closed' && request['acks'] !== 0) throw new Error(`closed: ${hex(bytes)}`)
    if (outcome === 'answered') answered++
  }
  return { byteByByte: count, byteByByteAnswered: answered }
}

function slowly(client: RawClient): (bytes: Uint8Array) => Promise<void> {
  return async bytes => {
    for (const byte of bytes) {
      client.send(Uint8Array.of(byte))
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}

/** The connection ends at every byte of a request. */
async function endsWithin({ broker, random }: Campaign): Promise<PartCounts> {
  using maker = await open(broker)
  const batch = badBatches.right()
  const frame = maker.frame(produce, 9, produceRequest({ topic: 'one', partition: 0 }, batch, 1))
  for (let length = 0; length < frame.length; length++) {
    const client = await open(broker)
    client.send(frame.subarray(0, length))
    if (random.chance(1, 2)) {
      client.close()
    } else {
      client.finish()
      await client.closed
    }
  }
  return { endsWithin: frame.length }
}

/** Thousands of requests whose answers nobody reads, and then an end without a word. */
async function pipelinedUnread({ broker }: Campaign, count: number): Promise<PartCounts> {
  const socket = await rawSocket(broker.port)
  using maker = await open(broker)
  const one = maker.frame(metadata, 12, {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
  for (let sent = 0; sent < count; sent += 100) {
    socket.write(concat(Array.from({ length: 100 }, () => one)))
  }
  await sleep(200)
  socket.destroy()
  return { pipelinedUnread: count }
}

/** One id for all of them: each is answered with it, in order. */
async function sameCorrelationId({ broker }: Campaign): Promise<PartCounts> {
  using client = await open(broker)
  const count = 200
  const names = { clientSoftwareName: '', clientSoftwareVersion: '' }
  const frame = client.frame(apiVersions, 0, names, 77)
  const answers = await Promise.all(Array.from({ length: count }, () => client.exchange(frame)))
  for (const answer of answers) {
    if (readCorrelationId(answer) !== 77) throw new Error('another correlation id was answered')
  }
  return { sameCorrelationId: count }
}

/** A fetch of very many partitions, of one topic and of as many topics. */
async function largeFetch({ broker }: Campaign, count: number): Promise<PartCounts> {
  const part = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }
  const common = { maxWaitMs: 0, minBytes: 0, maxBytes: 1, isolationLevel: 0, sessionId: 0 }
  const rest = { forgottenTopicsData: [], rackId: '' }
  const partitions = Array.from({ length: count }, () => part)
  const wide = [{ topic: 'one', partitions }]
  const many = Array.from({ length: count / 10 }, (_, at) => ({
    topic: `none-${at}`,
    partitions: [part],
  }))
  let answered = 0
  for (const topics of [wide, many]) {
    using client = await open(broker)
    const frame = client.frame(fetch, 4, { ...common, ...rest, topics })
    if ((await client.answerOrClose(frame)) !== null) answered++
  }
  return { largeFetch: 2, largeFetchAnswered: answered }
}

async function largeMetadata({ broker }: Campaign, count: number): Promise<PartCounts> {
  const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'
  const topics = Array.from({ length: count }, (_, at) => ({ name: `none-${at}`, topicId }))
  let answered = 0
  for (const version of [4, 12]) {
    using client = await open(broker)
    const frame = client.frame(metadata, version, {
      topics,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    if ((await client.answerOrClose(frame)) !== null) answered++
  }
  return { largeMetadata: 2, largeMetadataAnswered: answered }
}

/**
 * Every kind of wrong batch to a plain and to a compacted topic: always an answer, and the connection stays. What
 * is right is taken before and after each; so a refusal is the batch's fault.
 */
async function wrongBatches(
  { broker, random, renew }: Campaign,
  times: number,
): Promise<PartCounts> {
  await renew()
  using client = await openClient(broker)
  const codes: Record<string, number> = {}
  for (const topic of ['two', 'compacted']) {
    const place = { topic, partition: 0 }
    for (const name of Object.keys(badBatches) as BadBatch[]) {
      for (let time = 0; time < times; time++) {
        const { errorCode } = await client.produce(place, badBatches[name](random))
        const error = errorName(errorCode)
        codes[error] = (codes[error] ?? 0) + 1
        const expected = certain[name]?.[topic === 'two' ? 0 : 1]
        if (expected === undefined || expected === error) continue
        throw new Error(`${name} to ${topic}: ${error} in place of ${expected}`)
      }
      const { errorCode, errorMessage } = await client.produce(place, rightBatch())
      if (errorCode !== 0) throw new Error(`${topic} refused a right batch: ${errorMessage}`)
    }
  }
  return { wrongBatches: codes }
}

/** What must become of some, in a plain and in a compacted topic; the others have edges that are right. */
const certain: { readonly [Name in BadBatch]?: readonly [plain: ErrorName, compacted: ErrorName] } =
  {
    right: ['NONE', 'INVALID_RECORD'],
    'wrong CRC': ['CORRUPT_MESSAGE', 'CORRUPT_MESSAGE'],
    'control flag': ['INVALID_RECORD', 'INVALID_RECORD'],
    'transactional flag': [
      'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
      'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    ],
    'negative sequence': ['INVALID_RECORD', 'INVALID_RECORD'],
    'base offset': ['INVALID_RECORD', 'INVALID_RECORD'],
    overlapping: ['INVALID_RECORD', 'INVALID_RECORD'],
  }

/**
 * What opens to 100 MiB is refused with INVALID_RECORD, by the compacted topic that must look inside and by the one
 * that stores everything uncompressed; what opens to nearly 64 is opened, and compressed in every codec. The
 * connection stays.
 */
async function compressionBombs({ broker, renew }: Campaign, times: number): Promise<PartCounts> {
  await renew()
  const codecs = createCodecs({ soon: act => void setImmediate(act) })
  const [made, nearly] = [await bombs(codecs), await nearlyBomb(codecs)]
  using client = await openClient(broker)
  const types = ['uncompressed', 'gzip', 'lz4', 'zstd']
  await client.createTopics([
    { name: 'looks', configs: { 'cleanup.policy': 'compact', ...bombSize } },
    ...types.map(type => ({ name: type, configs: { 'compression.type': type, ...bombSize } })),
  ])
  let sent = 0
  const send = async (topic: string, batch: Uint8Array, expected: ErrorName): Promise<void> => {
    const { errorCode } = await client.produce({ topic, partition: 0 }, batch)
    sent++
    if (errorName(errorCode) === expected) return
    throw new Error(`A bomb to ${topic}: ${errorName(errorCode)} in place of ${expected}`)
  }
  for (let time = 0; time < times; time++) {
    for (const topic of ['looks', 'uncompressed']) {
      await Promise.all([...made.values()].map(batch => send(topic, batch, 'INVALID_RECORD')))
    }
    await Promise.all([
      send('looks', nearly, 'INVALID_RECORD'),
      send('uncompressed', nearly, 'MESSAGE_TOO_LARGE'),
      ...['gzip', 'lz4', 'zstd'].map(topic => send(topic, nearly, 'NONE')),
    ])
  }
  return { compressionBombs: sent }
}

const bombSize = { 'max.message.bytes': String(bombBytesMax) }

function rawSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.pause()
      resolve(socket)
    })
    socket.on('error', reject)
  })
}
