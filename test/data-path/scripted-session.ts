import { concat, writeInt32 } from '../../src/lib/bytes.ts'
import { encodeBatch, type BatchInput } from '../../src/broker/log/batch/batch.ts'
import { createCodecs } from '../../src/broker/log/compression/codecs.ts'
import { encodeRecords, type RecordInput } from '../../src/broker/log/batch/records.ts'
import type { Draft } from '../../src/broker/wire/field.ts'
import {
  apiVersions,
  createTopics,
  deleteTopics,
  describeCluster,
  describeConfigs,
  fetch,
  findCoordinator,
  initProducerId,
  listOffsets,
  metadata,
  offsetForLeaderEpoch,
  produce,
} from '../../src/broker/wire/messages/index.ts'
import { Prng } from '../../src/lib/prng.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { produceRequest } from '../helpers/broker-client.ts'
import { withoutClock } from './without-clock.ts'
import { noUuid, type Recorder } from './recorder.ts'

const baseTimestamp = Date.UTC(2026, 0, 1)
const codecIds = [0, 1, 2, 3, 4] as const

/** Batches that both brokers are given: made once, so that a codec's output is the same for both. */
export interface Supplies {
  /** One a codec, in the order of their ids. */
  readonly compressed: readonly Uint8Array[]
  /** Too large to leave together with its header. */
  readonly large: Uint8Array
}

export async function makeSupplies(): Promise<Supplies> {
  const codecs = createCodecs({ soon: act => void setImmediate(act) })
  const records = recordsOf('a record like many others', 200)
  const compressed = await Promise.all(
    codecIds.map(async codec => {
      const bytes = await codecs.compress(codec, encodeRecords(records))
      const payload = { codec, bytes, count: records.length }
      return batch({ records: payload, maxTimestamp: baseTimestamp + records.length - 1 })
    }),
  )
  return { compressed, large: batch({ records: [{ value: new Prng(1).bytes(300_000) }] }) }
}

/** A session over every API and many of their errors. Two brokers must answer it with the same bytes. */
export async function runScript(recorder: Recorder, supplies: Supplies): Promise<void> {
  await greet(recorder)
  await makeTopics(recorder)
  await produceAll(recorder, supplies)
  await produceIdempotently(recorder)
  await produceWrongly(recorder, supplies)
  await fetchAll(recorder)
  await lookUpAll(recorder)
  await describeAll(recorder)
  await breakFrames(recorder)
  await removeTopics(recorder)
}

async function greet(recorder: Recorder): Promise<void> {
  const software = { clientSoftwareName: 'recorder', clientSoftwareVersion: '1' }
  for (const version of [0, 1, 2, 3, 4]) await recorder.ask(apiVersions, version, software)
  const unknown = recorder.frame(apiVersions, 4, software)
  unknown[7] = 99
  await recorder.exchange('ApiVersions v99', unknown)
}

async function makeTopics(recorder: Recorder): Promise<void> {
  const topic = (name: string, numPartitions = 1, configs: Record<string, string> = {}) => ({
    name,
    numPartitions,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  })
  const ask = (version: number, ...topics: ReturnType<typeof topic>[]) =>
    recorder.ask(createTopics, version, { topics, validateOnly: false }, response => ({
      ...response,
      topics: response.topics.map(each => ({ ...each, topicId: noUuid })),
    }))
  await ask(7, topic('plain', 2), topic('codecs', codecIds.length), topic('bad/name'))
  await ask(5, topic('compacted', 1, { 'cleanup.policy': 'compact' }), topic('plain'))
  await ask(4, topic('small', 1, { 'max.message.bytes': '1000', 'internal.segment.bytes': '4000' }))
  await ask(2, topic('none', 0), { ...topic('thrice'), replicationFactor: 3 })
  await ask(6, topic('odd', 1, { 'no.such.setting': '1' }), topic('x'.repeat(250)))
  await ask(7, topic('twice'), topic('twice'))
}

