import {
  createPartitions,
  createTopics,
  deleteTopics,
  describeTopicPartitions,
  metadata,
} from '../../../src/broker/wire/messages/index.ts'
import { pick, type Scenario, type Session } from '../session.ts'

const illegalName = 17

/** Metadata of a topic that is not there: who makes it, and what the answers say meanwhile. */
async function byMetadata(session: Session): Promise<void> {
  for (let version = 0; version <= 13; version++) {
    const name = session.own(`v${version}`)
    const body = { topics: [{ name }], allowAutoTopicCreation: true }
    await session.ask(`first in v${version}`, metadata, version, body)
    await session.seen(name, true)
    await session.ask(`then in v${version}`, metadata, version, body)
  }
  for (const [label, name] of Object.entries(names(session))) {
    const body = { topics: [{ name }], allowAutoTopicCreation: true }
    const answer = await session.ask(`${label}, to be made`, metadata, 12, body)
    if (pick(answer, 'topics', 0, 'errorCode') !== illegalName) await session.seen(name, true)
    await session.ask(`${label}, not to be made`, metadata, 12, {
      ...body,
      allowAutoTopicCreation: false,
    })
  }
  const twice = [{ name: session.own('twice') }, { name: session.own('twice') }]
  await session.ask('twice in one request', metadata, 12, {
    topics: twice,
    allowAutoTopicCreation: true,
  })
  await session.seen(session.own('twice'), true)
  await session.ask('twice, when there', metadata, 12, {
    topics: twice,
    allowAutoTopicCreation: true,
  })
  const several = ['c', 'a', 'b'].map(name => ({ name: session.own(name) }))
  await session.ask('several, not there', metadata, 12, {
    topics: several,
    allowAutoTopicCreation: false,
  })
}

function names(session: Session): Record<string, string> {
  return {
    'no name': '',
    'a dot': '.',
    'two dots': '..',
    'a slash': session.own('a/b'),
    'a colon': session.own('a:b'),
    'a blank': session.own('a b'),
    'beyond ASCII': session.own('é'),
    '249 characters': session.own('').padEnd(249, 'n'),
    '250 characters': session.own('').padEnd(250, 'n'),
  }
}

async function byName(session: Session): Promise<void> {
  const create = async (
    label: string,
    topics: readonly object[],
    changes: object = {},
  ): Promise<void> => {
    await session.ask(label, createTopics, 7, { topics, timeoutMs: 30_000, ...changes })
  }
  const one = (name: string, changes: object = {}): object => ({
    name,
    numPartitions: 1,
    replicationFactor: 1,
    ...changes,
  })
  for (const [label, name] of Object.entries(names(session))) {
    await create(label, [one(name)], { validateOnly: true })
  }
  const there = await session.topic('a.b')
  await create('there already', [one(there)])
  await create('there already, to be checked', [one(there)], { validateOnly: true })
  await create('too like one that is there', [one(session.own('a_b'))])
  await create('the cluster metadata', [one('__cluster_metadata')], { validateOnly: true })
  await create('a name like an internal one', [one('__mine')], { validateOnly: true })
  await create('offsets', [one('__consumer_offsets')], { validateOnly: true })
  await create('none', [])
  await create('two of one name', [one(session.own('twin')), one(session.own('twin'))])
  await create('two of one name and another', [
    one(session.own('twin')),
    one(session.own('twin')),
    one(session.own('other')),
  ])
  await create('some right, some wrong', [
    one(session.own('right')),
    one(session.own('a/b')),
    one(there),
  ])
}

async function byNumbers(session: Session): Promise<void> {
  let count = 0
  const create = async (label: string, changes: object): Promise<void> => {
    const topics = [
      { name: session.own(String(count++)), numPartitions: -1, replicationFactor: -1, ...changes },
    ]
    for (const version of [3, 4, 7]) {
      await session.ask(`${label} in v${version}`, createTopics, version, {
        topics,
        timeoutMs: 30_000,
        validateOnly: true,
      })
    }
  }
  for (const numPartitions of [-2, -1, 0, 1, 10_000, 10_001, 2 ** 31 - 1]) {
    await create(`${numPartitions} partitions`, { numPartitions })
  }
  for (const replicationFactor of [-2, -1, 0, 1, 2, 32_767]) {
    await create(`${replicationFactor} replicas`, { replicationFactor })
  }
  const assigned = (...lists: number[][]): object => ({
    assignments: lists.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
  })
  await create('two partitions assigned', assigned([1], [1]))
  await create('assigned to a stranger', assigned([9]))
  await create('assigned to nobody', assigned([]))
  await create('assigned twice to one', assigned([1, 1]))
  await create('assigned to one and a stranger', assigned([1, 9]))
  await create('assigned with a gap', { assignments: [{ partitionIndex: 1, brokerIds: [1] }] })
  await create('assigned from -1 on', { assignments: [{ partitionIndex: -1, brokerIds: [1] }] })
  await create('one partition assigned twice', {
    assignments: [
      { partitionIndex: 0, brokerIds: [1] },
      { partitionIndex: 0, brokerIds: [1] },
    ],
  })
  await create('assigned and counted', { numPartitions: 1, ...assigned([1]) })
  await create('assigned and replicated', { replicationFactor: 1, ...assigned([1]) })
}

