import { expect, test } from 'vitest'
import { judge } from './goals.ts'
import { merged, type Result, rowsOf } from './results.ts'
import { resultOf } from './sample.ts'

test('a scenario that was repeated takes the place of itself and of nobody else', () => {
  const [first, second, other] = [1, 2, 3].map(value => resultOf([{ a: value }, { a: value }]))
  const results = merged(merged({}, 'one', first!), 'two', other!)
  expect(merged(results, 'one', second!)).toEqual({ one: second, two: other })
  expect(results).toEqual({ one: first, two: other })
})

test('a row is medians, and the ratios of the same rounds', () => {
  const { rounds } = resultOf([{ a: 1 }, { a: 4 }], [{ a: 9 }, { a: 6 }], [{ a: 5 }, { a: 5 }])
  const ratio = { median: 1, least: 0.25, most: 1.5 }
  expect(rowsOf(rounds)).toEqual([{ name: 'a', ours: 5, worst: 9, kafka: 5, ratio }])
})

test('an even number of rounds has its median between the two in the middle', () => {
  expect(rowsOf(resultOf([{ a: 1 }, { a: 1 }], [{ a: 2 }, { a: 1 }]).rounds)[0]!.ours).toBe(1.5)
})

test('nothing is divided by what Apache Kafka was not asked, or did in no time', () => {
  const { rounds } = resultOf([{ a: 1, b: 1 }, { b: 0 }])
  expect(rowsOf(rounds)).toEqual([
    { name: 'a', ours: 1, worst: 1, kafka: null, ratio: null },
    { name: 'b', ours: 1, worst: 1, kafka: 0, ratio: null },
  ])
  expect(rowsOf([{ ours: { a: 1 }, theirs: null }])).toMatchObject([{ kafka: null, ratio: null }])
})

test('a goal is met up to its bound, of our own or of the ratio', () => {
  const found: Result = resultOf([{ a: 2 }, { a: 8 }], [{ a: 3 }, { a: 6 }], [{ a: 1 }, { a: 4 }])
  const verdict = (of: 'ours' | 'worst' | 'ratio', most: number, measure = 'a') =>
    judge({ measure, of, most }, 'it', { it: found })
  expect(verdict('ours', 2)).toEqual({ value: 2, isMet: true })
  expect(verdict('ours', 1.9)).toEqual({ value: 2, isMet: false })
  expect(verdict('worst', 3)).toEqual({ value: 3, isMet: true })
  expect(verdict('worst', 2.9)).toEqual({ value: 3, isMet: false })
  expect(verdict('ratio', 0.25)).toEqual({ value: 0.25, isMet: true })
  expect(verdict('ratio', 0.24)).toEqual({ value: 0.25, isMet: false })
  expect(verdict('ours', 2, 'b')).toEqual({ value: null, isMet: false })
  expect(judge({ measure: 'a', of: 'ours', most: 9 }, 'other', { it: found })).toEqual({
    value: null,
    isMet: false,
  })
})
