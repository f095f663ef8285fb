import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReplicaBench, threeReplicas } from '../../../../test/helpers/replica-bench.ts'
import type { AlterWish } from './replica.ts'

/**
 * A leader among three with its followers and its controller, where answers are lost, come late, and no; and what may be
 * true at the worst: the committed set, and every set that may still be committed of what was asked for.
 */
class World {
  readonly bench: ReplicaBench
  end = 5
  /** What each follower told of its log in this epoch; nothing before its first fetch. */
  readonly told = new Map<number, number>()
  /** The in-sync set as the controller has it, and its partition epoch. */
  committed: readonly number[]
  partitionEpoch: number
  /** Wishes that were sent and may still arrive. */
  onTheWay: AlterWish[] = []
  lastHighWatermark = 0

  constructor(isr: readonly number[]) {
    this.bench = new ReplicaBench({ isr }, this.end)
    this.committed = isr
    this.partitionEpoch = this.bench.role.partitionEpoch
    this.check()
  }

  act(action: Action): void {
    switch (action.type) {
      case 'write':
        this.end += action.count
        this.bench.write(this.end)
        break
      case 'fetch': {
        const offset = Math.min(this.end, (this.told.get(action.id) ?? 0) + action.count)
        this.told.set(action.id, offset)
        this.bench.fetch(action.id, offset)
        break
      }
      case 'pass':
        this.bench.pass(action.seconds)
        break
      case 'elect':
        // The same leader, a new epoch, and a set that lost a member perhaps.
        this.committed = this.committed.filter(id => id === 1 || id !== action.without)
        this.told.clear()
        this.tellRecord({ leaderEpoch: this.bench.role.leaderEpoch + 1 })
        break
      case 'arrive':
        this.arrive(action.at, action.does)
        break
      case 'tell':
        // The record of what is committed reaches the leader.
        this.bench.take({ isr: this.committed, partitionEpoch: this.partitionEpoch })
        break
    }
    this.note()
    this.check()
  }

  /** A wish arrives at the controller, which decides by its own state; the answer reaches the leader or does not. */
  arrive(at: number, does: 'answers' | 'is silent' | 'refuses' | 'loses it'): void {
    const wish = this.onTheWay[at % Math.max(1, this.onTheWay.length)]
    if (wish === undefined) return
    // What is lost on the way may arrive later still; what arrives, arrives once.
    if (does === 'loses it') return void this.bench.answer({ kind: 'unknown' }, wish.partitionEpoch)
    this.onTheWay = this.onTheWay.filter(each => each !== wish)
    const answer = (error: string) =>
      this.bench.answer({ kind: 'rejected', error }, wish.partitionEpoch)
    if (wish.leaderEpoch !== this.bench.role.leaderEpoch) return void answer('FENCED_LEADER_EPOCH')
    if (wish.partitionEpoch !== this.partitionEpoch) return void answer('INVALID_UPDATE_VERSION')
    if (does === 'refuses') return void answer('INELIGIBLE_REPLICA')
    this.committed = wish.isr.map(({ brokerId }) => brokerId)
    this.partitionEpoch++
    const { leaderEpoch, isRecovering } = wish
    const state = {
      leaderEpoch,
      partitionEpoch: this.partitionEpoch,
      isr: this.committed,
      isRecovering,
    }
    const isTold = does === 'answers'
    this.bench.answer(
      isTold ? { kind: 'committed', ...state } : { kind: 'unknown' },
      wish.partitionEpoch,
    )
  }

  tellRecord(changes: { readonly leaderEpoch: number }): void {
    this.partitionEpoch++
    this.bench.take({ isr: this.committed, partitionEpoch: this.partitionEpoch, ...changes })
  }

  note(): void {
    for (const effect of this.bench.effects) if (effect.type === 'alter') this.onTheWay.push(effect)
  }

  check(): void {
    const { highWatermark, replica } = this.bench
    // I-6
    expect(highWatermark).toBeGreaterThanOrEqual(this.lastHighWatermark)
    if (highWatermark > this.lastHighWatermark) {
      // I-7, I-9: every member of the set that is committed, and of each that still may be, has what is committed.
      for (const isr of this.possible()) {
        for (const id of isr) {
          const end = id === 1 ? this.end : (this.told.get(id) ?? -1)
          expect({ id, end, isIn: end >= highWatermark }).toMatchObject({ isIn: true })
        }
      }
      expect(replica.role!.isr.length).toBeGreaterThanOrEqual(2)
    }
    this.lastHighWatermark = highWatermark
    // I-21
    for (const effect of this.bench.effects) {
      if (effect.type === 'alter') expect(effect.isr[0]?.brokerId).toBe(1)
    }
  }

  possible(): readonly (readonly number[])[] {
    const pending = this.onTheWay.filter(({ leaderEpoch, partitionEpoch }) => {
      const { role } = this.bench
      return leaderEpoch === role.leaderEpoch && partitionEpoch === this.partitionEpoch
    })
    return [this.committed, ...pending.map(({ isr }) => isr.map(({ brokerId }) => brokerId))]
  }
}

const id = fc.constantFrom(2, 3)
const action = fc.oneof(
  fc.record({ type: fc.constant('write' as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ type: fc.constant('fetch' as const), id, count: fc.integer({ min: 0, max: 8 }) }),
  fc.record({ type: fc.constant('fetch' as const), id, count: fc.constant(100) }),
  fc.record({ type: fc.constant('pass' as const), seconds: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ type: fc.constant('elect' as const), without: id }),
  fc.record({
    type: fc.constant('arrive' as const),
    at: fc.nat(5),
    does: fc.constantFrom(
      'answers' as const,
      'is silent' as const,
      'refuses' as const,
      'loses it' as const,
    ),
  }),
  fc.record({ type: fc.constant('tell' as const) }),
)
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never

test('whatever is lost, late or refused: nothing counts that a member of a set lacks that is, or may still be, committed (I-6, I-7, I-9)', () => {
  fc.assert(
    fc.property(
      fc.constantFrom([1], [1, 2], [1, 2, 3]),
      fc.array(action, { maxLength: 60 }),
      (isr, actions) => {
        const world = new World(isr)
        for (const each of actions) world.act(each)
      },
    ),
    { numRuns: 1500, seed: 11 },
  )
  expect(threeReplicas.minInsyncReplicas).toBe(2)
})
