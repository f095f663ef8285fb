import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { newConsumer } from '../../../test/helpers/group-world.ts'
import { registered, soleBroker } from '../../../test/metadata/brokers.ts'
import { crc32c } from '../../lib/crc32c.ts'
import { deferred } from '../../lib/deferred.ts'
import { offsetsTopicName } from '../../lib/topic-name.ts'
import { zeroUuid } from '../../lib/uuid.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { readBatchHeader } from '../log/batch/batch.ts'
import { createCodecs } from '../log/compression/codecs.ts'
import { MetadataImage } from '../metadata/image.ts'
import type { Partitions } from '../partition/partitions.ts'
import type { AppendResult, PartitionReadResult } from '../partition/requests.ts'
import type { ErrorName } from '../wire/errors.ts'
import { Coordinator } from './coordinator.ts'
import type { GroupError } from './groups/events.ts'

const noOne = { memberId: '', instanceId: null, generation: -1 }

/** A coordinator over one partition of the offsets topic, whose reads and appends the test holds. */
class Bench {
  readonly clock = new SimClock()
  readonly appends: { readonly count: number; readonly done: (result: AppendResult) => void }[] = []
  readonly warnings: string[] = []
  read = deferred<PartitionReadResult>()
  availability: ErrorName = 'NONE'
  isOpen = true
  readonly coordinator: Coordinator

  constructor(highWatermark = 0) {
    const image = imageWithTopic()
    const isOpen = (): boolean => this.isOpen
    const partition = {
      id: { topic: offsetsTopicName, partition: 0 },
      get isOpen() {
        return isOpen()
      },
      role: imageWithTopic().topicByName(offsetsTopicName)!.partitions[0]!,
      watchers: { add: () => {}, delete: () => {} },
      hasReachedEpoch: true,
      isSureToLead: () => true,
      extent: { startOffset: 0 },
      highWatermark,
      availability: () => this.availability,
      read: () => this.read.promise,
      append: (bytes: Uint8Array, _: unknown, done: (result: AppendResult) => void) => {
        this.appends.push({ count: readBatchHeader(bytes, 0).count, done })
      },
    }
    this.coordinator = new Coordinator({
      env: {
        clock: this.clock,
        crc32c,
        random: { bytes: length => new Uint8Array(length).fill(7) },
      },
      cluster: { image, brokerId: 1, onImage: () => () => {} } as unknown as Cluster,
      partitions: {
        find: () => partition,
        settled: () => Promise.resolve(),
      } as unknown as Partitions,
      codecs: createCodecs(this.clock),
      groups: {
        initialRebalanceDelayMs: 0,
        sessionTimeoutMsMin: 1,
        sessionTimeoutMsMax: 100_000,
        groupSizeMax: 10,
        offsetsRetentionMs: 1000,
      },
      commitTimeoutMs: 5000,
      silenceMsMax: 6000,
      expiryCheckIntervalMs: 600_000,
      info: () => {},
      warn: message => void this.warnings.push(message),
    })
  }

  async start(): Promise<void> {
    this.coordinator.start()
    await this.clock.settle()
  }

  commit(partition = 0, expireTimeMs = -1): { answer: GroupError | null } {
    const value = {
      topicId: zeroUuid,
      offset: 1,
      leaderEpoch: 0,
      metadata: '',
      commitTimeMs: 0,
      expireTimeMs,
    }
    const call: { answer: GroupError | null } = { answer: null }
    void this.coordinator
      .commit('group', noOne, [{ topic: 'topic', partition, value }])
      .then(answer => (call.answer = answer))
    return call
  }

  async finish(error: ErrorName | null = null): Promise<void> {
    for (const { done } of this.appends.splice(0)) done(error === null ? appended : refused(error))
    await this.clock.settle()
  }
}

const appended: AppendResult = {
  ok: true,
  duplicate: false,
  baseOffset: 0,
  lastOffset: 0,
  logAppendTimeMs: -1,
  logStartOffset: 0,
}

function refused(error: ErrorName): AppendResult {
  return { ok: false, error, message: '', recordErrors: [], logStartOffset: 0 }
}

function imageWithTopic(): MetadataImage {
  return MetadataImage.empty.apply(registered(1)).apply({
    type: 'topicCreated',
    topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    name: offsetsTopicName,
    isInternal: true,
    configs: [],
    partitions: [{ index: 0, ...soleBroker }],
  })
}

describe('a commit', () => {
  test('is answered when the log has it, and not before', async () => {
    const bench = new Bench()
    await bench.start()
    const call = bench.commit()
    await bench.clock.settle()
    expect([call.answer, bench.appends.length]).toEqual([null, 1])
    expect(bench.coordinator.views.offset('group', 'topic', 0)).toBeUndefined()
    await bench.finish()
    expect(call.answer).toBe('NONE')
    expect(bench.coordinator.views.offset('group', 'topic', 0)).toMatchObject({ offset: 1 })
  })

  test('is one append with all others of the same turn', async () => {
    const bench = new Bench()
    await bench.start()
    const calls = [0, 1, 2].map(partition => bench.commit(partition))
    await bench.clock.settle()
    expect(bench.appends.map(({ count }) => count)).toEqual([3])
    await bench.finish()
    expect(calls.map(({ answer }) => answer)).toEqual(['NONE', 'NONE', 'NONE'])
  })

  test.each<[ErrorName, GroupError, boolean]>([
    ['NOT_ENOUGH_REPLICAS', 'COORDINATOR_NOT_AVAILABLE', false],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'COORDINATOR_NOT_AVAILABLE', true],
    ['REQUEST_TIMED_OUT', 'COORDINATOR_NOT_AVAILABLE', true],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'COORDINATOR_NOT_AVAILABLE', false],
    ['NOT_LEADER_OR_FOLLOWER', 'NOT_COORDINATOR', false],
    ['KAFKA_STORAGE_ERROR', 'NOT_COORDINATOR', false],
    ['MESSAGE_TOO_LARGE', 'INVALID_COMMIT_OFFSET_SIZE', false],
    ['CORRUPT_MESSAGE', 'UNKNOWN_SERVER_ERROR', false],
  ])('that the log answers with %s is answered with %s (G42)', async (error, told, isKnown) => {
    const bench = new Bench()
    await bench.start()
    const call = bench.commit()
    await bench.clock.settle()
    await bench.finish(error)
    expect(call.answer).toBe(told)
    expect(bench.coordinator.views.offset('group', 'topic', 0) !== undefined).toBe(isKnown)
  })
})

