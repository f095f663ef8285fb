import {
  deleteRecords,
  fetch,
  offsetCommit,
  offsetFetch,
  produce,
} from '../../../src/broker/wire/messages/index.ts'
import { zeroUuid } from '../../../src/lib/uuid.ts'
import type { Json } from '../json.ts'
import { type NamedTopic, pick, type Scenario, type Session } from '../session.ts'
import { batchOf, fetchBody, produceBody, threeBatches } from './data.ts'
import { commitBody, offsetFetchBody } from './groups.ts'

/** The last version that has names of topics, and the last that there is. */
const byName = 12
const byId = 18
const stranger = { name: 'a-stranger', topicId: 'c3RyYW5nZXIgaW4gdG93bg' }

type Body = Readonly<Record<string, unknown>>
const nothing: Body = { ...fetchBody('none'), topics: [] }

/** A reader that goes through a session of fetches as clients do (KIP-227). */
class Reading {
  sessionId: Json = 0
  epoch = 0
  readonly #session: Session
  readonly #version: number

  constructor(session: Session, version: number) {
    this.#session = session
    this.#version = version
  }

  /** The next fetch of the session, or, told an epoch, one that says another. */
  async ask(label: string, body: Body = nothing, epoch = this.epoch): Promise<void> {
    await this.over('', label, body, epoch)
  }

  async over(connection: string, label: string, body: Body, epoch = this.epoch): Promise<void> {
    const version = this.#version
    if (epoch === this.epoch) this.epoch++
    const whole = { ...body, sessionId: this.sessionId, sessionEpoch: epoch }
    const answer = await this.#session.over(connection).ask(label, fetch, version, whole)
    if (epoch === 0) this.sessionId = pick(answer, 'sessionId')
  }

  /** Goes on by another connection, as soon as the request before, which waits, was taken in. */
  async meanwhile(label: string): Promise<void> {
    const body = { ...nothing, sessionId: this.sessionId, sessionEpoch: this.epoch++ }
    await this.#session.until('the request before was taken in', async () => {
      const answer = await this.#session.request(fetch, this.#version, body)
      if (pick(answer, 'errorCode') !== 0) return false
      this.#session.keep(label, fetch, answer, body)
      return true
    })
  }
}

/** A fetch of several partitions, each from an offset. */
function fetchAll(...parts: readonly (readonly [of: NamedTopic, offset: number])[]): Body {
  const topics = parts.map(([{ name: topic, topicId }, fetchOffset]) => {
    const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }]
    return { topic, topicId, partitions }
  })
  return { ...nothing, topics }
}

function forgetting({ name: topic, topicId }: NamedTopic): Body {
  return { ...nothing, forgottenTopicsData: [{ topic, topicId, partitions: [0] }] }
}

async function withBatches(session: Session, name: string): Promise<NamedTopic> {
  return await session.named(await threeBatches(session, name))
}

/** What comes and goes of the partitions of one session. */
async function partitions(session: Session): Promise<void> {
  const [one, two] = [await withBatches(session, 'one'), await withBatches(session, 'two')]
  for (const version of [7, byName, byId]) {
    const reading = new Reading(session, version)
    const ask = (label: string, body?: Body) => reading.ask(`v${version} ${label}`, body)
    await ask('begun', fetchAll([one, 6], [two, 6]))
    await ask('nothing new')
    await ask('one from its beginning', fetchAll([one, 0]))
    await ask('and again, since the reader did not move on')
    await ask('and beside it two, which comes first', fetchAll([two, 0]))
    await ask('in the other order')
    await ask('with place for one only', { ...nothing, maxBytes: 300 })
    await ask('and for the other', { ...nothing, maxBytes: 300 })
    await ask('both at the end', fetchAll([one, 6], [two, 6]))
    await ask('an offset out of range', fetchAll([one, 99]))
    await ask('which is told each time')
    await ask('back at the end, which is told anew', fetchAll([one, 6]))
    await ask('silent again')
    await ask('forgotten and asked for at once', { ...fetchAll([one, 0]), ...forgetting(one) })
    await ask('one is gone')
    await ask('forgotten twice', forgetting(one))
    await ask('one is back', fetchAll([one, 0]))
    await ask('all but nothing', {
      ...nothing,
      forgottenTopicsData: [one, two].map(({ name: topic, topicId }) => {
        return { topic, topicId, partitions: [0, 7] }
      }),
    })
    await ask('gone on after the last partition')
  }
}

