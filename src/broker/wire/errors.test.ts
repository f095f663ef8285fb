import { expect, test } from 'vitest'
import { errorCode, errorName, errors } from './errors.ts'

test('the codes run from -1 to 133 without a gap, as in Kafka 4.3', () => {
  const codes = Object.values(errors).map(row => row.code)
  expect(codes).toEqual(Array.from({ length: 135 }, (_, at) => at - 1))
})

test('a name and its code lead to each other', () => {
  for (const row of Object.values(errors)) {
    expect(errorCode(row.name)).toBe(row.code)
    expect(errorName(row.code)).toBe(row.name)
  }
  expect(errorName(9999)).toBe('UNKNOWN_SERVER_ERROR')
})

test('every message is a sentence', () => {
  for (const row of Object.values(errors)) expect(row.message).toMatch(/^[A-Za-z].*\.$/)
})

test('clients retry exactly what Kafka calls retriable', () => {
  const retriable = Object.values(errors).filter(row => row.retriable)
  expect(retriable.map(row => row.code)).toEqual([
    2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88,
    89, 100, 103, 106, 122, 123, 133,
  ])
})

test('those that send a client to look anew are retriable: Kafka refreshes its metadata or looks for the coordinator', () => {
  const moved = Object.values(errors).filter(row => row.moved)
  expect(moved.filter(row => !row.retriable)).toEqual([])
  expect(moved.map(row => row.code)).toEqual([
    3, 5, 6, 9, 13, 15, 16, 41, 56, 72, 74, 80, 83, 84, 100, 103,
  ])
})
