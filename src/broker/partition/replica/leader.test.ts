import { describe, expect, test } from 'vitest'
import { ReplicaBench, threeReplicas } from '../../../../test/helpers/replica-bench.ts'

const lost = { kind: 'unknown' } as const
const rejected = (error: string) => ({ kind: 'rejected', error }) as const

describe('R5: a record is committed when every member of the maximal in-sync set has it', () => {
  test('the watermark is the smallest end of the set, and I-8: acks=all waits for it', () => {
    const bench = new ReplicaBench().write(10).await(1, 10)
    expect(bench.effects).toEqual([])
    bench.fetch(2, 10)
    expect(bench.highWatermark).toBe(0)
    bench.fetch(3, 6)
    expect(bench.highWatermark).toBe(6)
    bench.fetch(3, 10)
    expect(bench.effects).toEqual([
      { type: 'watermark', highWatermark: 10 },
      { type: 'committed', id: 1 },
    ])
  })

  test('only what was fetched in the present leader epoch counts', () => {
    const bench = new ReplicaBench().write(10).fetch(2, 10).fetch(3, 10)
    bench.take({ leaderEpoch: 8 }).write(12).fetch(3, 12)
    expect(bench.highWatermark).toBe(10)
    bench.fetch(2, 12)
    expect(bench.highWatermark).toBe(12)
  })

  test('I-7: nothing new is committed while the committed set is below min.insync.replicas', () => {
    const bench = new ReplicaBench({ isr: [1] }).write(5).fetch(2, 5)
    // Broker 2 is about to join: it counts for the watermark, and not yet for how many there are.
    expect([bench.asked, bench.highWatermark]).toEqual([[[1, 2]], 0])
    bench.commit([1, 2])
    expect(bench.highWatermark).toBe(5)
  })

  test('I-7: min.insync.replicas asks for no more than there are replicas', () => {
    const bench = new ReplicaBench({ replicas: [1], isr: [1], minInsyncReplicas: 2 }).write(3)
    expect([bench.replica.hasEnoughInsync, bench.highWatermark]).toEqual([true, 3])
  })

  test('I-7: who has nearly caught up is waited for, or it would run after the watermark for ever', () => {
    const bench = new ReplicaBench({ isr: [1, 2], brokers: without(3) }).write(10)
    bench.fetch(3, 10)
    // One that may not join is not waited for.
    bench.write(20).fetch(2, 20)
    expect(bench.highWatermark).toBe(20)
    const other = new ReplicaBench({ isr: [1, 2] }).write(10).fetch(2, 10)
    other.fetch(3, 10)
    other.answer(rejected('INELIGIBLE_REPLICA')).write(20).fetch(2, 20)
    expect(other.highWatermark).toBe(10)
    other.fetch(3, 20)
    expect(other.highWatermark).toBe(20)
  })

  test('I-6: the watermark does not fall within an epoch, nor where this replica leads on', () => {
    const bench = new ReplicaBench().write(10).fetch(2, 10).fetch(3, 10)
    // A follower that was cut, or lies.
    bench.fetch(2, 4)
    expect(bench.highWatermark).toBe(10)
    bench.take({ leaderEpoch: 8 })
    expect(bench.highWatermark).toBe(10)
  })

  test('of two acknowledgements that wait, the lower comes first, in whatever order they came', () => {
    const bench = new ReplicaBench().write(10).await(1, 10).await(2, 5).fetch(2, 10).fetch(3, 10)
    expect(bench.effects.slice(1)).toEqual([
      { type: 'committed', id: 2 },
      { type: 'committed', id: 1 },
    ])
  })
})