/** What a partition tells that nobody reads from. */
async function news(session: Session): Promise<void> {
  const [one, two] = [await withBatches(session, 'one'), await withBatches(session, 'two')]
  const reading = new Reading(session, byId)
  await reading.ask('begun', fetchAll([one, 6], [two, 6]))
  await session.request(produce, 9, produceBody(one.name, batchOf(['more'])))
  await reading.ask('more in one')
  await reading.ask('read on', fetchAll([one, 7]))
  await reading.ask('silence')
  const cut = [{ name: two.name, partitions: [{ partitionIndex: 0, offset: 3 }] }]
  await session.request(deleteRecords, 2, { topics: cut, timeoutMs: 30_000 })
  await reading.ask('two begins later')
  await reading.ask('silence again')
  const waiting = reading.over('waiting', 'a record ends the wait', patient)
  await session.request(produce, 9, produceBody(two.name, batchOf(['more'])))
  await waiting
  await reading.ask('nothing within 200 ms', { ...fetchAll([two, 7]), ...brief })
  await session.request(produce, 9, produceBody(two.name, batchOf(['more'])))
  await reading.ask('not enough within 200 ms', { ...nothing, ...brief })
}

const patient: Body = { ...nothing, minBytes: 1, maxWaitMs: 0x7fffffff }
const brief = { minBytes: 100_000, maxWaitMs: 200 }

/** Epochs and ids that do not fit. */
async function mistakes(session: Session): Promise<void> {
  const one = await withBatches(session, 'one')
  for (const [version, other] of [
    [byName, byId],
    [byId, byName],
  ] as const) {
    const reading = new Reading(session, version)
    const stray = new Reading(session, other)
    await reading.ask(`v${version} begun`, fetchAll([one, 6]))
    stray.sessionId = reading.sessionId
    await stray.ask(`v${version} gone on with v${other}`, nothing, 1)
    await reading.ask(`v${version} epoch 2 before 1`, nothing, 2)
    await reading.ask(`v${version} epoch -7`, nothing, -7)
    await reading.ask(`v${version} epoch 1`)
    await reading.ask(`v${version} epoch 1 again`, nothing, 1)
    await reading.ask(`v${version} epoch 2, with an isolation level that is none`, {
      ...nothing,
      isolationLevel: 7,
    })
    await reading.ask(`v${version} epoch 3`)
    const before = reading.sessionId
    await reading.ask(`v${version} begun anew, which ends it`, fetchAll([one, 6]), 0)
    reading.sessionId = before
    await reading.ask(`v${version} the former`, nothing, 4)
    await reading.ask(`v${version} ended with a fetch`, fetchAll([one, 0]), -1)
  }
}

/** A session belongs to no connection: whoever knows its id and epoch goes on with it. */
async function connections(session: Session): Promise<void> {
  const one = await withBatches(session, 'one')
  const reading = new Reading(session, byId)
  await reading.over('first', 'begun', fetchAll([one, 6]))
  await reading.over('second', 'gone on by another connection', nothing)
  await reading.over('first', 'and by the first', fetchAll([one, 0]))
  await reading.over('second', 'and by another', fetchAll([one, 6]))
  const waiting = reading.over('first', 'waiting, while another goes on', patient)
  await reading.meanwhile('gone on meanwhile')
  await session.request(produce, 9, produceBody(one.name, batchOf(['more'])))
  await waiting
  await reading.over('second', 'the record', nothing)
  session.connection('third').close()
  await reading.over('third', 'by a connection that is new', fetchAll([one, 7]))
}

/** A topic that goes away, and comes again under its name. */
async function again(session: Session): Promise<void> {
  for (const version of [byName, 13, byId]) {
    const [name, kept] = [`topic-${version}`, await withBatches(session, `kept-${version}`)]
    const topic = await withBatches(session, name)
    const reading = new Reading(session, version)
    const ask = (label: string, body?: Body) => reading.ask(`v${version} ${label}`, body)
    const alone = (label: string, body: Body) => {
      return session.ask(`v${version} ${label}, in full`, fetch, version, body)
    }
    await ask('begun', fetchAll([kept, 6], [topic, 6]))
    await session.removed(topic.name)
    await ask('it is gone')
    await alone('it is gone', fetchAll([topic, 6], [kept, 6]))
    await session.topic(name)
    const anew = await session.named(topic.name)
    await ask('it is there again')
    await ask('the former, asked for', fetchAll([topic, 0]))
    await alone('the former', fetchAll([topic, 0], [kept, 0]))
    await ask('the new one', { ...fetchAll([anew, 0]), ...(version < 13 ? {} : forgetting(topic)) })
    await session.request(produce, 9, produceBody(topic.name, batchOf(['anew'])))
    await ask('with a record')
    await ask('read', fetchAll([anew, 1]))
    await ask('nothing new')
  }
}

