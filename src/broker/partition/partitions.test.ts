import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { directoryOf, registered, soleBroker } from '../../../test/metadata/brokers.ts'
import { DiskError } from '../../env/env.ts'
import { MissingLogError, type LogDirectory } from '../log/directory/log-directory.ts'
import type { Log } from '../log/log.ts'
import { logIdText, type LogId } from '../log/log-id.ts'
import { MetadataImage } from '../metadata/image.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import { Partitions } from './partitions.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const created = MetadataImage.empty.apply(registered(1)).apply({
  type: 'topicCreated',
  topicId,
  name: 'topic',
  isInternal: false,
  configs: [],
  partitions: [{ index: 0, ...soleBroker }],
})

/** A directory that opens logs when the test lets it, and what was told of it. */
function world() {
  const clock = new SimClock()
  const state = {
    error: null as Error | null,
    attempts: 0,
    flushPolicy: 'os',
    flushed: Promise.resolve(),
  }
  const told: string[] = []
  const found: LogId[] = []
  const log = {
    endOffset: 5,
    durableOffset: 5,
    startOffset: 0,
    offline: null,
    noteEpoch() {},
    configure() {},
    whenDurable: () => state.flushed,
  }
  const directory = {
    openLog: async () => {
      state.attempts++
      if (state.error !== null) throw state.error
      return log as unknown as Log
    },
    identity: { directoryId: directoryOf(1) },
    get damaged() {
      return state.error instanceof MissingLogError && state.attempts > 0
        ? [{ topicId, partition: 0 }]
        : []
    },
    beginAnew: async (id: LogId) => {
      state.error = null
      told.push(`anew ${logIdText(id)}`)
    },
    found: () => found,
    forgetDeleted: () => {},
    remove: async (id: LogId) => void told.push(`removed ${logIdText(id)}`),
    setAside: async (id: LogId) => void told.push(`kept ${logIdText(id)}`),
  } as unknown as LogDirectory
  const partitions = new Partitions({
    brokerId: 1,
    directory,
    clock,
    openingMax: 1,
    logConfig: () => ({ flushPolicy: state.flushPolicy }) as never,
    onFailure: () => void told.push('failed'),
    onRecovery: () => void told.push('recovered'),
    onStrays: (ids, why) => void told.push(...ids.map(id => `${why} ${logIdText(id)}`)),
  })
  return { clock, state, told, found, partitions }
}

test.each(['EMFILE', 'ENFILE', 'ENOSPC'])(
  'a log that could not be opened for %s is opened later',
  async code => {
    const { clock, state, told, partitions } = world()
    state.error = new DiskError('open', '/data/topic-0', code)
    partitions.apply(created)
    await partitions.settled()
    const partition = partitions.find('topic', 0)!
    expect([partition.availability(), told]).toEqual(['KAFKA_STORAGE_ERROR', ['failed']])
    await clock.run(499)
    expect(state.attempts).toBe(1)
    // After 0.5, 1, 2, 4 seconds and so on, at last every 30.
    await clock.run(15_001)
    expect(state.attempts).toBe(6)
    await clock.run(60_000)
    expect(state.attempts).toBe(8)
    state.error = null
    await clock.run(30_000)
    expect([partition.availability(), told]).toEqual(['NONE', ['failed', 'recovered']])
    expect(partition.highWatermark).toBe(5)
    await clock.run(100_000)
    expect(state.attempts).toBe(9)
  },
)

test.each([
  ['ack', 'NOT_LEADER_OR_FOLLOWER'],
  ['os', 'NONE'],
])(
  'what an earlier run left unflushed counts with flush.policy=%s as what this one writes',
  async (flushPolicy, availability) => {
    const { state, clock, partitions } = world()
    const flush = Promise.withResolvers<void>()
    Object.assign(state, { flushPolicy, flushed: flush.promise })
    partitions.apply(created)
    await clock.settle()
    const partition = partitions.find('topic', 0)!
    expect(partition.availability()).toBe(availability)
    flush.resolve()
    await partitions.settled()
    expect([partition.availability(), partition.highWatermark]).toEqual(['NONE', 5])
  },
)

