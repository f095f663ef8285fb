import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { directoryOf, registered, soleBroker } from '../../../test/metadata/brokers.ts'
import type { LogDirectory } from '../log/directory/log-directory.ts'
import { logIdText, type LogId } from '../log/log-id.ts'
import type { Log } from '../log/log.ts'
import { MetadataImage, type PartitionImage } from '../metadata/image.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import type { PartitionAlterWish } from './alter-port.ts'
import { Partitions } from './partitions.ts'
import type { AlterOutcome } from './replica/replica.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const onThree: PartitionImage = {
  ...soleBroker,
  index: 0,
  replicas: [1, 2, 3],
  isr: [1, 2, 3].map(id => directoryOf(id)),
}

function created(...partitions: Partial<PartitionImage>[]): MetadataRecord {
  const all = partitions.map((changes, index) => ({ ...onThree, index, ...changes }))
  return {
    type: 'topicCreated',
    topicId,
    name: 'topic',
    isInternal: false,
    configs: [],
    partitions: all,
  }
}

/** The partitions of broker 1, the metadata log that they hear, and what they asked the controller for. */
class World {
  readonly clock = new SimClock()
  readonly told: string[] = []
  readonly asked: (readonly PartitionAlterWish[])[] = []
  answer = Promise.withResolvers<readonly AlterOutcome[]>()
  ownEpoch = 1
  image = MetadataImage.empty
  readonly partitions: Partitions

  constructor(records: readonly MetadataRecord[] = []) {
    const log = {
      endOffset: 5,
      startOffset: 0,
      latestEpoch: 0,
      offline: null,
      noteEpoch() {},
      configure() {},
      endOfEpoch: () => ({ epoch: -1, endOffset: -1 }),
      read: () => ({ kind: 'empty' }),
      append: (_records: unknown, _options: unknown, done: (result: object) => void) =>
        done({ ok: true, duplicate: false, endOffset: 5 }),
    }
    const directory = {
      identity: { directoryId: directoryOf(1) },
      damaged: [],
      openLog: async () => log as unknown as Log,
      found: () => [],
      remove: async (id: LogId) => void this.told.push(`removed ${logIdText(id)}`),
      forgetDeleted: () => {},
      setAside: async (id: LogId) => void this.told.push(`kept ${logIdText(id)}`),
    } as unknown as LogDirectory
    this.partitions = new Partitions({
      brokerId: 1,
      directory,
      clock: this.clock,
      openingMax: 1,
      neighbours: {
        lagTimeMaxMs: 10_000,
        controllerHeardMs: () => this.clock.monotonic(),
        onCommittedCut: () => {},
        alterPort: {
          alterPartitions: wishes => {
            this.asked.push(wishes)
            return this.answer.promise
          },
        },
      },
      ownEpoch: () => this.ownEpoch,
      logConfig: () => ({ flushPolicy: 'os' }) as never,
      onFailure: () => void this.told.push('failed'),
      onRecovery: () => {},
      onStrays: (ids, why) => void this.told.push(...ids.map(id => `${why} ${logIdText(id)}`)),
    })
    this.take(registered(1), registered(2), registered(3), ...records)
  }

  take(...records: readonly MetadataRecord[]): void {
    this.image = this.image.applyBatch(this.image.sequence + 1, records)
    this.partitions.apply(this.image, records)
  }

  change(changes: Partial<PartitionImage>): void {
    const before = this.image.topicById(topicId)!.partitions[0]!
    const { partitionEpoch } = before
    const after = { ...before, partitionEpoch: partitionEpoch + 1, ...changes }
    this.take({ type: 'partitionsChanged', topicId, partitions: [after] })
  }

  get first() {
    return this.partitions.find('topic', 0)!
  }

  fetch(index: number, brokerId: number, brokerEpoch = brokerId): void {
    this.partitions.heardFrom(brokerId, brokerId)
    void this.partitions.find('topic', index)!.read({
      reader: { kind: 'follower', brokerId, brokerEpoch, logStartOffset: 0, isRepeated: false },
      fetchOffset: 5,
      maxBytes: 100,
      minOneBatch: true,
      currentLeaderEpoch: 0,
      lastFetchedEpoch: 0,
    })
  }
}

describe('R2: a broker takes no role before its own registration', () => {
  test('of an earlier start, though the record stands in the log', async () => {
    const world = new World()
    world.ownEpoch = 9
    world.take(created({}))
    await world.partitions.settled()
    expect([world.first.isOpen, world.first.role]).toEqual([true, null])
    expect(world.first.availability()).toBe('NOT_LEADER_OR_FOLLOWER')
    world.take(registered(1, { brokerEpoch: 9 }))
    expect(world.first.availability()).toBe('NONE')
  })
})

describe('a role', () => {
  test('names the brokers whose directories are in sync, and what is known of each', () => {
    const world = new World([created({ isr: [directoryOf(3), directoryOf(1)] })])
    expect(world.first.role).toMatchObject({ isr: [3, 1], minInsyncReplicas: 2 })
    expect(world.first.role?.brokers.get(2)).toEqual({ epoch: 2, isEligible: true })
  })

  test('changes with brokers, though its topic does not', () => {
    const world = new World([created({})])
    const state = { type: 'brokerStateChanged', brokerId: 2, brokerEpoch: 2 } as const
    world.take({ ...state, isFenced: true, isShuttingDown: false })
    expect(world.first.role?.brokers.get(2)).toEqual({ epoch: 2, isEligible: false })
    world.take(registered(2, { brokerEpoch: 12 }))
    expect(world.first.role?.brokers.get(2)).toEqual({ epoch: 12, isEligible: true })
  })

  test('changes with min.insync.replicas of all topics', () => {
    const world = new World([created({})])
    const configs = [{ name: 'min.insync.replicas', value: '3' }]
    world.take({ type: 'brokerConfigsChanged', brokerId: null, configs })
    expect(world.first.role?.minInsyncReplicas).toBe(3)
  })
})

