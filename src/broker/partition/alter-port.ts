import type { Uuid } from '../../lib/uuid.ts'
import type { AlterOutcome, AlterWish } from './replica/replica.ts'

/** The in-sync set that a leader wants, and of which partition. */
export interface PartitionAlterWish extends AlterWish {
  readonly topicId: Uuid
  readonly index: number
}

/** How leaders have in-sync sets changed: by the controller, wherever it is. */
export interface AlterPort {
  /** One outcome a wish, in their order. A rejection says as little as `unknown`. */
  alterPartitions(wishes: readonly PartitionAlterWish[]): Promise<readonly AlterOutcome[]>
}
