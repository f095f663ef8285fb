import { assert } from '../../../lib/assert.ts'

/** What the metadata log says of a partition, as far as its replicas need it. */
export interface PartitionRole {
  readonly leader: number
  /** +1 on each election. */
  readonly leaderEpoch: number
  /** +1 on every change of the partition's metadata. */
  readonly partitionEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Copies that an acks=all record needs before it counts. */
  readonly minInsyncReplicas: number
}

export type ReplicaEvent =
  /** The metadata log told a role; older partition epochs are ignored (I-10). */
  | { readonly type: 'role'; readonly role: PartitionRole }
  /** The local log ends at `endOffset`, in the sense of the flush policy. */
  | { readonly type: 'written'; readonly endOffset: number }
  /** Somebody waits until everything below `offset` is committed. */
  | { readonly type: 'await'; readonly id: number; readonly offset: number }
  /** He does not wait any longer. */
  | { readonly type: 'forget'; readonly id: number }

export type ReplicaEffect =
  /** We lead from here on: the log notes the epoch at its end, data or not (I-14). */
  | { readonly type: 'lead'; readonly leaderEpoch: number }
  | { readonly type: 'follow'; readonly leader: number; readonly leaderEpoch: number }
  | { readonly type: 'watermark'; readonly highWatermark: number }
  | { readonly type: 'committed'; readonly id: number }
  | { readonly type: 'refused'; readonly id: number; readonly error: RefusalName }

type RefusalName =
  | 'NOT_LEADER_OR_FOLLOWER'
  | 'NOT_ENOUGH_REPLICAS'
  | 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'

/**
 * One replica of one partition as a state machine: events in, effects out, nothing else touched.
 * The watermark rule is KIP-966's, and the in-sync set, so far, the broker itself.
 */
export class Replica {
  readonly #brokerId: number
  #role: PartitionRole | null = null
  /** The local log ends here. */
  #endOffset = 0
  /** Everything below is committed and visible to consumers. Never falls within an epoch (I-6). */
  #highWatermark = 0
  /** Who waits for which offset; small, and in arrival order. */
  readonly #waiting = new Map<number, number>()
  #effects: ReplicaEffect[] = []

  constructor(brokerId: number) {
    this.#brokerId = brokerId
  }

  get role(): PartitionRole | null {
    return this.#role
  }

  get isLeader(): boolean {
    return this.#role?.leader === this.#brokerId
  }

  get highWatermark(): number {
    return this.#highWatermark
  }

  /** Whether an acks=all append may begin: the in-sync set is large enough (I-8). */
  get hasEnoughInsync(): boolean {
    const role = this.#role
    return role !== null && role.isr.length >= insyncNeeded(role)
  }

  step(event: ReplicaEvent): ReplicaEffect[] {
    switch (event.type) {
      case 'role':
        this.#take(event.role)
        break
      case 'written':
        assert(event.endOffset >= this.#endOffset, 'a log grows while its replica lives')
        this.#endOffset = event.endOffset
        break
      case 'await':
        this.#await(event.id, event.offset)
        break
      case 'forget':
        this.#waiting.delete(event.id)
        break
    }
    this.#moveWatermark()
    return this.#takeEffects()
  }

  #take(role: PartitionRole): void {
    const before = this.#role
    if (before !== null && role.partitionEpoch <= before.partitionEpoch) {
      // Configs change without a new partition epoch.
      if (role.partitionEpoch === before.partitionEpoch) {
        this.#role = { ...before, minInsyncReplicas: role.minInsyncReplicas }
      }
      return
    }
    this.#role = role
    if (before !== null && before.leader === role.leader && before.leaderEpoch === role.leaderEpoch)
      return
    if (role.leader === this.#brokerId) {
      this.#effects.push({ type: 'lead', leaderEpoch: role.leaderEpoch })
      return
    }
    this.#effects.push({ type: 'follow', leader: role.leader, leaderEpoch: role.leaderEpoch })
    for (const id of this.#waiting.keys()) {
      this.#effects.push({ type: 'refused', id, error: 'NOT_LEADER_OR_FOLLOWER' })
    }
    this.#waiting.clear()
  }

  #await(id: number, offset: number): void {
    if (!this.isLeader) {
      this.#effects.push({ type: 'refused', id, error: 'NOT_LEADER_OR_FOLLOWER' })
    } else if (!this.hasEnoughInsync) {
      this.#effects.push({ type: 'refused', id, error: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND' })
    } else if (this.#highWatermark >= offset) {
      this.#effects.push({ type: 'committed', id })
    } else {
      this.#waiting.set(id, offset)
    }
  }

  /** The watermark is the smallest end of the in-sync set, and stands while that set is too small (I-7). */
  #moveWatermark(): void {
    const role = this.#role
    if (role === null || !this.isLeader || !this.hasEnoughInsync) return
    assert(
      role.isr.length === 1 && role.isr[0] === this.#brokerId,
      'this build knows an in-sync set of one, the leader',
    )
    if (this.#endOffset <= this.#highWatermark) return
    this.#highWatermark = this.#endOffset
    this.#effects.push({ type: 'watermark', highWatermark: this.#highWatermark })
    for (const [id, offset] of this.#waiting) {
      if (offset > this.#highWatermark) continue
      this.#waiting.delete(id)
      this.#effects.push({ type: 'committed', id })
    }
  }

  #takeEffects(): ReplicaEffect[] {
    const effects = this.#effects
    if (effects.length > 0) this.#effects = []
    return effects
  }
}

/** A replication factor below min.insync.replicas does not make a topic unwritable. */
function insyncNeeded(role: PartitionRole): number {
  return Math.min(role.minInsyncReplicas, role.replicas.length)
}
