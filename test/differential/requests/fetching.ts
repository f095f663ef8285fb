import { encodeBatch } from '../../../src/broker/log/batch/batch.ts'
import { fetch, listOffsets, produce } from '../../../src/broker/wire/messages/index.ts'
import { isList } from '../json.ts'
import { pick, type Scenario, type Session } from '../session.ts'
import { batchOf, fetchBody, produceBody, someTime, threeBatches } from './data.ts'

/** Longer than anybody waits: what is answered all the same did not wait. */
const forever = 0x7fffffff

/** One fetch of a topic of three batches of 90 bytes each, that must be answered at once, or never would be. */
async function atOnce(session: Session): Promise<void> {
  const topic = await threeBatches(session, 'topic')
  const empty = await session.topic('empty')
  const fetches: Record<string, Record<string, unknown>> = {
    'no topic': { topics: [], minBytes: 1 },
    'no partition': { topics: [{ topic, partitions: [] }], minBytes: 1 },
    'min bytes 0': { ...fetchBody(empty), minBytes: 0 },
    'min bytes -1': { ...fetchBody(empty), minBytes: -1 },
    'min bytes as many as there are': { ...fetchBody(topic), minBytes: 270 },
    'min bytes above max bytes': { ...fetchBody(topic), minBytes: 1000, maxBytes: 100 },
    'min bytes above the partition': {
      ...fetchBody(topic, { offset: 0 }),
      minBytes: 1000,
      maxBytes: 90,
    },
    'beyond the end': { ...fetchBody(topic, { offset: 7 }), minBytes: 1 },
    'an unknown topic': { ...fetchBody(session.own('no-such')), minBytes: 1 },
    'an unknown partition': { ...fetchBody(topic, { partition: 5 }), minBytes: 1 },
    'an old leader epoch': {
      ...fetchBody(topic),
      minBytes: 1000,
      topics: [
        {
          topic,
          partitions: [
            { partition: 0, currentLeaderEpoch: 7, fetchOffset: 0, partitionMaxBytes: 1000 },
          ],
        },
      ],
    },
  }
  for (const [label, body] of Object.entries(fetches)) {
    await session.ask(label, fetch, 12, { ...body, maxWaitMs: forever })
  }
}

/** A fetch that waits, and what ends it. */
async function parked(session: Session): Promise<void> {
  const topic = await session.topic('topic')
  const others = await session.topic('others')
  const wait = async (label: string, body: Record<string, unknown>): Promise<void> => {
    const answer = session.over('waiting').ask(label, fetch, 12, { ...body, maxWaitMs: forever })
    await session.request(fetch, 12, fetchBody(others))
    await session.request(produce, 9, produceBody(others, batchOf(['elsewhere'])))
    await session.request(produce, 9, produceBody(topic, batchOf(['here'])))
    await answer
  }
  await wait('from the end, one byte', { ...fetchBody(topic), minBytes: 1 })
  const here = batchOf(['here']).length
  await wait('one byte more than there is', { ...fetchBody(topic), minBytes: here + 1 })
  const topics = [
    { topic: others, partitions: [{ partition: 9, fetchOffset: 0, partitionMaxBytes: 1000 }] },
    { topic, partitions: [{ partition: 0, fetchOffset: 2, partitionMaxBytes: 1000 }] },
  ]
  await wait('beside a partition that is not there', { ...fetchBody(topic), topics, minBytes: 1 })
  const brief = { minBytes: 1000, maxWaitMs: 300 }
  const end = fetchBody(topic, { offset: 3 })
  await session.ask('nothing within 300 ms', fetch, 12, { ...end, ...brief })
  await session.ask('not enough within 300 ms', fetch, 12, { ...fetchBody(topic), ...brief })
}

/** Where an answer ends when it may not hold everything. */
async function limits(session: Session): Promise<void> {
  const topic = await threeBatches(session, 'topic')
  for (const maxBytes of [0, 1, 90, 91, 179, 180, 181, 269, 270, 271]) {
    await session.ask(`max bytes ${maxBytes}`, fetch, 12, { ...fetchBody(topic), maxBytes })
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: maxBytes }]
    const topics = [{ topic, partitions }]
    await session.ask(`partition max bytes ${maxBytes}`, fetch, 12, { ...fetchBody(topic), topics })
  }
  for (const offset of [0, 1, 2, 3, 5, 6]) {
    await session.ask(`from offset ${offset}`, fetch, 12, fetchBody(topic, { offset }))
  }
}

