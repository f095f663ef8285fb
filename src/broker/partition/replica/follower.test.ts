import { describe, expect, test } from 'vitest'
import { ReplicaBench } from '../../../../test/helpers/replica-bench.ts'
import { isCutOff } from './cut-off.ts'
import type { EpochEnd, Parting } from './events.ts'
import { threeReplicas } from '../../../../test/helpers/replica-bench.ts'

/** Broker 1 follows broker 2 in epoch 7. */
function following(endOffset = 20): ReplicaBench {
  return new ReplicaBench({ leader: 2 }, endOffset)
}

function received(bench: ReplicaBench, highWatermark: number, leaderEpoch = 7): ReplicaBench {
  return bench.step({ type: 'received', leaderEpoch, highWatermark })
}

function parted(bench: ReplicaBench, parting: Parting, leaderEpoch = 7) {
  return bench.step({ type: 'parted', leaderEpoch, parting }).effects
}

const diverging = (leader: EpochEnd, own: EpochEnd) => ({ kind: 'diverging', leader, own }) as const

test('the watermark of a follower is its leader’s, as far as its own log goes (I-6)', () => {
  const bench = following()
  expect(received(bench, 12).highWatermark).toBe(12)
  expect(received(bench, 30).highWatermark).toBe(20)
  // A leader that knows less than the one before: the follower's goes down with it.
  expect(received(bench, 15).effects).toEqual([{ type: 'watermark', highWatermark: 15 }])
  bench.write(40)
  expect(received(bench, 40).highWatermark).toBe(40)
})

test('R3: what the leader of another epoch says counts nothing', () => {
  const bench = following()
  received(bench, 12)
  expect(received(bench, 20, 6).highWatermark).toBe(12)
  expect(
    parted(bench, diverging({ epoch: 3, endOffset: 5 }, { epoch: 3, endOffset: 8 }), 6),
  ).toEqual([])
  bench.take({ leader: 1, leaderEpoch: 8 })
  expect(
    parted(bench, diverging({ epoch: 3, endOffset: 5 }, { epoch: 3, endOffset: 8 }), 8),
  ).toEqual([])
  expect(received(bench, 20, 8).highWatermark).toBe(12)
})

describe('R4, I-13: a follower cuts by epochs', () => {
  test('where both have the epoch, at the smaller of its two ends, below the watermark or above', () => {
    const bench = received(following(), 12)
    const cut = (leaderEnd: number, ownEnd: number) =>
      parted(bench, diverging({ epoch: 5, endOffset: leaderEnd }, { epoch: 5, endOffset: ownEnd }))
    expect(cut(15, 18)).toEqual([{ type: 'truncate', offset: 15 }])
    expect(cut(18, 15)).toEqual([{ type: 'truncate', offset: 15 }])
    expect(cut(9, 18)).toEqual([{ type: 'truncate', offset: 9 }])
    expect(cut(50, 60)).toEqual([{ type: 'truncate', offset: 20 }])
  })

  test('where the follower does not know it, at the end of its own next lower one (KIP-279)', () => {
    // Ours: epoch 3 up to 14, epoch 6 from there. Theirs: epoch 5 up to 30.
    const cut = parted(
      following(),
      diverging({ epoch: 5, endOffset: 30 }, { epoch: 3, endOffset: 14 }),
    )
    expect(cut).toEqual([{ type: 'truncate', offset: 14 }])
    // Theirs ends below already: the next fetch, which asks by epoch 3, tells.
    const again = parted(
      following(),
      diverging({ epoch: 5, endOffset: 10 }, { epoch: 3, endOffset: 14 }),
    )
    expect(again).toEqual(cut)
  })

  test('where it knows none so low, at the end of the leader’s', () => {
    const unknown = { epoch: -1, endOffset: -1 }
    const cut = parted(following(), diverging({ epoch: 5, endOffset: 8 }, unknown))
    expect(cut).toEqual([{ type: 'truncate', offset: 8 }])
  })

  test('and never to the watermark: nothing goes because a leader is elected or told', () => {
    const bench = received(following(), 5)
    bench.take({ leader: 3, leaderEpoch: 8 })
    expect(bench.effects).toEqual([{ type: 'follow', leader: 3, leaderEpoch: 8 }])
    bench.take({ leader: 1, leaderEpoch: 9 })
    expect(bench.effects).toEqual([{ type: 'lead', leaderEpoch: 9 }])
  })

  test('what was cut is not committed either', () => {
    const bench = received(following(), 18)
    bench.step({ type: 'truncated', startOffset: 0, endOffset: 15 })
    expect(bench.highWatermark).toBe(15)
    bench.write(16)
    expect(received(bench, 16).highWatermark).toBe(16)
  })
})