async function produceAll(recorder: Recorder, { compressed, large }: Supplies): Promise<void> {
  for (const version of [3, 5, 7, 8, 9, 10, 11]) {
    for (const [partition, records] of compressed.entries()) {
      await recorder.ask(produce, version, to('codecs', partition, records, version % 2 ? -1 : 1))
    }
  }
  await recorder.ask(produce, 6, to('codecs', 4, compressed[4]!))
  for (const size of [1, 10, 1000]) {
    const records = batch({ records: recordsOf('plain', size) })
    await recorder.ask(produce, 9, to('plain', 0, records))
  }
  for (let at = 0; at < 3; at++) await recorder.ask(produce, 9, to('plain', 1, large))
  await recorder.tell(produce, 9, to('plain', 0, compressed[0]!, 0))
  for (const records of compressed) await recorder.ask(produce, 9, to('compacted', 0, records))
  for (let at = 0; at < 20; at++) {
    const records = batch({ records: recordsOf(`small ${at}`, 5) })
    await recorder.ask(produce, 9, to('small', 0, records))
  }
}

async function produceIdempotently(recorder: Recorder): Promise<void> {
  const rest = { transactionTimeoutMs: 60_000, enable2Pc: false, keepPreparedTxn: false }
  for (const version of [0, 2, 4, 5]) {
    await recorder.ask(initProducerId, version, { transactionalId: 'no transactions', ...rest })
  }
  const { producerId } = await recorder.ask(initProducerId, 4, { transactionalId: null, ...rest })
  const send = (baseSequence: number, producerEpoch = 0, count = 3) =>
    recorder.ask(
      produce,
      9,
      to(
        'plain',
        0,
        batch({ records: recordsOf('once', count), producerId, producerEpoch, baseSequence }),
      ),
    )
  for (const sequence of [0, 3, 6, 9, 12, 15, 18]) await send(sequence)
  // Duplicates, within the five batches that are remembered and before them; then gaps, and epochs old and new.
  for (const sequence of [18, 15, 6, 3, 0, 30, 21]) await send(sequence)
  await send(24, 0, 2)
  await send(24, 0, 3)
  await send(0, 2)
  await send(27, 1)
}

