import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { concat, utf8 } from '../../src/lib/bytes.ts'
import type { Prng } from '../../src/lib/prng.ts'
import { createCodecs } from '../../src/broker/log/compression/codecs.ts'
import { readCorrelationId } from '../../src/broker/wire/frame.ts'
import { apiVersions, fetch, metadata, produce } from '../../src/broker/wire/messages/index.ts'
import type { TestBroker } from '../helpers/broker.ts'
import { produceRequest, WireClient } from '../helpers/wire-client.ts'
import { badBatches, type BadBatch, bombs } from './bad-batches.ts'
import type { Served } from './frame-cases.ts'
import { mapFrame } from './frame-map.ts'
import { sizeOf } from './process-size.ts'
import type { RequestMaker } from './request-maker.ts'

export interface ScenarioWorld {
  readonly broker: TestBroker
  readonly random: Prng
  readonly maker: RequestMaker
  readonly served: readonly Served[]
}

/** How often each was done. */
export type ScenarioCounts = Readonly<Record<string, number>>

/** What no single frame can be: ways of sending, and requests that are too large to be made by thousands. */
export async function runScenarios(
  world: ScenarioWorld,
  frames: number,
  progress: (text: string) => void,
): Promise<ScenarioCounts> {
  const isShort = frames < 50_000
  const scenarios: readonly (() => Promise<ScenarioCounts>)[] = [
    () => otherProtocols(world),
    () => byteByByte(world, isShort ? 20 : world.served.length),
    () => endsWithin(world),
    () => pipelinedUnread(world, 10_000),
    () => sameCorrelationId(world),
    () => largeFetch(world, 1_000_000),
    () => largeMetadata(world, 100_000),
    () => wrongBatches(world, isShort ? 2 : 50),
    () => compressionBombs(world, isShort ? 1 : 10),
  ]
  const counts: Record<string, number> = {}
  for (const scenario of scenarios) {
    const found = await scenario()
    Object.assign(counts, found)
    const { residentMiB, peakMiB } = sizeOf(world.broker.pid)
    progress(`${JSON.stringify(found)}: ${residentMiB} MiB, at most ${peakMiB} MiB`)
  }
  return counts
}

function open(broker: TestBroker, timeoutMs = 60_000): Promise<WireClient> {
  return WireClient.connect(broker.port, { clientId: 'scenario', timeoutMs })
}

/** HTTP, TLS, SSH, SMTP and noise: each is closed. */
async function otherProtocols({ broker, random }: ScenarioWorld): Promise<ScenarioCounts> {
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

/** A whole request in one-byte writes is answered, or closed where it says nonsense. */
async function byteByByte(world: ScenarioWorld, count: number): Promise<ScenarioCounts> {
  for (let at = 0; at < count; at++) {
    const { api, version } = world.served[(at * 7) % world.served.length]!
    const client = await open(world.broker)
    const header = { correlationId: at, clientId: 'slow' }
    const { bytes } = mapFrame(api, version, header, world.maker.request(api))
    const after = client.frame(apiVersions, 0, {
      clientSoftwareName: '',
      clientSoftwareVersion: '',
    })
    for (const byte of concat([bytes, after])) {
      client.sendRaw(Uint8Array.of(byte))
      await new Promise(resolve => setImmediate(resolve))
    }
    client.close()
  }
  return { byteByByte: count }
}

/** The connection ends at every byte of a request. */
async function endsWithin({ broker, random }: ScenarioWorld): Promise<ScenarioCounts> {
  using maker = await open(broker)
  const batch = badBatches.right()
  const frame = maker.frame(produce, 9, produceRequest({ topic: 'one', partition: 0 }, batch, 1))
  for (let length = 0; length < frame.length; length++) {
    const client = await open(broker)
    client.sendRaw(frame.subarray(0, length))
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
async function pipelinedUnread({ broker }: ScenarioWorld, count: number): Promise<ScenarioCounts> {
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
async function sameCorrelationId({ broker }: ScenarioWorld): Promise<ScenarioCounts> {
  using client = await open(broker)
  const count = 200
  const names = { clientSoftwareName: '', clientSoftwareVersion: '' }
  const frame = client.frame(apiVersions, 0, names, 77)
  const answers = await Promise.all(Array.from({ length: count }, () => client.exchangeRaw(frame)))
  for (const answer of answers) {
    if (readCorrelationId(answer) !== 77) throw new Error('another correlation id was answered')
  }
  return { sameCorrelationId: count }
}

/** A fetch of very many partitions, of one topic and of as many topics. */
async function largeFetch({ broker }: ScenarioWorld, count: number): Promise<ScenarioCounts> {
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

async function largeMetadata({ broker }: ScenarioWorld, count: number): Promise<ScenarioCounts> {
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

/** Every kind of wrong batch to a plain and to a compacted topic: always an answer, and the connection stays. */
async function wrongBatches(
  { broker, random }: ScenarioWorld,
  times: number,
): Promise<ScenarioCounts> {
  using client = await open(broker)
  let sent = 0
  let refused = 0
  for (const name of Object.keys(badBatches) as BadBatch[]) {
    for (const topic of ['two', 'compacted']) {
      for (let time = 0; time < times; time++) {
        const { errorCode } = await client.produce(
          { topic, partition: 0 },
          badBatches[name](random),
        )
        sent++
        if (errorCode !== 0) refused++
      }
    }
  }
  return { wrongBatches: sent, wrongBatchesRefused: refused }
}

/** What opens to 100 MiB is refused, by the compacted topic that must look inside, and the connection stays. */
async function compressionBombs({ broker }: ScenarioWorld, times: number): Promise<ScenarioCounts> {
  const made = await bombs(createCodecs({ soon: act => void setImmediate(act) }))
  using client = await open(broker)
  const place = { topic: 'compacted', partition: 0 }
  let sent = 0
  for (let time = 0; time < times; time++) {
    const answers = await Promise.all(
      [...made].map(async ([name, batch]) => [
        name,
        (await client.produce(place, batch)).errorCode,
      ]),
    )
    for (const [name, code] of answers) {
      if (code === 0) throw new Error(`a bomb of ${name} was taken`)
      sent++
    }
  }
  return { compressionBombs: sent }
}

function rawSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.pause()
      resolve(socket)
    })
    socket.on('error', reject)
  })
}
