import { expect, test } from 'vitest'
import type { OffsetValue } from '../coordinator/groups/records.ts'
import { Elsewhere } from './elsewhere.ts'
import { committedLags, committedTopics } from './positions.ts'

const own = 0

/** Topic `t`, whose partitions these brokers lead, as broker 0 sees it; time stands at `now.ms`. */
function world(leaders: readonly number[], offsetsMax = 100) {
  const now = { ms: 0 }
  const of = (topic: string) => (topic === 't' ? leaders : [])
  const partitions = {
    brokerId: own,
    leaders: of,
    leading: (topic: string, index: number) => {
      const leader = of(topic)[index]
      return leader === undefined ? null : { leader, leaderEpoch: 1 }
    },
  }
  const elsewhere = new Elsewhere({
    clock: { monotonic: () => now.ms },
    partitions,
    offsetsMax,
  })
  return { elsewhere, now }
}

const commit = (groupId: string, partition: number, committedOffset: number) => {
  return { groupId, topic: 't', partition, committedOffset, commitTimeMs: 0 }
}

/** As the leader of partition 1 of `t` tells it: records 10 to 110, each of 100 bytes, one a second. */
const told = (...offsets: readonly number[]) => ({
  topic: 't',
  partition: 1,
  startOffset: 10,
  highWatermark: 110,
  backlogs: offsets.map(offset => {
    return { offset, bytes: 100 * (110 - offset), timestampMs: offset * 1000 }
  }),
})

const nothingHere = { find: () => undefined, all: () => [].values() }

test('leaders are asked, each for what it leads and this broker does not, and each offset once', () => {
  const { elsewhere } = world([own, 1, 2, -1])
  const commits = [commit('a', 0, 5), commit('a', 1, 9), commit('b', 1, 9), commit('b', 1, 7)]
  const more = [commit('a', 2, 3), commit('a', 3, 4), { ...commit('a', 0, 1), topic: 'gone' }]
  expect([...elsewhere.questions([...commits, ...more])]).toEqual([
    [1, [{ topic: 't', partition: 1, offsets: [7, 9] }]],
    [2, [{ topic: 't', partition: 2, offsets: [3] }]],
  ])
})

test('no more is asked than may be told', () => {
  const { elsewhere } = world([1, 2], 1)
  const questions = elsewhere.questions([commit('a', 0, 5), commit('a', 1, 5)])
  expect([...questions.keys()]).toEqual([1])
})

test('the lag of what was asked is what the leader said', () => {
  const { elsewhere } = world([own, 1])
  elsewhere.told(told(30, 60))
  const lag = elsewhere.lagOf({ topic: 't', partition: 1, offset: 60 }, 100_000)
  expect(lag).toEqual({ records: 50, bytes: 5000, seconds: 40 })
})

test('a group that went on since has fewer records behind, and as many bytes less', () => {
  const { elsewhere } = world([own, 1])
  elsewhere.told(told(30, 60))
  const at = (offset: number) => elsewhere.lagOf({ topic: 't', partition: 1, offset }, 100_000)
  expect(at(85)).toEqual({ records: 25, bytes: 2500, seconds: 40 })
  expect(at(110)).toEqual({ records: 0, bytes: 0, seconds: 0 })
  expect(at(200)).toEqual({ records: 0, bytes: 0, seconds: 0 })
  // It was set back, before what is still there.
  expect(at(0)).toMatchObject({ records: 100 })
})

test('what was told too long ago is not told on', () => {
  const { elsewhere, now } = world([own, 1])
  elsewhere.told(told(60))
  now.ms = 30_000
  expect(elsewhere.endOf('t', 1)).not.toBeNull()
  now.ms = 30_001
  expect(elsewhere.endOf('t', 1)).toBeNull()
  elsewhere.forget()
  now.ms = 0
  expect(elsewhere.endOf('t', 1)).toBeNull()
})

test('a committed offset is told by what its leader says, and not by a copy that may be behind', () => {
  const { elsewhere } = world([own, 1])
  const copy = { backlog: () => ({ records: 1, bytes: 1, timestampMs: null }) }
  const partitions = { find: () => copy as never }
  const views = { committed: () => [commit('a', 0, 60), commit('a', 1, 60)].values() }
  const lags = () => [...committedLags(views, partitions, 100_000, elsewhere)]
  expect(lags()).toMatchObject([{ partition: 0, records: 1 }])
  elsewhere.told(told(60))
  expect(lags()).toMatchObject([
    { partition: 0, records: 1 },
    { partition: 1, records: 50, bytes: 5000, seconds: 40 },
  ])
})

test('a committed topic has its partitions that are led elsewhere, and no number that nobody said', () => {
  const { elsewhere } = world([own, 1, 2, 2])
  const value = (offset: number) => ({ offset }) as OffsetValue
  const views = {
    list: () => [{ groupId: 'g', protocolType: 'consumer', state: 'Empty' as const }].values(),
    offsets: () =>
      [['t', new Map([1, 2].map(partition => [partition, value(60)] as const))] as const].values(),
  }
  elsewhere.told(told(60))
  expect([...committedTopics(views, nothingHere, elsewhere)]).toEqual([
    {
      group: 'g',
      topic: 't',
      partitions: [
        { partition: 1, offset: 60, records: 50 },
        { partition: 2, offset: 60, records: null },
        { partition: 3, offset: -1, records: -1 },
      ],
    },
  ])
})