describe('a group is not spoken of', () => {
  test('while it is being loaded', async () => {
    const bench = new Bench(1)
    await bench.start()
    expect(bench.coordinator.refusal('group')).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    expect(bench.coordinator.isLoading).toBe(true)
    const nothing = {
      highWatermark: 1,
      logStartOffset: 0,
      readableOffset: 1,
      range: null,
      diverging: null,
    }
    bench.read.resolve({ error: 'NONE', ...nothing })
    await bench.clock.settle()
    expect(bench.coordinator.refusal('group')).toBe('NONE')
    expect(bench.coordinator.isLoading).toBe(false)
  })

  test('where it cannot be loaded', async () => {
    const bench = new Bench(1)
    await bench.start()
    bench.read.reject(new Error('EIO'))
    await bench.clock.settle()
    expect(bench.coordinator.refusal('group')).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(bench.warnings).toEqual(['A partition of the offsets topic could not be loaded'])
  })

  test('where its log is not open, until it is', async () => {
    const bench = new Bench()
    bench.isOpen = false
    await bench.start()
    expect(bench.coordinator.refusal('group')).toBe('COORDINATOR_NOT_AVAILABLE')
    bench.isOpen = true
    expect(bench.coordinator.refusal('group')).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    await bench.clock.settle()
    expect(bench.coordinator.refusal('group')).toBe('NONE')
  })

  test('where it could not be loaded, until somebody asks after a while', async () => {
    const bench = new Bench(1)
    await bench.start()
    bench.read.reject(new Error('EMFILE'))
    await bench.clock.settle()
    bench.read = deferred()
    await bench.clock.run(29_999)
    expect(bench.coordinator.refusal('group')).toBe('COORDINATOR_NOT_AVAILABLE')
    await bench.clock.run(1)
    expect(bench.coordinator.refusal('group')).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    bench.read.resolve({
      error: 'NONE',
      highWatermark: 1,
      logStartOffset: 0,
      readableOffset: 1,
      range: null,
      diverging: null,
    })
    await bench.clock.settle()
    expect(bench.coordinator.refusal('group')).toBe('NONE')
  })

  test('where its partition is led by another, and before anything is loaded', async () => {
    const bench = new Bench()
    expect(bench.coordinator.refusal('group')).toBe('NOT_COORDINATOR')
    await bench.start()
    bench.availability = 'NOT_LEADER_OR_FOLLOWER'
    expect(bench.coordinator.refusal('group')).toBe('NOT_COORDINATOR')
  })
})

test('sessions go by the monotonic clock, whatever the wall clock does', async () => {
  const bench = new Bench()
  await bench.start()
  const joining = bench.coordinator.join('group', newConsumer)
  await bench.clock.run(0)
  const { memberId, generation } = await joining
  bench.clock.jump(3_600_000)
  await bench.clock.run(9_999)
  const claim = { memberId, generation, instanceId: null }
  expect(await bench.coordinator.heartbeat('group', claim)).toBe('NONE')
  await bench.clock.run(10_000)
  expect(await bench.coordinator.heartbeat('group', claim)).toBe('UNKNOWN_MEMBER_ID')
})

describe('a committed offset that has a day', () => {
  const [day, hour] = [86_400_000, 3_600_000]

  async function committed(): Promise<Bench> {
    const bench = new Bench()
    await bench.start()
    bench.commit(0, bench.clock.now() + day)
    await bench.clock.settle()
    await bench.finish()
    return bench
  }

  /** What was written to forget it. */
  const forgotten = (bench: Bench): number => bench.appends.length

  test('goes after it', async () => {
    const bench = await committed()
    await bench.clock.run(day - 1)
    expect(forgotten(bench)).toBe(0)
    await bench.clock.run(hour)
    expect(forgotten(bench)).toBe(1)
  })

  test('stays where the wall clock jumps past it and comes back, and says so', async () => {
    const bench = await committed()
    bench.clock.jump(365 * day)
    await bench.clock.run(hour / 2)
    expect([forgotten(bench), bench.warnings.length > 0]).toEqual([0, true])
    bench.clock.jump(-365 * day)
    await bench.clock.run(hour)
    expect(forgotten(bench)).toBe(0)
  })

  test('goes where the clock stands by its new time for an hour', async () => {
    const bench = await committed()
    bench.clock.jump(365 * day)
    await bench.clock.run(2 * hour)
    expect(forgotten(bench)).toBe(1)
  })
})

test('a coordinator that stops tells those who are parked, and finishes what it stores', async () => {
  const bench = new Bench()
  await bench.start()
  const call = bench.commit()
  bench.coordinator.stop()
  expect(bench.appends).toHaveLength(1)
  await bench.finish()
  expect(call.answer).toBe('NONE')
  expect(bench.coordinator.refusal('group')).toBe('NOT_COORDINATOR')
  expect(bench.clock.timerCount).toBe(0)
})
