import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SimClock } from '../../../sim/clock.ts'
import { ClientWorld } from '../../../test/helpers/client-world.ts'
import { fetchSizes, unlimited } from '../../../test/helpers/fetcher-drive.ts'
import { FakeFollowed } from '../../../test/helpers/fake-followed.ts'
import type { Heard, ScriptedBroker } from '../../../test/helpers/scripted-broker.ts'
import { DiskError } from '../../env/env.ts'
import { Prng } from '../../lib/prng.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import type { Infer } from '../wire/field.ts'
import { fetch, listOffsets } from '../wire/messages/index.ts'
import type { Failure } from './fetcher.ts'
import { Fetchers } from './fetchers.ts'

type Asked = Heard & { readonly value: Infer<typeof fetch.request> }

let world: ClientWorld
let clock: SimClock
let broker: ScriptedBroker
let fetchers: Fetchers
let failures: Failure[]
/** Of the leader. */
let epoch: number
let fetchersPerLeader: number
beforeEach(async () => {
  world = await ClientWorld.start()
  ;({ clock, broker } = world)
  failures = []
  epoch = 10
  fetchersPerLeader = 1
  start()
})

afterEach(() => fetchers.stop())

function start(): void {
  const prng = new Prng(3)
  fetchers = new Fetchers({
    clock,
    random: { bytes: length => prng.bytes(length) },
    replicaId: 2,
    brokerEpoch: () => 77,
    sizes: () => fetchSizes,
    ...unlimited,
    connectTo: () => world.connect(),
    answerTimeoutMs: () => 3000,
    onFailure: failure => void failures.push(failure),
    fetchersPerLeader: () => fetchersPerLeader,
    epochOf: () => epoch,
  })
}

/** Fetches that have come, in order. */
function fetches(): Asked[] {
  return broker.heard.filter(({ api }) => api === fetch) as Asked[]
}

function partitionsOf({ value }: Asked): number[] {
  return value.topics.flatMap(({ partitions }) => partitions.map(({ partition }) => partition))
}

type Told = Partial<Infer<typeof fetch.response>['responses'][number]['partitions'][number]> & {
  partitionIndex: number
}

/** Answers a fetch with these partitions of the first topic. */
function tell(heard: Heard, partitions: readonly Told[] = [], error: ErrorName = 'NONE'): void {
  const { topicId } = new FakeFollowed().id
  broker.answer(heard, fetch, {
    throttleTimeMs: 0,
    errorCode: errorCode(error),
    sessionId: 9,
    responses: [
      {
        topic: '',
        topicId,
        partitions: partitions.map(each => ({
          errorCode: 0,
          highWatermark: 0,
          abortedTransactions: null,
          records: null,
          ...each,
        })),
      },
    ],
  })
}

/** The leader holds what is asked until the test answers. */
function holdFetches(): void {
  broker.act = heard => broker.answerVersions(heard)
}

function follow(...partitions: number[]): FakeFollowed[] {
  const followed = partitions.map(partition => new FakeFollowed(1, partition))
  for (const each of followed) fetchers.changed(each)
  return followed
}

const records = (length: number) => new Prng(7).bytes(length)

