import { zstdCompressSync } from 'node:zlib'
import { encodeBatch, type BatchInput } from '../../../src/broker/log/batch/batch.ts'
import { encodeRecords } from '../../../src/broker/log/batch/records.ts'
import {
  deleteRecords,
  describeProducers,
  fetch,
  initProducerId,
  metadata,
  produce,
} from '../../../src/broker/wire/messages/index.ts'
import { pick, type Scenario, type Session } from '../session.ts'
import { batchOf, fetchBody, produceBody, someTime } from './data.ts'

/** A batch of one record, or as many as `count`, of producer 4711. */
function ofProducer(
  baseSequence: number,
  changes: Partial<BatchInput> & { count?: number } = {},
): Uint8Array {
  const { count = 1, ...rest } = changes
  const records = Array.from({ length: count }, () => ({ key: 'k', value: 'v' }))
  const producer = { producerId: 4711, producerEpoch: 0, baseSequence }
  return encodeBatch({ records, baseTimestamp: someTime, ...producer, ...rest })
}

/** Produces a list of batches one after the other to one new partition, and tells what became of each. */
function inTurn(name: string, batches: Readonly<Record<string, Uint8Array>>): Scenario {
  return {
    name,
    run: async session => {
      const topic = await session.topic('topic')
      for (const [label, records] of Object.entries(batches)) {
        await session.ask(label, produce, 11, produceBody(topic, records))
      }
      await session.ask('all of it', fetch, 12, fetchBody(topic))
      const topics = [{ name: topic, partitionIndexes: [0] }]
      await session.ask('producers', describeProducers, 0, { topics })
    },
  }
}

async function acks(session: Session): Promise<void> {
  const topic = await session.topic('topic')
  for (const value of [-2, -1, 1, 2, 32_767]) {
    const body = produceBody(topic, batchOf([`acks ${value}`]), { acks: value })
    await session.ask(`acks ${value}`, produce, 11, body)
  }
  // Nothing is answered: what comes next on the connection tells whether it was closed, and a fetch then what was taken.
  for (const [label, to, records] of [
    ['acks 0', topic, batchOf(['acks 0'])],
    ['acks 0 of garbage', topic, Buffer.alloc(70, 7)],
    ['acks 0 to a topic that is not there', session.own('no-such'), batchOf(['nowhere'])],
  ] as const) {
    await session.unanswered(produce, 11, produceBody(to, records, { acks: 0 }))
    const next = await session.connection('').ask(metadata, 12, { topics: [] })
    session.note(`next to ${label}`, next === 'closed' ? next : 'answered')
    await session.ask(`fetched after ${label}`, fetch, 12, fetchBody(topic))
  }
}

async function versions(session: Session): Promise<void> {
  const records = [{ key: 'a', value: 'b' }]
  const bytes = zstdCompressSync(encodeRecords(records))
  const zstd = encodeBatch({ records: { codec: 4, bytes, count: 1 }, baseTimestamp: someTime })
  const topic = await session.topic('topic')
  for (let version = 3; version <= 11; version++) {
    await session.ask(`zstd in v${version}`, produce, version, produceBody(topic, zstd))
    const body = produceBody(topic, Buffer.alloc(70, 7))
    await session.ask(`garbage in v${version}`, produce, version, body)
  }
  for (let version = 4; version <= 12; version++) {
    await session.ask(`fetch of zstd in v${version}`, fetch, version, fetchBody(topic))
  }
}

async function recompression(session: Session): Promise<void> {
  for (const codec of ['uncompressed', 'gzip', 'zstd', 'snappy', 'lz4', 'producer']) {
    const topic = await session.topic(codec, { configs: { 'compression.type': codec } })
    await session.ask(`${codec}: plain`, produce, 11, produceBody(topic, batchOf(['a', 'b'])))
    const bytes = zstdCompressSync(encodeRecords([{ key: 'a', value: 'b' }]))
    const zstd = encodeBatch({ records: { codec: 4, bytes, count: 1 }, baseTimestamp: someTime })
    await session.ask(`${codec}: zstd`, produce, 11, produceBody(topic, zstd))
    await session.ask(`${codec}: fetched`, fetch, 12, fetchBody(topic))
  }
}

async function sizes(session: Session): Promise<void> {
  const topic = await session.topic('topic', { configs: { 'max.message.bytes': '1000' } })
  for (const size of [900, 931, 932, 933, 2000]) {
    const records = [{ value: 'x'.repeat(size) }]
    const batch = encodeBatch({ records, baseTimestamp: someTime })
    await session.ask(`a batch of ${batch.length} of 1000`, produce, 11, produceBody(topic, batch))
  }
  const segments = await session.topic('segments', {
    configs: { 'segment.bytes': '1048576', 'max.message.bytes': '4194304' },
  })
  const batch = encodeBatch({ records: [{ value: 'x'.repeat(2 << 20) }], baseTimestamp: someTime })
  await session.ask('a batch larger than a segment', produce, 11, produceBody(segments, batch))
}

