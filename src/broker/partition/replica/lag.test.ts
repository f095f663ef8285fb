import { describe, expect, test } from 'vitest'
import { ReplicaBench } from '../../../../test/helpers/replica-bench.ts'

describe('I-17: lag is time and never a number of records', () => {
  test('a follower that is always one batch behind stays', () => {
    const bench = new ReplicaBench().write(10).fetch(2, 10).fetch(3, 10)
    for (let end = 20; end < 400; end += 10) {
      bench
        .write(end)
        .fetch(2, end - 10)
        .fetch(3, end)
      expect(bench.pass(1).asked).toEqual([])
    }
  })

  test('one that is stuck leaves within one and a half times the limit', () => {
    const bench = new ReplicaBench().write(10).fetch(2, 10).fetch(3, 10).write(20)
    bench.keepUp(3, 10)
    expect(bench.asked).toEqual([])
    bench.keepUp(3, 5)
    expect(bench.asked).toEqual([[1, 3]])
  })

  test('one that never came in this epoch leaves, too', () => {
    const bench = new ReplicaBench().write(10).fetch(2, 10)
    bench.keepUp(2, 15)
    expect(bench.asked).toEqual([[1, 2]])
  })

  test('one that has everything stays, though it had nothing to ask for in an hour, and is not late with the next record', () => {
    const bench = new ReplicaBench().write(10).fetch(2, 10).fetch(3, 10)
    expect(bench.pass(3600).asked).toEqual([])
    expect(bench.write(11).pass(9).asked).toEqual([])
  })

  test('a leader that stood still blames nobody', () => {
    const bench = new ReplicaBench().write(10).fetch(2, 10).fetch(3, 10)
    bench.nowMs += 60_000
    bench.write(20).pass(1)
    expect(bench.asked).toEqual([])
    bench.keepUp(3, 12)
    expect(bench.asked).toEqual([[1, 3]])
  })

  test('one that left joins again when it fetches, and not by having been seen near the watermark', () => {
    const bench = new ReplicaBench({ minInsyncReplicas: 3 })
      .write(10)
      .fetch(2, 10)
      .fetch(3, 10)
      .write(20)
    bench.keepUp(3, 12)
    bench.commit([1, 3])
    // The watermark stands at 10, where broker 2 is.
    bench.keepUp(3, 5)
    expect(bench.asked).toEqual([])
    expect(bench.fetch(2, 10).asked).toEqual([[1, 3, 2]])
  })
})

describe('I-21: the in-sync set never loses its leader', () => {
  test('by what the leader asks for', () => {
    const bench = new ReplicaBench().write(10)
    expect(bench.pass(15).asked).toEqual([[1]])
    bench.commit([1])
    expect(bench.pass(30).asked).toEqual([])
  })
})

describe('a leader of a cluster that is frozen (R1b)', () => {
  test('lets nobody leave, however long he is away, and begins to count when it is over', () => {
    const bench = new ReplicaBench().write(10).fetch(2, 10).fetch(3, 10).write(20)
    // By a config of all brokers, which changes no partition epoch.
    bench.take({ isFrozen: true, partitionEpoch: bench.role.partitionEpoch })
    bench.keepUp(3, 60)
    expect(bench.asked).toEqual([])
    bench.take({ isFrozen: false, partitionEpoch: bench.role.partitionEpoch })
    bench.keepUp(3, 1)
    expect(bench.asked).toEqual([[1, 3]])
  })

  test('takes in whoever catches up', () => {
    const bench = new ReplicaBench({ isr: [1, 2], isFrozen: true }).write(10).fetch(2, 10)
    expect(bench.fetch(3, 10).asked).toEqual([[1, 2, 3]])
  })

  test('commits nothing that not everybody in sync has, though he is gone (R5)', () => {
    const bench = new ReplicaBench().write(10).fetch(2, 10).fetch(3, 10)
    const brokers = new Map(bench.role.brokers).set(3, { epoch: 30, isEligible: false })
    bench.take({ isFrozen: true, brokers, partitionEpoch: bench.role.partitionEpoch })
    bench.write(20).fetch(2, 20)
    expect(bench.highWatermark).toBe(10)
  })
})
