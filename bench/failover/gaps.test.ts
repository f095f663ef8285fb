import { expect, test } from 'vitest'
import { missed, reportOf } from './gaps.ts'

const turn = { date: '2026-11-28', commit: 'abc', source: 'def', load: 1 }

test('turns count together, each kind by the nearest rank', () => {
  const many = Array.from({ length: 150 }, (_, at) => (150 - at) / 100)
  const { figures } = reportOf(
    [
      { ...turn, gaps: { kill: [3, 1], stop: [2] } },
      { ...turn, gaps: { kill: [2], many, none: [] } },
    ],
    { kill: 5 },
  )
  expect(figures).toEqual({
    kill: { count: 3, p50: 2, p99: 3, max: 3, goal: 5 },
    stop: { count: 1, p50: 2, p99: 2, max: 2, goal: null },
    many: { count: 150, p50: 0.75, p99: 1.49, max: 1.5, goal: null },
  })
})

test('what is above its goal is missed', () => {
  const gaps = { kill: [1, 6], term: [1], stop: [60] }
  expect(missed(reportOf([{ ...turn, gaps }], { kill: 5, term: 1 }))).toEqual(['kill'])
})