describe('a fetcher', () => {
  test('appends what comes as a view of the frame, and the next fetch says how far the log has come', async () => {
    holdFetches()
    const [partition] = follow(0)
    await clock.settle()
    const sent = records(600)
    tell(fetches()[0]!, [{ partitionIndex: 0, records: sent, highWatermark: 5, logStartOffset: 2 }])
    await clock.settle()
    expect(partition!.appended).toHaveLength(1)
    expect(partition!.appended[0]!.told).toEqual({
      leaderEpoch: 3,
      fetchOffset: 0,
      highWatermark: 5,
      logStartOffset: 2,
    })
    expect(fetches()[1]!.value).toMatchObject({
      sessionId: 9,
      sessionEpoch: 1,
      topics: [{ partitions: [{ fetchOffset: 600, lastFetchedEpoch: 3, logStartOffset: 2 }] }],
    })
    expect([...fetchers.numbers()]).toMatchObject([{ leader: 1, requests: 2, bytes: 600 }])
  })

  test('keeps the frame until all of it is written', async () => {
    holdFetches()
    const [partition] = follow(0)
    partition!.isSlow = true
    await clock.settle()
    const sent = records(600)
    tell(fetches()[0]!, [{ partitionIndex: 0, records: sent }])
    await clock.settle()
    expect(fetches()).toHaveLength(1)
    // The network gives other bytes to a frame that was given back (poisoned-network.ts).
    expect(partition!.appended[0]!.records).toEqual(sent)
    partition!.finish()
    await clock.settle()
    expect(partition!.appended[0]!.records).not.toEqual(sent)
    expect(fetches()).toHaveLength(2)
  })

  test('a leader that is stopped is noticed by its silence, and asked anew', async () => {
    holdFetches()
    follow(0)
    await clock.run(2999)
    expect(broker.connections).toHaveLength(1)
    await clock.run(1)
    expect(failures).toMatchObject([{ leader: 1, why: 'timeout', followed: null }])
    await clock.run(100)
    expect(broker.connections).toHaveLength(2)
    expect(fetches().at(-1)!.value.sessionEpoch).toBe(0)
  })

  test('where the leader is not there it tries again, with pauses up to replica.fetch.backoff.ms', async () => {
    broker.isRefusing = true
    follow(0)
    await clock.run(20_000)
    expect(failures.length).toBeGreaterThan(15)
    expect(failures.length).toBeLessThan(35)
    broker.isRefusing = false
    holdFetches()
    await clock.run(1200)
    expect(fetches()).toHaveLength(1)
  })

  test('a leader that takes connections and lets nobody log in is given up, and a late login is closed', async () => {
    const later: (() => void)[] = []
    broker.act = heard => void later.push(() => broker.answerVersions(heard))
    follow(0)
    await clock.run(3000)
    expect(failures).toMatchObject([{ why: 'timeout', followed: null }])
    await clock.run(100)
    expect(broker.connections).toHaveLength(2)
    holdFetches()
    for (const answer of later) answer()
    await clock.settle()
    expect(broker.ends).toHaveLength(1)
    expect(fetches()).toHaveLength(1)
  })

  test('a leader that registers anew is asked at once', async () => {
    broker.isRefusing = true
    follow(0)
    await clock.run(20_000)
    broker.isRefusing = false
    holdFetches()
    epoch = 11
    fetchers.brokersChanged()
    await clock.settle()
    expect(fetches()).toHaveLength(1)
    fetchers.brokersChanged()
    await clock.settle()
    expect(broker.ends).toEqual([])
    epoch = 12
    fetchers.brokersChanged()
    await clock.settle()
    expect(broker.ends).toHaveLength(1)
    expect(fetches()).toHaveLength(2)
  })

  test('a session that the leader lost begins anew, at once', async () => {
    holdFetches()
    follow(0)
    await clock.settle()
    tell(fetches()[0]!, [{ partitionIndex: 0 }])
    await clock.settle()
    tell(fetches()[1]!, [], 'FETCH_SESSION_ID_NOT_FOUND')
    await clock.settle()
    expect(fetches()[2]!.value).toMatchObject({ sessionId: 0, sessionEpoch: 0 })
    expect(partitionsOf(fetches()[2]!)).toEqual([0])
  })

  test('a leader that refuses the whole is left alone for a while', async () => {
    holdFetches()
    follow(0)
    await clock.settle()
    tell(fetches()[0]!, [], 'CLUSTER_AUTHORIZATION_FAILED')
    await clock.settle()
    expect(broker.ends).toHaveLength(1)
    expect(failures).toMatchObject([{ why: 'CLUSTER_AUTHORIZATION_FAILED', followed: null }])
    await clock.run(100)
    expect(fetches()).toHaveLength(2)
  })

  test('an error of one partition is told, and it is asked for again after a pause', async () => {
    holdFetches()
    follow(0, 1)
    await clock.settle()
    tell(fetches()[0]!, [{ partitionIndex: 0 }])
    await clock.settle()
    const both = fetches().at(-1)!
    tell(both, [
      { partitionIndex: 0, errorCode: errorCode('UNKNOWN_LEADER_EPOCH') },
      { partitionIndex: 1 },
    ])
    await clock.settle()
    expect(failures).toMatchObject([{ why: 'UNKNOWN_LEADER_EPOCH' }])
    expect(fetches().at(-1)!.value.forgottenTopicsData).toMatchObject([{ partitions: [0] }])
    await clock.run(70)
    expect(partitionsOf(fetches().at(-1)!)).toEqual([0])
  })
})

