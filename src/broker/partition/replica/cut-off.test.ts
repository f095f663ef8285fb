import { expect, test } from 'vitest'
import { threeReplicas } from '../../../../test/helpers/replica-bench.ts'
import { lastSureMs } from './cut-off.ts'

const heard = { controllerMs: 10, followerMs: (id: number) => (id === 2 ? 20 : 30) }
const role = { ...threeReplicas, leader: 1, minInsyncReplicas: 2 }

test('a leader is sure of itself when it was elected, and by whoever is in sync or controls (I12)', () => {
  expect(lastSureMs({ ...role, isr: [1, 2, 3] }, heard, 5)).toBe(30)
  expect(lastSureMs({ ...role, isr: [1, 2] }, heard, 5)).toBe(20)
  expect(lastSureMs({ ...role, isr: [1] }, heard, 5)).toBe(10)
  expect(lastSureMs({ ...role, isr: [1] }, heard, 15)).toBe(15)
})

test('and always where nobody could lead in its place: not by being alone in sync where more are asked for', () => {
  expect(lastSureMs({ ...role, replicas: [1], isr: [1] }, heard, 5)).toBe(Infinity)
  expect(lastSureMs({ ...role, isr: [1], minInsyncReplicas: 1 }, heard, 5)).toBe(Infinity)
  expect(lastSureMs({ ...role, isr: [1, 2], minInsyncReplicas: 1 }, heard, 5)).toBe(20)
})