describe('a log that is missing here', () => {
  const others = (over: object) => ({
    ...soleBroker,
    replicas: [1, 2],
    isr: [directoryOf(2)],
    leader: 2,
    leaderEpoch: 4,
    ...over,
  })
  const image = (partition: object) =>
    MetadataImage.empty
      .apply(registered(1))
      .apply(registered(2))
      .apply({
        type: 'topicCreated',
        topicId,
        name: 'topic',
        isInternal: false,
        configs: [],
        partitions: [{ index: 0, ...soleBroker, ...partition }],
      } as MetadataRecord)

  test.each([
    ['another broker leads, and nobody counts on it', others({}), true],
    ['it is in the in-sync set', others({ isr: [directoryOf(1), directoryOf(2)] }), false],
    ['it left it while it was small', others({ elr: [directoryOf(1)] }), false],
    ['it was known last', others({ lastKnownElr: [directoryOf(1)] }), false],
    ['nobody leads', others({ leader: -1 }), false],
    ['it leads itself', others({ leader: 1 }), false],
  ])('begins anew only where another leads that has what counts: %s', async (_, given, isAnew) => {
    const { state, told, partitions } = world()
    state.error = new MissingLogError('it is missing')
    partitions.apply(image(given))
    await partitions.settled()
    expect(told).toEqual(isAnew ? ['anew topic-0'] : ['failed'])
    expect(partitions.find('topic', 0)!.failure).toBe(isAnew ? null : 'it is missing')
  })

  test('and does so as soon as the cluster counts on it no longer', async () => {
    const { state, told, partitions } = world()
    state.error = new MissingLogError('it is missing')
    partitions.apply(image(others({ isr: [directoryOf(1), directoryOf(2)] })))
    await partitions.settled()
    partitions.apply(image(others({})))
    await partitions.settled()
    expect(told).toEqual(['failed', 'anew topic-0'])
    expect(partitions.find('topic', 0)!.failure).toBe(null)
  })
})

test("what is the disk's fault, or the log's, is not tried again", async () => {
  const { clock, state, partitions } = world()
  state.error = new DiskError('read', '/data/topic-0', 'EIO')
  partitions.apply(created)
  await partitions.settled()
  await clock.run(100_000)
  expect([state.attempts, clock.timerCount]).toEqual([1, 0])
})

test('nobody opens the log of a topic that is gone, or of a broker that stops', async () => {
  for (const end of [
    (partitions: Partitions) => partitions.stop(),
    (partitions: Partitions) => partitions.apply(created.apply({ type: 'topicDeleted', topicId })),
  ]) {
    const { clock, state, partitions } = world()
    state.error = new DiskError('open', '/data/topic-0', 'EMFILE')
    partitions.apply(created)
    await partitions.settled()
    end(partitions)
    await clock.run(100_000)
    expect([state.attempts, clock.timerCount]).toEqual([1, 0])
  }
})

describe('a topic that the image does not have', () => {
  const deletion = { type: 'topicDeleted', topicId } as const
  const without = MetadataImage.empty.at(9)
  const restored = [...created.apply(deletion).records()].reduce(
    (image, record) => image.apply(record),
    MetadataImage.empty,
  )

  test.each<[string, MetadataImage, readonly MetadataRecord[], string[]]>([
    ['and a record said so, is removed', created.apply(deletion), [deletion], ['removed topic-0']],
    ['and a snapshot says that it was deleted, is removed', restored, [], ['removed topic-0']],
    [
      'though a record says so that nobody remembers any more, is removed',
      without,
      [deletion],
      ['removed topic-0'],
    ],
    ['and nothing says why, is kept', without, [], ['unclaimed topic-0', 'kept topic-0']],
    [
      'while another one was deleted, is kept',
      without,
      [{ type: 'topicDeleted', topicId: 'AAAAAAAAAAAAAAAAAAAAAg' }],
      ['unclaimed topic-0', 'kept topic-0'],
    ],
  ])('%s', async (_, image, records, expected) => {
    const { told, partitions } = world()
    partitions.apply(created)
    await partitions.settled()
    const partition = partitions.find('topic', 0)!
    partitions.apply(image, records)
    await partitions.settled()
    expect(told).toEqual(expected)
    expect(partition.isOpen).toBe(false)
    expect([...partitions.all()]).toEqual([])
  })

  test('is sorted at the start: what was deleted goes, what nobody knows is kept', async () => {
    const { told, found, partitions } = world()
    found.push({ topicId, topic: 'topic', partition: 0 })
    found.push({ topicId: 'AAAAAAAAAAAAAAAAAAAAAg', topic: 'other', partition: 3 })
    partitions.apply(restored)
    await partitions.sortUnclaimed()
    expect(told).toEqual(['removed topic-0', 'kept other-3', 'unclaimed other-3'])
  })

  test('with some of its partitions only, keeps the others', async () => {
    const { told, partitions } = world()
    const added = {
      type: 'partitionsAdded',
      topicId,
      partitions: [{ index: 1, ...soleBroker }],
    } as const
    partitions.apply(created.apply(added))
    await partitions.settled()
    partitions.apply(created)
    await partitions.settled()
    expect(told).toEqual(['unclaimed topic-1', 'kept topic-1'])
    expect([...partitions.all()].map(({ id }) => id.partition)).toEqual([0])
  })
})
