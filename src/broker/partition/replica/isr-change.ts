import type { AlterOutcome, AlterWish, IsrMember } from './events.ts'
import type { PartitionRole } from './role.ts'

/** A change of the in-sync set that the leader wants, from the proposal to what the metadata log says of it. */
interface Change {
  wish: AlterWish
  /**
   * `asked`: the answer is awaited. `again`: nobody said no for good, the next tick asks once more. `settling`: somebody
   * knows more than we do, and the metadata will tell.
   */
  state: 'asked' | 'again' | 'settling'
  askedMs: number
  /** An answer was lost: that proposal may have been committed, or may still arrive and be. */
  isDoubtful: boolean
}

/** The controller knows our state and says that it does not want this: the change is off. */
const refusals: ReadonlySet<string> = new Set(['INELIGIBLE_REPLICA', 'OPERATION_NOT_ATTEMPTED'])

/** The controller has another state than we know. */
const news: ReadonlySet<string> = new Set([
  'FENCED_LEADER_EPOCH',
  'INVALID_UPDATE_VERSION',
  'INVALID_REQUEST',
  'NEW_LEADER_ELECTED',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
])

/**
 * The in-sync set of a leader: what is committed, and the one change that is under way. To shrink is pessimistic, to
 * expand optimistic: until the metadata log has told, whoever is in either set counts (I-9, durability.md R7).
 */
export class IsrChange {
  #change: Change | null = null
  /** Brokers of proposals that may still be committed, and of the committed set. */
  #maximal: readonly number[] = []

  /** @internal */
  get state(): unknown {
    return [this.#change, this.#maximal]
  }

  get isUnderWay(): boolean {
    return this.#change !== null
  }

  /** Whoever is in sync, or may be as far as anybody knows. */
  get maximal(): readonly number[] {
    return this.#maximal
  }

  /** The metadata log has spoken: of a later state than any proposal was made for. */
  settle(isr: readonly number[]): void {
    this.#change = null
    this.#maximal = isr
  }

  /** What the controller is to be asked. */
  propose(role: PartitionRole, isr: readonly IsrMember[], nowMs: number): AlterWish {
    const { leaderEpoch, partitionEpoch } = role
    // Whoever leads with an open log has recovered it.
    const wish = { leaderEpoch, partitionEpoch, isr, isRecovering: false }
    this.#change = { wish, state: 'asked', askedMs: nowMs, isDoubtful: false }
    this.#maximal = union(role.isr, isr)
    return wish
  }

  /** What the controller is to be asked once more, if it is time; `patienceMs`: how long news may take. */
  askAgain(nowMs: number, patienceMs: number): AlterWish | null {
    const change = this.#change
    if (change === null || change.state === 'asked') return null
    if (change.state === 'settling' && nowMs - change.askedMs <= patienceMs) return null
    change.state = 'asked'
    change.askedMs = nowMs
    return change.wish
  }

  /**
   * What became of the proposal for `partitionEpoch`. True where it was committed; then `settle` comes next. Nothing is
   * ever rolled back because an answer was lost (I-10).
   */
  answered(role: PartitionRole, partitionEpoch: number, outcome: AlterOutcome): boolean {
    const change = this.#change
    if (change?.state !== 'asked' || change.wish.partitionEpoch !== partitionEpoch) return false
    switch (outcome.kind) {
      case 'committed':
        if (outcome.leaderEpoch !== role.leaderEpoch) change.state = 'settling'
        else if (outcome.partitionEpoch > role.partitionEpoch) return true
        else change.state = 'again'
        return false
      case 'unknown':
        change.isDoubtful = true
        change.state = 'again'
        return false
      case 'rejected':
        if (news.has(outcome.error)) change.state = 'settling'
        else if (!refusals.has(outcome.error)) change.state = 'again'
        else this.#refused(role, change)
        return false
    }
  }

  /**
   * The change is off, unless an earlier proposal of it may still arrive and be taken: then the committed set is proposed,
   * whose commit makes the partition epoch of that proposal a past one.
   */
  #refused(role: PartitionRole, change: Change): void {
    const mayStillGrow = change.isDoubtful && this.#maximal.length > role.isr.length
    if (!mayStillGrow) return this.settle(role.isr)
    const isr = change.wish.isr.filter(({ brokerId }) => role.isr.includes(brokerId))
    change.wish = { ...change.wish, isr }
    change.state = 'again'
  }
}

function union(ids: readonly number[], members: readonly IsrMember[]): readonly number[] {
  const added = members.flatMap(({ brokerId }) => (ids.includes(brokerId) ? [] : brokerId))
  return added.length === 0 ? ids : [...ids, ...added]
}