test('whom a partition follows is told when it is another one, and when there is a log to follow with', async () => {
  const world = new World()
  const heard: unknown[] = []
  const stop = world.partitions.onFollowing(({ following }) => {
    heard.push(following === null ? null : [following.leader, following.leaderEpoch])
  })
  world.take(created({ leader: 2 }))
  expect(heard).toEqual([null])
  await world.partitions.settled()
  world.change({ leader: 3, leaderEpoch: 1 })
  world.change({ isr: [directoryOf(3)] })
  world.change({ leader: 1, leaderEpoch: 2 })
  world.change({ leader: -1, leaderEpoch: 3 })
  world.change({ leader: 2, leaderEpoch: 4 })
  world.first.fail('broken')
  expect(heard).toEqual([null, [2, 0], [3, 1], null, null, [2, 4], null])
  stop()
  world.change({ leader: 3, leaderEpoch: 5 })
  expect(heard.length).toBe(7)
})

describe('a partition that moved to other brokers', () => {
  test('is closed, and its directory kept as a stray', async () => {
    const world = new World([created({}, {})])
    await world.partitions.settled()
    const { first } = world
    world.change({ replicas: [2, 3, 4], leader: 2, leaderEpoch: 1 })
    await world.partitions.settled()
    expect(world.told).toEqual(['moved-away topic-0', 'kept topic-0'])
    expect([first.isOpen, [...world.partitions.all()].length]).toEqual([false, 1])
  })
})

describe('R7: in-sync sets that leaders ask for', () => {
  const outside = { isr: [directoryOf(1), directoryOf(2)] }

  async function two() {
    const world = new World([created(outside, outside)])
    await world.partitions.settled()
    for (const index of [0, 1]) {
      world.fetch(index, 2)
      world.fetch(index, 3)
    }
    await world.clock.settle()
    return world
  }

  test('leave together, with what each is a change of', async () => {
    const world = await two()
    const isr = [1, 2, 3].map(brokerId => ({ brokerId, brokerEpoch: brokerId }))
    const change = { topicId, leaderEpoch: 0, partitionEpoch: 0, isr, isRecovering: false }
    expect(world.asked).toEqual([
      [
        { ...change, index: 0 },
        { ...change, index: 1 },
      ],
    ])
  })

  test('are taken over as they are answered, one by one', async () => {
    const world = await two()
    const answer = { kind: 'committed', leaderEpoch: 0, partitionEpoch: 1, isr: [1, 2, 3] } as const
    world.answer.resolve([
      { ...answer, isRecovering: false },
      { kind: 'rejected', error: 'INELIGIBLE_REPLICA' },
    ])
    await world.clock.settle()
    const isrOf = (index: number) => world.partitions.find('topic', index)?.role?.isr
    expect([isrOf(0), isrOf(1)]).toEqual([
      [1, 2, 3],
      [1, 2],
    ])
    // The record that tells the same is not counted again.
    world.change({ isr: onThree.isr })
    expect(world.partitions.inSyncCounts).toEqual({ expands: 1, shrinks: 0, recordsCut: 0 })
    world.change({ partitionEpoch: 2, isr: [directoryOf(1)] })
    expect(world.partitions.inSyncCounts).toEqual({ expands: 1, shrinks: 1, recordsCut: 0 })
    // Another leader's set is another one.
    world.change({ leaderEpoch: 1, isr: onThree.isr })
    expect(world.partitions.inSyncCounts.expands).toBe(1)
  })

  test('are asked for again where the answer was lost, and only those', async () => {
    const world = await two()
    const { answer } = world
    world.answer = Promise.withResolvers()
    answer.reject(new Error('the connection was lost'))
    await world.clock.settle()
    // Nobody would propose it now; what was, may have been committed.
    const state = { type: 'brokerStateChanged', brokerId: 3, brokerEpoch: 3 } as const
    world.take({ ...state, isFenced: true, isShuttingDown: false })
    await world.clock.run(1000)
    expect(world.asked.length).toBe(2)
    expect(world.asked[1]).toEqual(world.asked[0])
  })
})

describe('what was appended', () => {
  function appendTo(world: World, index: number, bytes: number): void {
    const options = { acks: 0, timeoutMs: 0, origin: 'client' } as never
    world.partitions.find('topic', index)!.append(new Uint8Array(bytes), options, () => {})
  }

  test('is told with what a partition had that was moved away, until nothing of its topic is here', async () => {
    const world = new World([created({}, {})])
    await world.partitions.settled()
    appendTo(world, 0, 700)
    appendTo(world, 1, 100)
    expect([...world.partitions.appended()]).toEqual([{ topic: 'topic', bytes: 800, batches: 2 }])
    world.change({ replicas: [2, 3], isr: [2, 3].map(id => directoryOf(id)), leader: 2 })
    expect([...world.partitions.appended()]).toEqual([{ topic: 'topic', bytes: 800, batches: 2 }])
    // It comes back, and counts from there on.
    world.change({ replicas: onThree.replicas, isr: onThree.isr, leader: 1, leaderEpoch: 2 })
    await world.partitions.settled()
    appendTo(world, 0, 50)
    expect([...world.partitions.appended()]).toEqual([{ topic: 'topic', bytes: 850, batches: 3 }])
    world.take({ type: 'topicDeleted', topicId })
    expect([...world.partitions.appended()]).toEqual([])
  })
})