async function produceWrongly(recorder: Recorder, { compressed }: Supplies): Promise<void> {
  const good = compressed[0]!
  const wrong = [
    changed(good, good.length - 1, 1), // a flipped bit
    changed(good, 16, 3), // an old format
    batch({ records: recordsOf('count', 3), lastOffsetDelta: 7 }),
    changed(good, 22, 7), // an unknown codec
    good.subarray(0, good.length - 5),
    good.subarray(0, 40), // the header is cut
    good.subarray(0, 0),
    concat([good, good]),
    batch({ records: recordsOf('control', 1), control: true }),
  ]
  for (const records of wrong) {
    for (const version of [9, 3]) await recorder.ask(produce, version, to('plain', 0, records))
  }
  const future = batch({ records: recordsOf('future', 1), baseTimestamp: 8e12 })
  await recorder.ask(produce, 9, to('plain', 0, future), withoutClock)
  const keyless = batch({ records: [{ value: utf8('no key') }] })
  await recorder.ask(produce, 9, to('compacted', 0, keyless))
  await recorder.ask(
    produce,
    9,
    to('small', 0, batch({ records: [{ value: new Uint8Array(1000) }] })),
  )
  await recorder.ask(produce, 9, to('unknown', 0, good))
  await recorder.ask(produce, 9, to('plain', 7, good))
  await recorder.ask(produce, 9, to('__consumer_offsets', 0, good))
  await recorder.ask(produce, 9, to('plain', 0, good, 5))
  const partitionData = [0, 9, 1].map(index => ({ index, records: good }))
  const topicData = [
    { name: 'plain', partitionData },
    { name: 'unknown', partitionData },
  ]
  await recorder.ask(produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  for (const acks of [0, 1]) {
    const frame = recorder.frame(produce, 9, to('plain', 0, changed(good, 70, 1), acks))
    await recorder.exchange(`Produce acks=${acks} of a flipped bit`, frame)
  }
}

async function fetchAll(recorder: Recorder): Promise<void> {
  for (const version of [4, 5, 6, 7, 8, 9, 10, 11, 12]) {
    for (const topic of ['plain', 'codecs', 'small', 'compacted']) {
      await recorder.ask(fetch, version, from(topic, [0, 1, 2, 3, 4], 0, 1 << 20))
    }
  }
  for (const offset of [0, 1, 2, 5, 10, 11, 500, 1010, 1011, 1012, 1013, 2000, -1, 1e9]) {
    for (const maxBytes of [0, 1, 61, 1000, 20_000, 1 << 20]) {
      await recorder.ask(fetch, 12, from('plain', [0], offset, maxBytes))
    }
  }
  for (const offset of [0, 3, 4, 5, 23, 77, 99, 100]) {
    for (const maxBytes of [1, 300, 3000, 1 << 20]) {
      await recorder.ask(fetch, 11, from('small', [0], offset, maxBytes))
    }
  }
  for (const maxBytes of [1, 300_000, 400_000, 700_000, 2_000_000]) {
    await recorder.ask(fetch, 12, from('plain', [1, 0], 1, maxBytes))
    await recorder.ask(fetch, 12, from('codecs', [4, 3, 2, 1, 0], 150, maxBytes))
  }
  await recorder.ask(fetch, 12, { ...from('plain', [0], 0, 1000), isolationLevel: 1 })
  await recorder.ask(fetch, 12, { ...from('plain', [0], 0, 1000), sessionId: 77, sessionEpoch: 3 })
  await recorder.ask(fetch, 12, { ...from('plain', [1], 3, 1000), maxWaitMs: 20, minBytes: 1 })
  await recorder.ask(fetch, 12, from('unknown', [0], 0, 1000))
  await recorder.ask(fetch, 12, from('plain', [9], 0, 1000))
  for (const epochs of [
    { currentLeaderEpoch: 9 },
    { lastFetchedEpoch: 0 },
    { lastFetchedEpoch: 9 },
  ]) {
    const request = from('plain', [0], 5, 1000)
    const topics = request.topics.map(each => ({
      ...each,
      partitions: each.partitions.map(partition => ({ ...partition, ...epochs })),
    }))
    await recorder.ask(fetch, 12, { ...request, topics })
  }
}

async function lookUpAll(recorder: Recorder): Promise<void> {
  const around = [-1, 0, 1, 100, 199, 200, 10_000].map(delta => baseTimestamp + delta)
  for (const timestamp of [-1, -2, -3, -4, -5, -9, 0, ...around]) {
    const at = (partitions: readonly number[]) =>
      partitions.map(partitionIndex => ({ partitionIndex, timestamp }))
    const topics = [
      { name: 'codecs', partitions: at([0, 1, 2, 3, 4, 5]) },
      { name: 'small', partitions: at([0]) },
      { name: 'unknown', partitions: at([0]) },
    ]
    const request = { replicaId: -1, isolationLevel: 0, topics, timeoutMs: 1000 }
    for (const version of [1, 2, 4, 6, 7, 8]) await recorder.ask(listOffsets, version, request)
  }
  for (const leaderEpoch of [-1, 0, 1, 5]) {
    const partitions = [0, 9].map(partition => ({ partition, leaderEpoch }))
    const topics = [{ topic: 'plain', partitions }]
    for (const version of [2, 3, 4]) await recorder.ask(offsetForLeaderEpoch, version, { topics })
  }
}

async function describeAll(recorder: Recorder): Promise<void> {
  for (const version of [0, 1, 2, 3, 4, 5, 6]) {
    for (const keyType of [0, 1]) {
      const request = { key: 'k', keyType, coordinatorKeys: ['k', 'l'] }
      await recorder.ask(findCoordinator, version, request, response => ({
        ...response,
        port: 0,
        coordinators: response.coordinators.map(each => ({ ...each, port: 0 })),
      }))
    }
  }
  const resources = ['plain', 'small', 'compacted', 'unknown'].map(resourceName => ({
    resourceType: 2,
    resourceName,
    configurationKeys: null,
  }))
  for (const version of [1, 2, 3, 4]) {
    const rest = { includeSynonyms: version > 2, includeDocumentation: version > 3 }
    await recorder.ask(describeConfigs, version, { resources, ...rest })
  }
  const names = ['plain', 'codecs', 'small', 'unknown'].map(name => ({ name, topicId: noUuid }))
  for (const version of [0, 1, 4, 7, 8, 9, 10, 11, 12]) {
    const request = {
      topics: names,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: true,
      includeTopicAuthorizedOperations: true,
    }
    await recorder.ask(metadata, version, request, response => ({
      ...response,
      clusterId: '',
      brokers: response.brokers.map(broker => ({ ...broker, port: 0 })),
      topics: response.topics.map(topic => ({ ...topic, topicId: noUuid })),
    }))
  }
  for (const version of [0, 1, 2]) {
    const request = { includeClusterAuthorizedOperations: true, includeFencedBrokers: false }
    await recorder.ask(describeCluster, version, request, response => ({
      ...response,
      clusterId: '',
      brokers: response.brokers.map(broker => ({ ...broker, port: 0 })),
    }))
  }
}

async function breakFrames(recorder: Recorder): Promise<void> {
  const software = { clientSoftwareName: 'recorder', clientSoftwareVersion: '1' }
  const good = () => recorder.frame(apiVersions, 3, software)
  const many = concat([good(), recorder.frame(fetch, 12, from('plain', [0], 0, 5000)), good()])
  await recorder.exchange('three requests at once', many, { answerCount: 3 })
  await recorder.exchange('byte by byte', good(), { pieceBytes: 1 })
  const large = recorder.frame(fetch, 12, from('plain', [1], 0, 1 << 20))
  await recorder.exchange('in threes', concat([large, good()]), { answerCount: 2, pieceBytes: 3 })
  for (const size of [-1, 0, 7, 0x7fffffff]) {
    const frame = good()
    writeInt32(frame, 0, size)
    await recorder.exchange(`a frame of announced ${size} bytes`, frame)
    await recorder.exchange(`answered before a frame of ${size} bytes`, concat([good(), frame]), {
      answerCount: 2,
    })
  }
  const unknownApi = good()
  unknownApi[5] = 250
  await recorder.exchange('an unknown API', unknownApi)
  const metadataOfFuture = recorder.frame(metadata, 12, {
    topics: null,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
  metadataOfFuture[7] = 120
  await recorder.exchange('an unknown version', metadataOfFuture)
  const cut = recorder.frame(fetch, 12, from('plain', [0], 0, 5000)).slice(0, 40)
  writeInt32(cut, 0, cut.length - 4)
  await recorder.exchange('a request that ends too early', cut)
}

async function removeTopics(recorder: Recorder): Promise<void> {
  const mask = (response: { readonly responses: readonly { topicId: string }[] }) => ({
    ...response,
    responses: response.responses.map(each => ({ ...each, topicId: noUuid })),
  })
  const byName = (...topicNames: string[]) => ({ topicNames, timeoutMs: 1000 })
  for (const version of [1, 3, 5]) {
    await recorder.ask(deleteTopics, version, {
      ...byName(version === 1 ? 'small' : 'unknown', 'compacted'),
      topics: [],
    })
  }
  const topics = ['plain', 'plain', 'unknown'].map(name => ({ name, topicId: noUuid }))
  await recorder.ask(deleteTopics, 6, { topics, ...byName() }, mask as never)
  await recorder.ask(fetch, 12, from('plain', [0], 0, 1000))
  await recorder.ask(fetch, 12, from('codecs', [0], 0, 1000))
}

export function batch(input: BatchInput): Uint8Array {
  return encodeBatch({ baseTimestamp, ...input })
}

export function recordsOf(text: string, count: number): RecordInput[] {
  return Array.from({ length: count }, (_, at) => ({
    offsetDelta: at,
    timestampDelta: at,
    key: utf8(`key ${at % 7}`),
    value: utf8(`${text} ${at}`),
  }))
}

export function to(
  topic: string,
  partition: number,
  records: Uint8Array,
  acks = 1,
): Draft<typeof produce.request> {
  return produceRequest({ topic, partition }, records, acks)
}

export function from(
  topic: string,
  partitions: readonly number[],
  fetchOffset: number,
  maxBytes: number,
): Draft<typeof fetch.request> {
  return {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes,
    isolationLevel: 0,
    sessionId: 0,
    topics: [
      {
        topic,
        partitions: partitions.map(partition => ({
          partition,
          fetchOffset,
          partitionMaxBytes: maxBytes,
        })),
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  }
}

function changed(bytes: Uint8Array, at: number, bits: number): Uint8Array {
  const copy = bytes.slice()
  copy[at]! ^= bits
  return copy
}
