import { expect, test } from 'vitest'
import type { OffsetValue } from '../coordinator/groups/records.ts'
import type { Partition } from '../partition/partition.ts'
import { committedLags, committedTopics, fetchLags } from './positions.ts'
import type { Reader } from './readers.ts'

/** Partitions 0, 1, ... of a topic, by their high watermarks; null is one whose log is not open. */
function served(topics: Readonly<Record<string, readonly (number | null)[]>>) {
  const all = Object.entries(topics).flatMap(([topic, watermarks]) =>
    watermarks.map((highWatermark, partition) => ({
      id: { topic, partition },
      role: { leader: 1, replicas: [1], isr: [1] },
      highWatermark,
      extent: highWatermark === null ? null : { startOffset, highWatermark },
      backlog: (offset: number) => backlog(offset, highWatermark),
    })),
  ) as unknown as Partition[]
  return {
    all: () => all,
    find: (topic: string, partition: number) =>
      all.find(({ id }) => id.topic === topic && id.partition === partition),
  }
}

const startOffset = 5

/** As a partition tells it whose log begins at `startOffset`. */
function backlog(offset: number, highWatermark: number | null) {
  if (highWatermark === null) return null
  const records = Math.max(0, highWatermark - Math.max(offset, startOffset))
  return records === 0
    ? { records, bytes: 0, timestampMs: null }
    : { records, bytes: 1000, timestampMs: 7000 }
}

function committed(offsets: Readonly<Record<string, readonly [number, number][]>>) {
  const value = (offset: number) => ({ offset }) as OffsetValue
  return {
    list: () => [{ groupId: 'g', protocolType: 'consumer', state: 'Empty' as const }].values(),
    offsets: () =>
      Object.entries(offsets)
        .map(([topic, rows]) => {
          return [topic, new Map(rows.map(([at, offset]) => [at, value(offset)]))] as const
        })
        .values(),
    committed: () =>
      Object.entries(offsets)
        .flatMap(([topic, rows]) =>
          rows.map(([partition, committedOffset]) => {
            return { groupId: 'g', topic, partition, committedOffset, commitTimeMs: 0 }
          }),
        )
        .values(),
  }
}

test('a committed topic tells every partition that is served, -1 for what the group never committed', () => {
  const views = committed({ hot: [[3, 8]], shut: [[0, 1]], gone: [[0, 4]], part: [[1, 2]] })
  const partitions = served({ hot: [9, 9, 9, 12, 5], shut: [null], part: [9, null], other: [7] })
  expect([...committedTopics(views, partitions)]).toEqual([
    {
      group: 'g',
      topic: 'hot',
      partitions: [
        { partition: 0, offset: -1, records: -1 },
        { partition: 1, offset: -1, records: -1 },
        { partition: 2, offset: -1, records: -1 },
        { partition: 3, offset: 8, records: 4 },
        { partition: 4, offset: -1, records: -1 },
      ],
    },
  ])
})

test('an offset beyond the end has no lag', () => {
  const [row] = committedTopics(committed({ hot: [[0, 20]] }), served({ hot: [12] }))
  expect(row!.partitions).toEqual([{ partition: 0, offset: 20, records: 0 }])
})

test('the lag of a committed offset begins where the log does, and is told of served partitions only', () => {
  const views = committed({
    hot: [
      [0, 2],
      [1, 12],
    ],
    gone: [[0, 1]],
  })
  expect([...committedLags(views, served({ hot: [12, 12] }), 9500)]).toEqual([
    {
      position: 'committed',
      group: 'g',
      clientId: '',
      topic: 'hot',
      partition: 0,
      offset: 2,
      records: 7,
      bytes: 1000,
      seconds: 2.5,
    },
    expect.objectContaining({ partition: 1, offset: 12, records: 0, bytes: 0, seconds: 0 }),
  ])
})

test('of readers with one name the one that is farthest behind stands for all', () => {
  const reader = (clientId: string, fetchOffset: number) =>
    ({ clientId, group: '', topic: 'hot', partition: 0, fetchOffset }) as Reader & { group: '' }
  const positions = () =>
    [reader('a', 10), reader('a', 8), reader('a', 11), reader('b', 12)].values()
  const lags = fetchLags({ positions }, served({ hot: [12] }), 9500)
  expect(Array.from(lags, ({ clientId, offset, records }) => [clientId, offset, records])).toEqual([
    ['a', 8, 4],
    ['b', 12, 0],
  ])
})

test('who is away is told while it is at the end, as one in a session may be, and not behind it', () => {
  const reader = (clientId: string, fetchOffset: number, isAway: boolean) =>
    ({ clientId, group: '', topic: 'hot', partition: 0, fetchOffset, isAway }) as Reader
  const positions = () =>
    [reader('a', 10, true), reader('b', 12, true), reader('c', 10, false)].values()
  const lags = fetchLags({ positions }, served({ hot: [12] }), 9500)
  expect(Array.from(lags, ({ clientId, records }) => [clientId, records])).toEqual([
    ['b', 0],
    ['c', 2],
  ])
})