describe('R6: who may join the in-sync set', () => {
  const outside = () => new ReplicaBench({ isr: [1, 2] }, 10).fetch(2, 10)

  test('whoever has fetched up to the watermark and to the start of the epoch (I-18)', () => {
    const bench = outside().write(20).fetch(2, 14).fetch(3, 13)
    expect([bench.highWatermark, bench.asked]).toEqual([14, []])
    expect(bench.fetch(3, 14).asked).toEqual([[1, 2, 3]])
  })

  test('nobody below the start of the epoch, though the watermark be lower (R10, I-18)', () => {
    const bench = new ReplicaBench({ isr: [1, 2] }, 10)
    expect(bench.highWatermark).toBe(0)
    expect(bench.fetch(3, 9).asked).toEqual([])
    expect(bench.fetch(3, 10).asked).toEqual([[1, 2, 3]])
  })

  test('R10: a set that is too small to move the watermark still grows', () => {
    const bench = new ReplicaBench({ isr: [1] }, 10)
    expect([bench.replica.hasReachedEpoch, bench.fetch(2, 10).asked]).toEqual([false, [[1, 2]]])
    bench.commit([1, 2])
    expect([bench.replica.hasReachedEpoch, bench.highWatermark]).toEqual([true, 10])
  })

  test('nobody by what it fetched in an epoch before', () => {
    const bench = outside().fetch(3, 10)
    bench.answer(rejected('INELIGIBLE_REPLICA')).take({ leaderEpoch: 8 }).fetch(2, 10)
    expect(bench.pass(3).asked).toEqual([])
  })

  test('nobody who is fenced or shuts down (KIP-841); as soon as that is over, with the next tick', () => {
    const bench = outside().take({ brokers: without(3) })
    expect(bench.fetch(3, 10).asked).toEqual([])
    bench.take({ brokers: threeReplicas.brokers, partitionEpoch: bench.role.partitionEpoch })
    expect(bench.pass(1).asked).toEqual([[1, 2, 3]])
  })

  test('I-11: nobody by what an earlier start of it had (KIP-903)', () => {
    const bench = outside()
    const restarted = new Map(threeReplicas.brokers).set(3, { epoch: 31, isEligible: true })
    expect(bench.fetch(3, 10, 29).asked).toEqual([])
    expect(bench.replica.knowsFollower({ brokerId: 3, brokerEpoch: 29 })).toBe(false)
    expect(bench.replica.knowsFollower({ brokerId: 3, brokerEpoch: -1 })).toBe(false)
    bench.take({ brokers: restarted, partitionEpoch: bench.role.partitionEpoch })
    expect(bench.fetch(3, 10, 30).asked).toEqual([])
    expect(bench.pass(2).asked).toEqual([])
    expect(bench.fetch(3, 10, 31).asked).toEqual([[1, 2, 3]])
  })

  test('I-11: a fetch of an earlier start changes nothing of what the later one told', () => {
    const bench = outside().fetch(3, 10, 31).fetch(3, 4, 30)
    const restarted = new Map(threeReplicas.brokers).set(3, { epoch: 31, isEligible: true })
    bench.take({ brokers: restarted, partitionEpoch: bench.role.partitionEpoch })
    expect(bench.pass(1).asked).toEqual([[1, 2, 3]])
    expect(new ReplicaBench({ isr: [1, 2] }, 10).fetch(2, 10).fetch(3, 10, -1).asked).toEqual([])
  })

  test('nor by a later start than the one that is known to be registered', () => {
    const bench = outside()
    expect(bench.fetch(3, 10, 31).asked).toEqual([])
    const restarted = new Map(threeReplicas.brokers).set(3, { epoch: 31, isEligible: true })
    bench.take({ brokers: restarted, partitionEpoch: bench.role.partitionEpoch })
    expect(bench.pass(1).asked).toEqual([[1, 2, 3]])
  })

  test('with the epochs of the starts that are meant', () => {
    const bench = outside().fetch(3, 10)
    expect(bench.effects).toEqual([
      {
        type: 'alter',
        leaderEpoch: 7,
        partitionEpoch: 21,
        isr: [
          { brokerId: 1, brokerEpoch: 10 },
          { brokerId: 2, brokerEpoch: 20 },
          { brokerId: 3, brokerEpoch: 30 },
        ],
        isRecovering: false,
      },
    ])
  })

  test('nobody who was taken off and given back since: nothing is known of it', () => {
    const bench = outside()
      .fetch(3, 10)
      .take({ replicas: [1, 2] })
    bench.take({ replicas: [1, 2, 3] })
    expect(bench.pass(2).asked).toEqual([])
  })
})