async function several(session: Session): Promise<void> {
  const [one, two] = [await session.topic('one', { partitions: 2 }), await session.topic('two')]
  const right = batchOf(['right'])
  const wrong = Buffer.alloc(70, 7)
  const topicData = [
    {
      name: one,
      partitionData: [
        { index: 0, records: right },
        { index: 1, records: wrong },
      ],
    },
    { name: session.own('no-such'), partitionData: [{ index: 0, records: right }] },
    {
      name: two,
      partitionData: [
        { index: 0, records: right },
        { index: 9, records: right },
      ],
    },
  ]
  await session.ask('some right, some wrong', produce, 11, {
    acks: -1,
    timeoutMs: 30_000,
    topicData,
  })
}

/** Internal topics, and what a client may do to them. */
async function internal(session: Session): Promise<void> {
  const records = batchOf(['mine'])
  await session.ask('to offsets', produce, 11, produceBody('__consumer_offsets', records))
  await session.ask('to metadata', produce, 11, produceBody('__cluster_metadata', records))
  await session.ask('from metadata', fetch, 12, fetchBody('__cluster_metadata'))
  const topics = [{ name: '__consumer_offsets', partitions: [{ partitionIndex: 0, offset: 0 }] }]
  await session.ask('records of offsets deleted', deleteRecords, 2, { topics, timeoutMs: 30_000 })
}

async function producerIds(session: Session): Promise<void> {
  for (const [label, body] of Object.entries({
    'no transaction': { transactionalId: null, transactionTimeoutMs: 60_000 },
    'an epoch to bump, unknown': { transactionalId: null, producerId: 4711, producerEpoch: 3 },
    'an id without epoch': { transactionalId: null, producerId: 4711, producerEpoch: -1 },
    'an epoch without id': { transactionalId: null, producerId: -1, producerEpoch: 3 },
  })) {
    await session.ask(label, initProducerId, 5, { transactionTimeoutMs: 60_000, ...body })
  }
  const { producerId, producerEpoch } = (await session.request(initProducerId, 5, {
    transactionalId: null,
    transactionTimeoutMs: 60_000,
  })) as { readonly producerId: number; readonly producerEpoch: number }
  const again = { transactionalId: null, transactionTimeoutMs: 60_000, producerId, producerEpoch }
  await session.ask('an epoch to bump', initProducerId, 5, again)
}

/** Records deleted, and what a producer may then go on with. */
async function deletion(session: Session): Promise<void> {
  const topic = await session.topic('topic')
  for (const sequence of [0, 2]) {
    await session.request(produce, 11, produceBody(topic, ofProducer(sequence, { count: 2 })))
  }
  for (const offset of [-2, 5, -1, 3, 2]) {
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }]
    await session.ask(`deleted to ${offset}`, deleteRecords, 2, { topics, timeoutMs: 30_000 })
    await session.ask(`fetched after ${offset}`, fetch, 12, fetchBody(topic, { offset: 4 }))
    await session.ask(`fetched from 0 after ${offset}`, fetch, 12, fetchBody(topic))
  }
  await session.ask('the next sequence', produce, 11, produceBody(topic, ofProducer(4)))
  await session.ask(
    'a batch sent twice',
    produce,
    11,
    produceBody(topic, ofProducer(2, { count: 2 })),
  )
  void pick
}

export const producingScenarios: readonly Scenario[] = [
  { name: 'Acks', run: acks },
  { name: 'Codecs by version', run: versions },
  { name: 'Recompression', run: recompression },
  { name: 'Sizes of batches', run: sizes },
  { name: 'Several partitions', run: several },
  { name: 'Internal topics on the data path', run: internal },
  { name: 'Producer ids', run: producerIds },
  { name: 'Deleted records', run: deletion },
  inTurn('Sequences in order', {
    'first at 0': ofProducer(0, { count: 2 }),
    'next at 2': ofProducer(2),
    'sent again': ofProducer(2),
    'the first sent again': ofProducer(0, { count: 2 }),
    'next at 3': ofProducer(3),
  }),
  inTurn('Sequences out of order', {
    'first at 5': ofProducer(5),
    'a gap': ofProducer(7),
    'one back': ofProducer(4),
    'the first again, longer': ofProducer(5, { count: 2 }),
    'next at 6': ofProducer(6),
  }),
  inTurn('Sequences beyond the window of five', {
    ...Object.fromEntries([0, 1, 2, 3, 4, 5, 6].map(at => [`at ${at}`, ofProducer(at)])),
    'sent again, five back': ofProducer(2),
    'sent again, six back': ofProducer(1),
    'sent again, seven back': ofProducer(0),
  }),
  inTurn('Sequences around their end', {
    'first at 2^31-2': ofProducer(0x7ffffffe),
    'across the end': ofProducer(0x7fffffff, { count: 3 }),
    'next at 2': ofProducer(2),
    'sent again': ofProducer(0x7fffffff, { count: 3 }),
  }),
  inTurn('Epochs of a producer', {
    'epoch 1 at 0': ofProducer(0, { producerEpoch: 1 }),
    'epoch 2 at 3': ofProducer(3, { producerEpoch: 2 }),
    'epoch 2 at 0': ofProducer(0, { producerEpoch: 2 }),
    'epoch 1 again': ofProducer(1, { producerEpoch: 1 }),
    'epoch 32767 at 0': ofProducer(0, { producerEpoch: 32_767 }),
    'epoch -1': ofProducer(0, { producerEpoch: -1 }),
    'epoch -2': ofProducer(0, { producerEpoch: -2 }),
  }),
]
