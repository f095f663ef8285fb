/**
 * Nanoseconds a message for the codecs of the hot messages: compiled, from closures, and for Produce decoded by
 * hand on the same Reader. `npm run bench -- codec`; the best of many rounds, as the machine is shared.
 */
import { closeCodec } from '../src/broker/wire/codec-closures.ts'
import { compileCodec } from '../src/broker/wire/codec-compiler.ts'
import { type Codec, codecFor } from '../src/broker/wire/codec.ts'
import { fetch, metadata, produce } from '../src/broker/wire/messages/index.ts'
import { Reader } from '../src/broker/wire/reader.ts'
import { Writer } from '../src/broker/wire/writer.ts'
import { concat } from '../src/lib/bytes.ts'

const roundCount = 25
const roundMs = 20

/** Keeps results alive, so that nothing is optimised away. */
let sink: unknown

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at)

const produceRequest = {
  transactionalId: null,
  acks: -1,
  timeoutMs: 30_000,
  topicData: [
    {
      name: 'orders-eu-west',
      partitionData: upTo(8).map(index => ({ index, records: new Uint8Array(100) })),
    },
  ],
}
const fetchRequest = {
  replicaId: -1,
  maxWaitMs: 500,
  minBytes: 1,
  isolationLevel: 0,
  sessionId: 0,
  topics: upTo(10).map(topic => ({
    topic: `orders-eu-west-${topic}`,
    partitions: upTo(10).map(partition => ({
      partition,
      fetchOffset: 123_456_789_012,
      partitionMaxBytes: 1 << 20,
    })),
  })),
  forgottenTopicsData: [],
  rackId: '',
}
const fetchResponse = {
  throttleTimeMs: 0,
  errorCode: 0,
  sessionId: 0,
  responses: upTo(10).map(topic => ({
    topic: `orders-eu-west-${topic}`,
    partitions: upTo(10).map(partitionIndex => ({
      partitionIndex,
      errorCode: 0,
      highWatermark: 123_456_789_012,
      lastStableOffset: 123_456_789_012,
      logStartOffset: 0,
      abortedTransactions: null,
      records: { length: 100_000 },
    })),
  })),
}
const metadataResponse = {
  throttleTimeMs: 0,
  brokers: upTo(3).map(nodeId => ({ nodeId, host: `broker-${nodeId}.kafka.svc`, port: 9092 })),
  clusterId: 'AAAAAAAAAAAAAAAAAAAAAA',
  errorCode: 0,
  topics: upTo(50).map(topic => ({
    errorCode: 0,
    name: `orders-eu-west-${topic}`,
    topicId: 'AQIDBAUGBwgJCgsMDQ4PEA',
    isInternal: false,
    partitions: upTo(12).map(partitionIndex => ({
      errorCode: 0,
      partitionIndex,
      leaderId: partitionIndex % 3,
      replicaNodes: [0, 1, 2],
      isrNodes: [0, 1, 2],
      offlineReplicas: [],
    })),
  })),
}

const cases = [
  { id: { api: produce, side: 'request', version: 9 }, message: produceRequest, verb: 'decode' },
  { id: { api: fetch, side: 'request', version: 12 }, message: fetchRequest, verb: 'decode' },
  { id: { api: fetch, side: 'response', version: 12 }, message: fetchResponse, verb: 'encode' },
  {
    id: { api: metadata, side: 'response', version: 12 },
    message: metadataResponse,
    verb: 'encode',
  },
] as const

for (const { id, message, verb } of cases) {
  const compiled = codecFor(id, compileCodec)
  const closed = codecFor(id, closeCodec)
  const [asCompiled, asClosed] = [compiled, closed].map(codec => nsOf(act(codec, message, verb)))
  console.log(`${compiled.name} ${verb}: compiled ${asCompiled} ns, closures ${asClosed} ns`)
}
const codec = codecFor(cases[0].id, compileCodec)
const frame = encoded(codec, produceRequest)
console.log(`Produce request v9 decode: by hand ${nsOf(() => produceByHand(new Reader(frame)))} ns`)

function act(codec: Codec, message: unknown, verb: 'encode' | 'decode'): () => unknown {
  if (verb === 'encode') {
    return () => {
      const writer = new Writer()
      codec.encode(writer, message)
      return writer.finish()
    }
  }
  const bytes = encoded(codec, message)
  return () => codec.decode(new Reader(bytes))
}

function encoded(codec: Codec, message: unknown): Uint8Array {
  const writer = new Writer()
  codec.encode(writer, message)
  return concat(writer.finish() as Uint8Array[])
}

function produceByHand(reader: Reader): unknown {
  const transactionalId = reader.nullableCompactString()
  const acks = reader.int16()
  const timeoutMs = reader.int32()
  const topicData: unknown[] = []
  const topicCount = reader.compactCount(3)
  for (let topic = 0; topic < topicCount; topic++) {
    const name = reader.compactString()
    const partitionData: unknown[] = []
    const partitionCount = reader.compactCount(6)
    for (let at = 0; at < partitionCount; at++) {
      partitionData.push({ index: reader.int32(), records: reader.compactRecords() })
      reader.skipTags()
    }
    topicData.push({ name, partitionData })
    reader.skipTags()
  }
  reader.skipTags()
  return { transactionalId, acks, timeoutMs, topicData }
}

function nsOf(run: () => unknown): number {
  let best = Infinity
  for (let round = 0; round < roundCount; round++) {
    const beganAt = process.hrtime.bigint()
    let count = 0
    let passedNs = 0
    while (passedNs < roundMs * 1e6) {
      for (let at = 0; at < 100; at++) sink = run()
      count += 100
      passedNs = Number(process.hrtime.bigint() - beganAt)
    }
    best = Math.min(best, passedNs / count)
  }
  return sink === null ? 0 : Math.round(best)
}