describe('logs that part', () => {
  test('R4: the partition is cut as the leader says, and goes on from there', async () => {
    holdFetches()
    const [partition] = follow(0)
    partition!.cut = async () => {
      partition!.fetchPosition = { offset: 4, lastFetchedEpoch: 1 }
    }
    await clock.settle()
    tell(fetches()[0]!, [{ partitionIndex: 0, divergingEpoch: { epoch: 2, endOffset: 6 } }])
    await clock.settle()
    expect(partition!.truncations).toEqual([
      { diverging: { epoch: 2, endOffset: 6 }, leaderEpoch: 3 },
    ])
    expect(fetches().at(-1)!.value.topics[0]!.partitions[0]).toMatchObject({
      fetchOffset: 4,
      lastFetchedEpoch: 1,
    })
  })

  test('a cut that the disk refuses is tried again', async () => {
    holdFetches()
    const [partition] = follow(0)
    partition!.cut = () => Promise.reject(new DiskError('truncate', '/x', 'EIO'))
    await clock.settle()
    tell(fetches()[0]!, [{ partitionIndex: 0, divergingEpoch: { epoch: 2, endOffset: 6 } }])
    await clock.settle()
    expect(failures).toMatchObject([{ why: 'KAFKA_STORAGE_ERROR' }])
    await clock.run(70)
    expect(fetches()).toHaveLength(2)
  })

  test('I-16: out of the range of the leader, it is told that range', async () => {
    const [partition] = [new FakeFollowed(1, 0)]
    broker.act = heard => {
      if (heard.api === fetch) {
        if (fetches().length === 1) {
          tell(heard, [{ partitionIndex: 0, errorCode: errorCode('OFFSET_OUT_OF_RANGE') }])
        }
        return
      }
      if (heard.api !== listOffsets) return broker.answerVersions(heard)
      const { value } = heard as Heard & { readonly value: Infer<typeof listOffsets.request> }
      const { timestamp, currentLeaderEpoch } = value.topics[0]!.partitions[0]!
      expect({ replicaId: value.replicaId, currentLeaderEpoch }).toEqual({
        replicaId: 2,
        currentLeaderEpoch: 3,
      })
      const offset = timestamp === -2 ? 40 : 90
      const partitions = [{ partitionIndex: 0, errorCode: 0, offset }]
      broker.answer(heard, listOffsets, {
        throttleTimeMs: 0,
        topics: [{ name: 'topic-1', partitions }],
      })
    }
    partition!.cut = async () => {
      partition!.fetchPosition = { offset: 40, lastFetchedEpoch: -1 }
    }
    fetchers.changed(partition!)
    await clock.settle()
    expect(partition!.ranges).toEqual([
      { range: { startOffset: 40, endOffset: 90 }, leaderEpoch: 3 },
    ])
    expect(fetches().at(-1)!.value.topics[0]!.partitions[0]!.fetchOffset).toBe(40)
  })
})

describe('fetchers', () => {
  test('a partition that gets another leader leaves the one and comes to the other, once', async () => {
    holdFetches()
    const [moving, staying] = follow(0, 1)
    await clock.settle()
    moving!.following = { leader: 3, leaderEpoch: 4 }
    fetchers.changed(moving!)
    fetchers.changed(moving!)
    await clock.settle()
    expect(broker.connections).toHaveLength(2)
    expect(partitionsOf(fetches().at(-1)!)).toEqual([0])
    // What the old leader says of it comes too late.
    tell(fetches()[0]!, [
      { partitionIndex: 0, records: records(10) },
      { partitionIndex: 1, records: records(10) },
    ])
    await clock.settle()
    expect(moving!.appended).toEqual([])
    expect(staying!.appended.length).toBeLessThanOrEqual(1)
    expect([...fetchers.lags()].map(({ leader, partitions }) => [leader, partitions])).toEqual([
      [1, 1],
      [3, 1],
    ])
  })

  test('one without partitions ends, with its connection', async () => {
    holdFetches()
    const [partition] = follow(0)
    await clock.settle()
    partition!.following = null
    fetchers.changed(partition!)
    await clock.settle()
    expect(broker.ends).toHaveLength(1)
    await clock.run(10_000)
    expect(clock.timerCount).toBe(0)
    fetchers.stop()
    follow(1)
    await clock.settle()
    expect(broker.connections).toHaveLength(1)
  })

  test('num.replica.fetchers: partitions of one leader are divided', async () => {
    holdFetches()
    follow(0, 1, 2, 3)
    await clock.settle()
    fetchersPerLeader = 2
    fetchers.reconfigure()
    await clock.settle()
    expect(broker.connections).toHaveLength(2)
    expect(new Set(partitionsOf(fetches().at(-1)!))).toHaveProperty('size', 2)
    fetchersPerLeader = 1
    fetchers.reconfigure()
    await clock.settle()
    expect(broker.ends).toHaveLength(1)
    expect([...fetchers.lags()]).toMatchObject([{ leader: 1, partitions: 4 }])
  })

  test('a leader that registered anew is connected to anew by each of them, also where one begins at that time', async () => {
    fetchersPerLeader = 2
    fetchers.reconfigure()
    holdFetches()
    follow(0)
    await clock.settle()
    epoch = 11
    follow(1)
    fetchers.brokersChanged()
    await clock.settle()
    expect(broker.ends).toHaveLength(1)
    expect(broker.connections).toHaveLength(3)
  })

  test('tell how far the followers are behind, in records and seconds', async () => {
    holdFetches()
    follow(0)
    await clock.settle()
    tell(fetches()[0]!, [{ partitionIndex: 0, records: records(10), highWatermark: 25 }])
    await clock.run(400)
    expect([...fetchers.lags()]).toEqual([{ leader: 1, partitions: 1, records: 15, seconds: 0.4 }])
    tell(fetches()[1]!, [{ partitionIndex: 0, records: records(15), highWatermark: 25 }])
    await clock.run(400)
    expect([...fetchers.lags()]).toEqual([{ leader: 1, partitions: 1, records: 0, seconds: 0 }])
    await clock.run(1600)
    expect([...fetchers.lags()]).toMatchObject([{ seconds: 2 }])
  })
})
