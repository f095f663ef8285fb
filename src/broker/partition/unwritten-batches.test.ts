import { beforeEach, expect, test } from 'vitest'
import { encodeBatch } from '../log/batch/batch.ts'
import type { ErrorName } from '../wire/errors.ts'
import { UnwrittenBatches } from './unwritten-batches.ts'

let unwritten: UnwrittenBatches
const place = { topic: 'orders', partition: 3 }

beforeEach(() => (unwritten = new UnwrittenBatches()))

function batch(baseSequence: number, { producerId = 7, producerEpoch = 0 } = {}): Uint8Array {
  return encodeBatch({ records: [{ value: null }], producerId, producerEpoch, baseSequence })
}

const settle = (records: Uint8Array, error: ErrorName, nowMs = 0): void =>
  unwritten.settled(place, records, { error, nowMs })
const awaitedBefore = (records: Uint8Array | null, nowMs = 0): number | null =>
  unwritten.awaitedBefore(place, records, nowMs)

test('behind the lowest batch that was refused nothing comes before it', () => {
  expect(awaitedBefore(batch(4))).toBeNull()
  for (const sequence of [2, 0, 3]) settle(batch(sequence), 'NOT_LEADER_OR_FOLLOWER')
  expect(awaitedBefore(batch(4))).toBe(0)
  expect(awaitedBefore(batch(0))).toBeNull()
  expect(awaitedBefore(batch(4, { producerId: 8 }))).toBeNull()
  expect(unwritten.awaitedBefore({ ...place, partition: 4 }, batch(4), 0)).toBeNull()
})

test('that is over when it is written, in another epoch, and after half a minute', () => {
  settle(batch(0), 'UNKNOWN_TOPIC_OR_PARTITION')
  expect(awaitedBefore(batch(5, { producerEpoch: 1 }))).toBeNull()
  expect(awaitedBefore(batch(5), 30_000)).toBe(0)
  settle(batch(0), 'NONE')
  expect(awaitedBefore(batch(5))).toBeNull()
  settle(batch(0), 'NOT_ENOUGH_REPLICAS')
  expect(awaitedBefore(batch(5), 30_001)).toBeNull()
})

test('each refusal counts anew, and one of another epoch takes its place', () => {
  settle(batch(0), 'NOT_LEADER_OR_FOLLOWER', 0)
  settle(batch(1), 'NOT_LEADER_OR_FOLLOWER', 20_000)
  expect(awaitedBefore(batch(2), 40_000)).toBe(0)
  settle(batch(6, { producerEpoch: 1 }), 'NOT_LEADER_OR_FOLLOWER', 40_000)
  expect(awaitedBefore(batch(2), 40_000)).toBeNull()
  expect(awaitedBefore(batch(7, { producerEpoch: 1 }), 40_000)).toBe(6)
})

test.each(['MESSAGE_TOO_LARGE', 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'REQUEST_TIMED_OUT'] as const)(
  '%s says nothing of what has to come first',
  error => {
    settle(batch(0), error)
    expect(awaitedBefore(batch(1))).toBeNull()
  },
)

test('sequences go round', () => {
  settle(batch(2 ** 31 - 1), 'NOT_LEADER_OR_FOLLOWER')
  expect(awaitedBefore(batch(1))).toBe(2 ** 31 - 1)
  settle(batch(1), 'NOT_LEADER_OR_FOLLOWER')
  expect(awaitedBefore(batch(1))).toBe(2 ** 31 - 1)
})

test('what is no batch of an idempotent producer is left alone', () => {
  for (const records of [new Uint8Array(60), encodeBatch({ records: [{ value: null }] })]) {
    settle(records, 'NOT_LEADER_OR_FOLLOWER')
    expect(awaitedBefore(records)).toBeNull()
  }
  settle(batch(0), 'NOT_LEADER_OR_FOLLOWER')
  expect(awaitedBefore(null)).toBeNull()
})

test('of very many producers those that were refused last are remembered', () => {
  for (let producerId = 0; producerId <= 10_000; producerId++) {
    settle(batch(0, { producerId }), 'NOT_LEADER_OR_FOLLOWER')
  }
  expect(awaitedBefore(batch(1, { producerId: 0 }))).toBeNull()
  expect(awaitedBefore(batch(1, { producerId: 1 }))).toBe(0)
})