/** Ids that no topic has. */
async function strangers(session: Session): Promise<void> {
  const one = await withBatches(session, 'one')
  const reading = new Reading(session, byId)
  await reading.ask('begun with a stranger', fetchAll([stranger, 0], [one, 6]))
  await reading.ask('told each time')
  await reading.ask('forgotten', forgetting(stranger))
  await reading.ask('a stranger later', fetchAll([stranger, 0]))
  const none = { name: '', topicId: zeroUuid }
  const records = batchOf(['nowhere'])
  for (const [label, to] of Object.entries({ stranger, one, none })) {
    await session.ask(`produced to ${label}`, produce, 13, produceBody(to, records))
    await session.ask(`in full from ${label}`, fetch, byId, fetchBody(to, { offset: 6 }))
  }
  const offsets = await session.named('__consumer_offsets')
  await session.ask('produced to offsets', produce, 13, produceBody(offsets, records))
  const leader = { topic: one.name, topicId: one.topicId }
  for (const currentLeaderEpoch of [7, 0, -2]) {
    for (const version of [15, 16, byId]) {
      const part = { partition: 0, currentLeaderEpoch, fetchOffset: 6, partitionMaxBytes: 1000 }
      const body = { ...nothing, topics: [{ ...leader, partitions: [part] }] }
      await session.ask(`v${version} leader epoch ${currentLeaderEpoch}`, fetch, version, body)
    }
  }
  const follower = { ...fetchBody(one), replicaState: { replicaId: 5, replicaEpoch: -1 } }
  await session.ask('by a follower that is none', fetch, byId, follower)
}

/** Offsets of topics by id, and of what was there before under the same name. */
async function offsets(session: Session): Promise<void> {
  const [topic, other] = [await withBatches(session, 'topic'), await withBatches(session, 'other')]
  const group = session.own('group')
  const asked = (label: string, of: NamedTopic) => {
    return session.ask(label, offsetFetch, 10, offsetFetchBody(group, of))
  }
  const commit = (label: string, of: NamedTopic) => {
    return session.ask(label, offsetCommit, 10, commitBody(group, of))
  }
  await commit('committed', topic)
  await commit('committed for a stranger', stranger)
  await commit('committed for none', { name: '', topicId: zeroUuid })
  await asked('fetched', topic)
  await asked('fetched of a stranger', stranger)
  await asked('fetched of one without', other)
  const both = [stranger, topic].map(of => ({ ...of, partitionIndexes: [1, 0] }))
  const groups = [{ groupId: group, memberId: null, memberEpoch: -1, topics: both }]
  await session.ask('fetched of both', offsetFetch, 10, { groups, requireStable: false })
  const all = [{ groupId: group, memberId: null, memberEpoch: -1, topics: null }]
  await session.ask('fetched of all', offsetFetch, 10, { groups: all, requireStable: false })
  await session.removed(topic.name)
  await commit('committed for what is gone', topic)
  await session.topic('topic')
  const anew = await session.named(topic.name)
  await asked('fetched of the former', topic)
  await commit('committed for the former', topic)
  await asked('fetched of the new one', anew)
  await commit('committed for the new one', anew)
  await asked('fetched of it', anew)
  await session.ask('fetched by name', offsetFetch, 9, offsetFetchBody(group, topic))
}

/** More than there are slots for, whatever others left in them: the last finds none, and is answered in full. */
async function slots(session: Session): Promise<void> {
  const one = await withBatches(session, 'one')
  const body = { ...fetchAll([one, 6]), sessionId: 0, sessionEpoch: 0 }
  const ids: Json[] = []
  for (let count = 0; count < 1100; count++) {
    ids.push(pick(await session.request(fetch, byId, body), 'sessionId'))
  }
  await session.ask('without a slot', fetch, byId, body)
  for (const sessionId of ids.filter(id => id !== 0)) {
    await session.request(fetch, byId, { ...nothing, sessionId, sessionEpoch: -1 })
  }
  await session.ask('with a slot again', fetch, byId, body)
}

export const sessionScenarios: readonly Scenario[] = [
  { name: 'Partitions of a session', run: partitions },
  { name: 'News of a session', run: news },
  { name: 'Mistakes of sessions', run: mistakes },
  { name: 'Connections of a session', run: connections },
  { name: 'Topics made anew', run: again },
  { name: 'Ids that no topic has', run: strangers },
  { name: 'Offsets by id', run: offsets },
  { name: 'Slots of sessions', run: slots },
]
