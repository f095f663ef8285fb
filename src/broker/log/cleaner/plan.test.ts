import { describe, expect, test } from 'vitest'
import { logConfig } from '../../../../test/helpers/logs.ts'
import type { LogConfig } from '../log-config.ts'
import { dirtOf, groupsOf, type PlannedLog, type PlannedSegment } from './plan.ts'

const nowMs = 1_000_000

function segment(baseOffset: number, over: Partial<PlannedSegment> = {}): PlannedSegment {
  const newest = { timestampMs: nowMs - 1000 }
  return { baseOffset, endOffset: baseOffset + 10, sizeBytes: 100, newest, ...over }
}

/** Closed segments of ten records and 100 bytes at 0, 10, 20; the active one begins at 30. */
function log(over: Partial<PlannedLog<PlannedSegment>> = {}, config: Partial<LogConfig> = {}) {
  return {
    segments: [0, 10, 20, 30].map(base => segment(base)),
    startOffset: 0,
    endOffset: 40,
    firstDirtyOffset: null,
    safeOffset: 40,
    config: logConfig({ cleanupPolicy: 'compact', ...config }),
    firstBatchMs: () => -1,
    ...over,
  }
}

describe('a log', () => {
  test('that was never cleaned is dirty up to its active segment', () => {
    const dirt = dirtOf(log(), nowMs)
    expect(dirt).toMatchObject({ firstDirtyOffset: 0, upToOffset: 30, ratio: 1, isDue: true })
    expect(dirt.dirty.map(({ baseOffset }) => baseOffset)).toEqual([0, 10, 20])
  })

  test('is due when more than the ratio is dirty, not when it is as much', () => {
    const firstDirtyOffset = 20
    const due = (minCleanableDirtyRatio: number) =>
      dirtOf(log({ firstDirtyOffset }, { minCleanableDirtyRatio }), nowMs).isDue
    expect(due(0.33)).toBe(true)
    expect(dirtOf(log({ firstDirtyOffset }), nowMs).ratio).toBeCloseTo(1 / 3)
    const half = log({ firstDirtyOffset: 15 })
    // The segment in which the first dirty offset lies counts on both sides, as in Kafka.
    expect(dirtOf(half, nowMs).ratio).toBe(0.5)
    expect(dirtOf(half, nowMs).isDue).toBe(false)
  })

  test('of another policy is never due', () => {
    expect(dirtOf(log({}, { cleanupPolicy: 'delete' }), nowMs).isDue).toBe(false)
    expect(dirtOf(log({}, { cleanupPolicy: 'compact,delete' }), nowMs).isDue).toBe(true)
  })

  test('is cleaned only up to what is safe everywhere, by whole segments', () => {
    const dirt = dirtOf(log({ safeOffset: 19 }), nowMs)
    expect(dirt.upToOffset).toBe(10)
    expect(dirt.cleanableBytes).toBe(100)
    // Flushes and replicas tell nobody: it is looked at again.
    expect(dirt.lookAgainAtMs).toBe(nowMs)
  })

  test('with a young segment is cleaned up to it, and looked at when it is old enough', () => {
    const segments = [
      segment(0),
      segment(10, { newest: { timestampMs: nowMs - 10 } }),
      segment(20),
      segment(30),
    ]
    const dirt = dirtOf(log({ segments }, { minCompactionLagMs: 100 }), nowMs)
    expect(dirt.upToOffset).toBe(10)
    expect(dirt.lookAgainAtMs).toBe(nowMs + 90)
  })

  test('of which a record waits for too long is due, however little is dirty', () => {
    const firstDirtyOffset = 20
    const firstBatchMs = ({ baseOffset }: PlannedSegment) => (baseOffset === 20 ? nowMs - 500 : -1)
    const dirtWith = (maxCompactionLagMs: number) =>
      dirtOf(
        log({ firstDirtyOffset, firstBatchMs }, { minCleanableDirtyRatio: 1, maxCompactionLagMs }),
        nowMs,
      )
    expect(dirtWith(499).isDue).toBe(true)
    expect(dirtWith(500)).toMatchObject({ isDue: false, lookAgainAtMs: nowMs + 1 })
  })

  test('whose checkpoint cannot be is dirty from its start', () => {
    expect(dirtOf(log({ firstDirtyOffset: 41 }), nowMs).firstDirtyOffset).toBe(0)
    const late = log({ firstDirtyOffset: 5, startOffset: 12 })
    expect(dirtOf(late, nowMs).firstDirtyOffset).toBe(12)
  })

  test('in which nothing is dirty is not looked at again by itself', () => {
    const dirt = dirtOf(log({ firstDirtyOffset: 30 }), nowMs)
    expect(dirt).toMatchObject({ isDue: false, ratio: 0, lookAgainAtMs: Infinity })
  })

  test('that has one segment has nothing to clean', () => {
    const dirt = dirtOf(log({ segments: [segment(0)] }), nowMs)
    expect(dirt).toMatchObject({ isDue: false, lookAgainAtMs: Infinity })
  })
})

describe('segments become one', () => {
  const limits = { segmentBytes: 250, segmentIndexBytes: 10_000, indexIntervalBytes: 100 }
  const bases = (groups: PlannedSegment[][]) =>
    groups.map(group => group.map(({ baseOffset }) => baseOffset))

  test('as long as their bytes fit', () => {
    const segments = [0, 10, 20, 30].map(base => segment(base))
    expect(bases(groupsOf(segments, limits))).toEqual([
      [0, 10],
      [20, 30],
    ])
  })

  test('as long as their offsets do', () => {
    const far = segment(2 ** 31, { endOffset: 2 ** 31 + 1 })
    expect(bases(groupsOf([segment(0), far], limits))).toEqual([[0], [2 ** 31]])
    const near = segment(2 ** 31 - 10, { endOffset: 2 ** 31 })
    expect(bases(groupsOf([segment(0), near], limits))).toEqual([[0, 2 ** 31 - 10]])
  })

  test('as long as their index does', () => {
    const segments = [0, 10].map(base => segment(base))
    expect(groupsOf(segments, { ...limits, segmentIndexBytes: 12 })).toHaveLength(2)
  })

  test('and one that is too large stays alone', () => {
    const segments = [segment(0, { sizeBytes: 900 }), segment(10), segment(20)]
    expect(bases(groupsOf(segments, limits))).toEqual([[0], [10, 20]])
  })
})