describe('I-16: a leader that does not have the end of its follower', () => {
  const range = (startOffset: number, endOffset: number) =>
    ({ kind: 'outOfRange', startOffset, endOffset }) as const

  test('ends before: cut to its end', () => {
    expect(parted(following(), range(0, 12))).toEqual([{ type: 'truncate', offset: 12 }])
  })

  test('begins behind: begin there, and everything below counts as committed', () => {
    const bench = following()
    expect(parted(bench, range(30, 50))).toEqual([{ type: 'beginAt', offset: 30 }])
    bench.step({ type: 'truncated', startOffset: 30, endOffset: 30 })
    expect(bench.highWatermark).toBe(30)
  })

  test('has it by now: go on', () => {
    expect(parted(following(), range(5, 30))).toEqual([])
    expect(parted(following(), range(5, 20))).toEqual([])
  })
})

test('I-10: a role that is older than what is known changes nothing', () => {
  const bench = following()
  bench.take({ leader: 1, leaderEpoch: 9, partitionEpoch: 5 })
  expect([bench.effects, bench.replica.isLeader]).toEqual([[], false])
})

test('a follower answers no fetch and proposes nothing', () => {
  const bench = following().fetch(3, 20)
  expect([bench.effects, bench.replica.knowsFollower({ brokerId: 3, brokerEpoch: 30 })]).toEqual([
    [],
    false,
  ])
  expect(bench.pass(20).effects).toEqual([])
})

describe('a leader that hears nobody for 12 s (durability.md 1.6)', () => {
  const role = threeReplicas
  const silent = { controllerMs: 0, followerMs: () => 0 }
  const at = (nowMs: number, ledSinceMs = 0) => ({ nowMs, ledSinceMs })

  test('has to think that there is another', () => {
    expect(isCutOff(role, silent, at(12_000))).toBe(false)
    expect(isCutOff(role, silent, at(12_001))).toBe(true)
    const never = { controllerMs: -Infinity, followerMs: () => -Infinity }
    expect(isCutOff(role, never, at(12_001))).toBe(true)
  })

  test('need not where a controller or one follower in sync is heard, or it was elected lately', () => {
    expect(isCutOff(role, { ...silent, controllerMs: 9000 }, at(20_000))).toBe(false)
    const hears = (brokerId: number) => ({
      ...silent,
      followerMs: (id: number) => (id === brokerId ? 9000 : 0),
    })
    expect(isCutOff(role, hears(3), at(20_000))).toBe(false)
    expect(isCutOff({ ...role, isr: [1, 2] }, hears(3), at(20_000))).toBe(true)
    expect(isCutOff(role, silent, at(20_000, 9000))).toBe(false)
  })

  test('need not where nobody else could lead; who left while the set was small could (ELR)', () => {
    const alone = { ...role, isr: [1] }
    expect(isCutOff(alone, silent, at(20_000))).toBe(true)
    expect(isCutOff({ ...alone, minInsyncReplicas: 1 }, silent, at(1e9))).toBe(false)
    expect(isCutOff({ ...alone, replicas: [1] }, silent, at(1e9))).toBe(false)
  })
})