/** Two partitions, the first of which takes all that the answer may hold. */
async function shares(session: Session): Promise<void> {
  const [one, two] = [await threeBatches(session, 'one'), await threeBatches(session, 'two')]
  for (const [first, second] of [
    [one, two],
    [two, one],
  ] as const) {
    for (const maxBytes of [90, 200, 270, 300, 400]) {
      const topics = [first, second].map(topic => ({
        topic,
        partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }],
      }))
      const body = { ...fetchBody(one), topics, maxBytes }
      await session.ask(
        `${maxBytes} bytes, ${first === one ? 'one' : 'two'} first`,
        fetch,
        12,
        body,
      )
    }
  }
}

/** Through several segments: what an answer holds at a segment's end. */
async function segments(session: Session): Promise<void> {
  const configs = { 'segment.bytes': '1048576' }
  const topic = await session.topic('topic', { configs })
  for (const letter of ['a', 'b', 'c', 'd', 'e']) {
    const batch = encodeBatch({
      records: [{ value: letter.repeat(400_000) }],
      baseTimestamp: someTime,
    })
    await session.request(produce, 9, produceBody(topic, batch))
  }
  const wide = { maxBytes: 50 << 20, minBytes: 1 << 20, maxWaitMs: forever }
  const partitions = (offset: number) => [
    { partition: 0, fetchOffset: offset, partitionMaxBytes: 50 << 20 },
  ]
  for (const offset of [0, 3]) {
    const topics = [{ topic, partitions: partitions(offset) }]
    // A range that ends with its segment is enough, whatever `minBytes` says.
    const answer = await session.connection('').ask(fetch, 12, { ...wide, topics })
    const batches = pick(answer, 'responses', 0, 'partitions', 0, 'records', 'batches')
    session.note(`batches from ${offset}`, isList(batches) ? batches.length : answer)
  }
}

/** Sessions of fetches (KIP-227), as clients begin, go on with and end them. */
async function sessions(session: Session): Promise<void> {
  const topic = await threeBatches(session, 'topic')
  const full = fetchBody(topic)
  const none = { ...full, topics: [] }
  for (const [sessionId, sessionEpoch] of [
    [0, -1],
    [0, 0],
    [0, 1],
    [4711, -1],
    [4711, 0],
    [4711, 1],
    [-1, 0],
    [-1, -1],
  ] as const) {
    const label = `session ${sessionId}, epoch ${sessionEpoch}`
    await session.ask(`${label}, a topic`, fetch, 12, { ...full, sessionId, sessionEpoch })
    await session.ask(`${label}, no topic`, fetch, 12, { ...none, sessionId, sessionEpoch })
  }
  const begun = await session.ask('begun', fetch, 12, { ...full, sessionId: 0, sessionEpoch: 0 })
  const sessionId = pick(begun, 'sessionId')
  const goOn = async (
    label: string,
    epoch: number,
    body: Record<string, unknown>,
  ): Promise<void> => {
    await session.ask(label, fetch, 12, { ...body, sessionId, sessionEpoch: epoch })
  }
  await goOn('gone on, nothing new', 1, none)
  await session.request(produce, 9, produceBody(topic, batchOf(['more'])))
  await goOn('gone on, more', 2, none)
  await goOn('gone on with a partition', 3, fetchBody(topic, { offset: 6 }))
  await goOn('gone on from the end', 4, fetchBody(topic, { offset: 7 }))
  await goOn('epoch told twice', 4, none)
  await goOn('epoch left out', 7, none)
  await goOn('a partition forgotten', 5, {
    ...none,
    forgottenTopicsData: [{ topic, partitions: [0] }],
  })
  await goOn('ended', -1, none)
  await goOn('gone on after its end', 6, none)
}

/** Times and special offsets, in every version. */
async function offsets(session: Session): Promise<void> {
  const topic = await threeBatches(session, 'topic')
  const empty = await session.topic('empty')
  for (let version = 1; version <= 11; version++) {
    for (const timestamp of [
      -7,
      -6,
      -5,
      -4,
      -3,
      -2,
      -1,
      0,
      someTime,
      someTime + 1,
      someTime + 21_000,
      someTime + 21_001,
    ]) {
      for (const [of, name] of [
        ['', topic],
        [' of nothing', empty],
      ] as const) {
        const topics = [{ name, partitions: [{ partitionIndex: 0, timestamp }] }]
        const label = `v${version} ${timestamp}${of}`
        await session.ask(label, listOffsets, version, { replicaId: -1, topics, timeoutMs: 30_000 })
      }
    }
  }
}

export const fetchingScenarios: readonly Scenario[] = [
  { name: 'Fetches that do not wait', run: atOnce },
  { name: 'Fetches that wait', run: parked },
  { name: 'Limits of a fetch', run: limits },
  { name: 'Shares of a fetch', run: shares },
  { name: 'Segments and a fetch', run: segments },
  { name: 'Sessions of fetches', run: sessions },
  { name: 'Offsets by time', run: offsets },
]