describe('R7: a change of the in-sync set is asked for and not done', () => {
  test('I-9: who is to join counts at once for the watermark, and one change is under way at a time', () => {
    const bench = new ReplicaBench({ replicas: [1, 2, 3, 4], isr: [1, 2], brokers: four }, 10)
    bench.fetch(2, 10)
    expect(bench.fetch(3, 10).asked).toEqual([[1, 2, 3]])
    expect(bench.fetch(4, 10).asked).toEqual([])
    bench.write(12).fetch(2, 12).fetch(4, 12)
    expect([bench.replica.maximalIsr, bench.highWatermark]).toEqual([[1, 2, 3], 10])
    expect(bench.commit([1, 2, 3]).pass(1).asked).toEqual([[1, 2, 3, 4]])
  })

  test('I-9: who is to leave counts until it has', () => {
    const bench = new ReplicaBench().write(10).fetch(2, 10)
    bench.keepUp(2, 11)
    expect(bench.asked).toEqual([[1, 2]])
    expect(bench.highWatermark).toBe(0)
    bench.commit([1, 2])
    expect(bench.effects).toEqual([{ type: 'watermark', highWatermark: 10 }])
  })

  test('a lost answer rolls nothing back, and the same is asked again', () => {
    const bench = new ReplicaBench({ isr: [1, 2] }, 10).fetch(2, 10).fetch(3, 10)
    const [wish] = bench.effects
    bench.answer(lost).write(12).fetch(2, 12)
    expect(bench.highWatermark).toBe(10)
    expect(bench.pass(1).effects).toEqual([wish])
    // It had been committed the first time: the record tells.
    bench.answer(rejected('INVALID_UPDATE_VERSION')).take({ isr: [1, 2, 3] })
    expect([bench.replica.maximalIsr, bench.highWatermark]).toEqual([[1, 2, 3], 10])
    bench.fetch(3, 12)
    expect(bench.highWatermark).toBe(12)
  })

  test('a no rolls back (I-10), as long as no answer was lost', () => {
    const bench = new ReplicaBench({ isr: [1, 2] }, 10).fetch(2, 10).fetch(3, 10)
    bench.answer(rejected('INELIGIBLE_REPLICA'))
    expect(bench.replica.maximalIsr).toEqual([1, 2])
  })

  test('after a lost answer a no undoes nothing: the committed set is asked for, whose commit fences the lost wish', () => {
    const bench = new ReplicaBench({ isr: [1, 2] }, 10).fetch(2, 10).fetch(3, 10)
    bench.answer(lost).pass(1).answer(rejected('INELIGIBLE_REPLICA'))
    expect(bench.replica.maximalIsr).toEqual([1, 2, 3])
    expect(bench.pass(1).asked).toEqual([[1, 2]])
    // The controller has nothing to change, and says so: nothing is fenced by that.
    bench.answer({
      kind: 'committed',
      leaderEpoch: 7,
      partitionEpoch: 21,
      isr: [1, 2],
      isRecovering: false,
    })
    expect(bench.replica.maximalIsr).toEqual([1, 2, 3])
    bench.pass(1).answer(rejected('INELIGIBLE_REPLICA'))
    expect(bench.replica.maximalIsr).toEqual([1, 2, 3])
    bench.pass(1).commit([1, 2])
    expect(bench.replica.maximalIsr).toEqual([1, 2])
  })

  test.each(['FENCED_LEADER_EPOCH', 'INVALID_UPDATE_VERSION', 'UNKNOWN_TOPIC_OR_PARTITION'])(
    '%s says that there is news: it is waited for, and asked again when none comes',
    error => {
      const bench = new ReplicaBench({ isr: [1, 2] }, 10).fetch(2, 10).fetch(3, 10)
      bench.answer(rejected(error))
      expect([bench.pass(9).asked, bench.replica.maximalIsr]).toEqual([[], [1, 2, 3]])
      expect(bench.pass(3).asked).toEqual([[1, 2, 3]])
      bench.take({ isr: [1, 2] })
      expect(bench.replica.maximalIsr).toEqual([1, 2])
    },
  )

  test('an answer that the controller is another one is asked again', () => {
    const bench = new ReplicaBench({ isr: [1, 2] }, 10).fetch(2, 10).fetch(3, 10)
    bench.answer(rejected('NOT_CONTROLLER'))
    expect([bench.replica.maximalIsr, bench.pass(1).asked]).toEqual([[1, 2, 3], [[1, 2, 3]]])
  })

  test('what is answered to a wish of a state that is over changes nothing', () => {
    const bench = new ReplicaBench({ isr: [1, 2] }, 10).fetch(2, 10).fetch(3, 10)
    bench.take({ isr: [1, 3] })
    bench.answer(
      { kind: 'committed', leaderEpoch: 7, partitionEpoch: 99, isr: [1], isRecovering: false },
      21,
    )
    expect(bench.replica.role?.isr).toEqual([1, 3])
    bench.fetch(2, 10)
    bench.answer({
      kind: 'committed',
      leaderEpoch: 8,
      partitionEpoch: 30,
      isr: [1],
      isRecovering: false,
    })
    expect(bench.replica.role?.isr).toEqual([1, 3])
  })

  test('the record and the answer tell the same, whichever is first', () => {
    const bench = new ReplicaBench({ isr: [1, 2] }, 10).fetch(2, 10).fetch(3, 10).commit([1, 2, 3])
    bench.step({ type: 'role', role: bench.role, nowMs: bench.nowMs })
    expect(bench.replica.role).toMatchObject({ isr: [1, 2, 3], partitionEpoch: 22 })
    expect(bench.replica.maximalIsr).toEqual([1, 2, 3])
  })

  test('what the record tells beside the answer is taken, too: a reassignment may have ended with it', () => {
    const bench = new ReplicaBench({ isr: [1, 2] }, 10).fetch(2, 10).fetch(3, 10).commit([1, 3])
    const { partitionEpoch } = bench.role
    bench
      .take({ replicas: [1, 3], isr: [1, 3], partitionEpoch })
      .write(12)
      .fetch(3, 12)
    expect([bench.replica.role?.replicas, bench.highWatermark]).toEqual([[1, 3], 12])
    expect(bench.replica.knowsFollower({ brokerId: 2, brokerEpoch: 20 })).toBe(false)
  })

  test('a leader of no certain copy says that it serves (KIP-704)', () => {
    const bench = new ReplicaBench({ isr: [1], isRecovering: true }, 10)
    expect(bench.pass(1).effects).toMatchObject([{ type: 'alter', isRecovering: false }])
    bench.commit([1])
    expect(bench.replica.role?.isRecovering).toBe(false)
    expect(bench.pass(3).effects).toEqual([])
  })
})

