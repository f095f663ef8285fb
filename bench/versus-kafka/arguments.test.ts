import { expect, test } from 'vitest'
import { chosen } from './arguments.ts'

const all = ['disk', 'tail', 'idle']

test('names and rounds, in the order of the page', () => {
  expect(chosen([], all)).toEqual({ names: all, rounds: 3 })
  expect(chosen(['5'], all)).toEqual({ names: all, rounds: 5 })
  expect(chosen(['tail'], all)).toEqual({ names: ['tail'], rounds: 3 })
  expect(chosen(['idle', 'disk', '1'], all)).toEqual({ names: ['disk', 'idle'], rounds: 1 })
})

test('what cannot be meant is told with what can', () => {
  expect(chosen(['tails'], all)).toEqual({
    problem: 'There is no scenario tails; there are disk, tail, idle.',
  })
  expect(chosen(['2', 'tail'], all)).toHaveProperty('problem')
  expect(chosen(['tail', '0'], all)).toHaveProperty('problem')
})
