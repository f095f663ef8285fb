import { beforeEach, expect, test } from 'vitest'
import { encodeBatch } from '../batch/batch.ts'
import { UnwrittenBatches } from './unwritten-batches.ts'

let unwritten: UnwrittenBatches
const at = (records: Uint8Array | null, index = 3) => ({ index, records })

beforeEach(() => (unwritten = new UnwrittenBatches()))

function batch(baseSequence: number, { producerId = 7, producerEpoch = 0 } = {}): Uint8Array {
  return encodeBatch({ records: [{ value: null }], producerId, producerEpoch, baseSequence })
}

const refuse = (records: Uint8Array, nowMs = 0): void =>
  unwritten.refused('orders', at(records), nowMs)
const awaitedBefore = (records: Uint8Array | null, nowMs = 0): number | null =>
  unwritten.awaitedBefore('orders', at(records), nowMs)

test('behind the lowest batch that was refused nothing comes before it', () => {
  expect(awaitedBefore(batch(4))).toBeNull()
  for (const sequence of [2, 0, 3]) refuse(batch(sequence))
  expect(awaitedBefore(batch(4))).toBe(0)
  expect(awaitedBefore(batch(0))).toBeNull()
  expect(awaitedBefore(batch(4, { producerId: 8 }))).toBeNull()
  expect(unwritten.awaitedBefore('orders', at(batch(4), 4), 0)).toBeNull()
})

test('that is over when it is written, in another epoch, and after half a minute', () => {
  refuse(batch(0))
  expect(awaitedBefore(batch(5, { producerEpoch: 1 }))).toBeNull()
  expect(awaitedBefore(batch(5), 30_000)).toBe(0)
  unwritten.written('orders', at(batch(0)))
  expect(awaitedBefore(batch(5))).toBeNull()
  refuse(batch(0))
  expect(awaitedBefore(batch(5), 30_001)).toBeNull()
})

test('each refusal counts anew, and one of another epoch takes its place', () => {
  refuse(batch(0), 0)
  refuse(batch(1), 20_000)
  expect(awaitedBefore(batch(2), 40_000)).toBe(0)
  refuse(batch(6, { producerEpoch: 1 }), 40_000)
  expect(awaitedBefore(batch(2), 40_000)).toBeNull()
  expect(awaitedBefore(batch(7, { producerEpoch: 1 }), 40_000)).toBe(6)
})

test('sequences go round', () => {
  refuse(batch(2 ** 31 - 1))
  expect(awaitedBefore(batch(1))).toBe(2 ** 31 - 1)
  refuse(batch(1))
  expect(awaitedBefore(batch(1))).toBe(2 ** 31 - 1)
})

test('what is no batch of an idempotent producer is left alone', () => {
  for (const records of [new Uint8Array(60), encodeBatch({ records: [{ value: null }] })]) {
    refuse(records)
    expect(awaitedBefore(records)).toBeNull()
  }
  refuse(batch(0))
  expect(awaitedBefore(null)).toBeNull()
})

test('of very many producers those that were refused last are remembered', () => {
  for (let producerId = 0; producerId <= 10_000; producerId++) {
    refuse(batch(0, { producerId }))
  }
  expect(awaitedBefore(batch(1, { producerId: 0 }))).toBeNull()
  expect(awaitedBefore(batch(1, { producerId: 1 }))).toBe(0)
})