async function morePartitions(session: Session): Promise<void> {
  const topic = await session.topic('topic', { partitions: 3 })
  const ask = async (label: string, changes: object, rest: object = {}): Promise<void> => {
    const topics = [{ name: topic, count: 5, assignments: null, ...changes }]
    await session.ask(label, createPartitions, 3, { topics, timeoutMs: 30_000, ...rest })
  }
  await ask('fewer', { count: 2 })
  await ask('as many', { count: 3 })
  await ask('none', { count: 0 })
  await ask('two more, to be checked', {}, { validateOnly: true })
  await ask('assigned to a stranger', { assignments: [{ brokerIds: [9] }, { brokerIds: [1] }] })
  await ask('one of two assigned', { assignments: [{ brokerIds: [1] }] })
  await ask('three of two assigned', { assignments: [1, 2, 3].map(() => ({ brokerIds: [1] })) })
  await ask('assigned to two', { assignments: [{ brokerIds: [1, 2] }, { brokerIds: [1] }] })
  await ask('assigned to nobody', { assignments: [{ brokerIds: [] }, { brokerIds: [1] }] })
  await ask('an empty assignment', { assignments: [] })
  await ask('ten thousand more', { count: 10_004 }, { validateOnly: true })
  await ask('of a topic that is not there', { name: session.own('no-such') })
  const twice = [5, 6].map(count => ({ name: topic, count, assignments: null }))
  await session.ask('twice in one request', createPartitions, 3, {
    topics: twice,
    timeoutMs: 30_000,
  })
  await ask('two assigned', { assignments: [{ brokerIds: [1] }, { brokerIds: [1] }] })
  await session.served(topic, 5)
  await session.ask('shown', metadata, 12, { topics: [{ name: topic }] })
  const offsets = [{ name: '__consumer_offsets', count: 50, assignments: null }]
  await session.ask('of offsets', createPartitions, 3, {
    topics: offsets,
    timeoutMs: 30_000,
    validateOnly: true,
  })
}

async function deletions(session: Session): Promise<void> {
  const topic = await session.topic('topic')
  const [found] = [await session.request(metadata, 12, { topics: [{ name: topic }] })]
  const topicId = pick(found, 'topics', 0, 'topicId')
  const remove = async (label: string, topics: readonly object[]): Promise<void> => {
    await session.ask(label, deleteTopics, 6, { topics, timeoutMs: 30_000 })
  }
  await session.ask('found by id', metadata, 12, { topics: [{ topicId, name: null }] })
  await session.ask('found by id and name', metadata, 12, { topics: [{ topicId, name: topic }] })
  await remove('neither name nor id', [{ name: null }])
  await remove('name and id', [{ name: topic, topicId }])
  await remove('an unknown id', [{ name: null, topicId: 'c3RyYW5nZXIgaW4gdG93bg' }])
  await remove('an unknown name', [{ name: session.own('no-such') }])
  await remove('one twice by name', [{ name: topic }, { name: topic }])
  await remove('one by name and by id', [{ name: topic }, { name: null, topicId }])
  await remove('by id', [{ name: null, topicId }])
  await session.seen(topic, false)
  await remove('gone', [{ name: topic }])
  await session.ask('not found by id', metadata, 12, { topics: [{ topicId, name: null }] })
  await session.topic('again')
  await remove('the next', [{ name: session.own('again') }])
}

/** Pages of topics. */
async function pages(session: Session): Promise<void> {
  const [a, b] = [
    await session.topic('a', { partitions: 3 }),
    await session.topic('b', { partitions: 2 }),
  ]
  const ask = async (label: string, body: object): Promise<void> => {
    await session.ask(label, describeTopicPartitions, 0, {
      topics: [{ name: b }, { name: a }],
      ...body,
    })
  }
  for (const responsePartitionLimit of [0, 1, 2, 3, 4, 5, 6]) {
    await ask(`${responsePartitionLimit} at most`, { responsePartitionLimit })
  }
  for (const [topicName, partitionIndex] of [
    [a, 0],
    [a, 2],
    [a, 3],
    [b, 1],
    [session.own('aa'), 0],
    [session.own('c'), 0],
  ] as const) {
    await ask(`from ${topicName} ${partitionIndex}`, { cursor: { topicName, partitionIndex } })
  }
  await ask('with one that is not there', {
    topics: [{ name: session.own('no-such') }, { name: a }],
  })
  await ask('one twice', { topics: [{ name: a }, { name: a }] })
}

export const creationScenarios: readonly Scenario[] = [
  { name: 'Topics made by Metadata', run: byMetadata },
  { name: 'Topics by name', run: byName },
  { name: 'Topics by numbers', run: byNumbers },
  { name: 'More partitions', run: morePartitions },
  { name: 'Topics deleted', run: deletions },
  { name: 'Topics page by page', run: pages },
]