describe('R11: what acks=all waits for', () => {
  test('I-8: is refused where the set became too small, at once, and its record stays', () => {
    const bench = new ReplicaBench().write(10).await(4, 10)
    bench.take({ isr: [1] })
    expect(bench.effects).toEqual([
      { type: 'refused', id: 4, error: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND' },
    ])
    expect(bench.await(5, 10).effects).toEqual([
      { type: 'refused', id: 5, error: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND' },
    ])
    expect(bench.replica.hasEnoughInsync).toBe(false)
  })

  test('is not refused while the change that makes the set large enough is under way', () => {
    const bench = new ReplicaBench({ isr: [1] }, 10).fetch(2, 10).await(4, 10)
    expect(bench.effects).toEqual([])
    expect(bench.commit([1, 2]).effects).toContainEqual({ type: 'committed', id: 4 })
  })

  test('is not answered in another leader epoch, though this replica leads on', () => {
    const bench = new ReplicaBench().write(10).await(4, 10).take({ leaderEpoch: 8 })
    expect(bench.effects).toEqual([
      { type: 'lead', leaderEpoch: 8 },
      { type: 'refused', id: 4, error: 'NOT_LEADER_OR_FOLLOWER' },
    ])
    bench.fetch(2, 10).fetch(3, 10)
    expect(bench.effects).toEqual([{ type: 'watermark', highWatermark: 10 }])
  })

  test('is not answered by who leads no longer', () => {
    const bench = new ReplicaBench().write(10).await(4, 10).take({ leader: 2, leaderEpoch: 8 })
    expect(bench.effects).toContainEqual({
      type: 'refused',
      id: 4,
      error: 'NOT_LEADER_OR_FOLLOWER',
    })
  })
})

test('a log that is opened once more, and is shorter, has less that is committed', () => {
  const bench = new ReplicaBench({ replicas: [1], isr: [1] }, 10)
  bench.step({ type: 'opened', startOffset: 2, endOffset: 6 })
  expect(bench.highWatermark).toBe(6)
})

describe('R10: a new leader', () => {
  test('does not know where readers end before its watermark has reached the start of its epoch', () => {
    const bench = new ReplicaBench({}, 10)
    expect(bench.replica.hasReachedEpoch).toBe(false)
    bench.fetch(2, 10).fetch(3, 9)
    expect([bench.replica.hasReachedEpoch, bench.highWatermark]).toEqual([false, 9])
    bench.fetch(3, 10)
    expect(bench.replica.hasReachedEpoch).toBe(true)
    // Of what is written in the epoch itself nobody was told.
    bench.write(20)
    expect(bench.replica.hasReachedEpoch).toBe(true)
  })

  test('that is alone knows at once', () => {
    expect(new ReplicaBench({ replicas: [1], isr: [1] }, 10).replica.hasReachedEpoch).toBe(true)
  })
})

test('I-28: the low watermark is the lowest start of those that live', () => {
  const bench = new ReplicaBench().write(10)
  const fetch = { brokerEpoch: 20, fetchOffset: 10, nowMs: 1000 }
  expect(bench.replica.lowWatermark(5)).toBe(-1)
  bench.step({ type: 'fetched', ...fetch, brokerId: 2, logStartOffset: 4 })
  bench.step({ type: 'fetched', ...fetch, brokerId: 3, brokerEpoch: 30, logStartOffset: 3 })
  expect(bench.replica.lowWatermark(5)).toBe(3)
  bench.take({ brokers: without(3) })
  expect(bench.replica.lowWatermark(5)).toBe(4)
})

const four = new Map(threeReplicas.brokers).set(4, { epoch: 40, isEligible: true })

/** The brokers, of which `id` is fenced. */
function without(id: number) {
  return new Map(threeReplicas.brokers).set(id, { epoch: id * 10, isEligible: false })
}
