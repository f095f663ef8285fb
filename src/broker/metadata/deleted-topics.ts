import type { Uuid } from '../../lib/uuid.ts'

/** Ids that are remembered: what a snapshot holds of them stays below 60 KiB. @internal */
export const deletedTopicCountMax = 2_000

/**
 * The topics that were deleted last, so that a broker which was away meanwhile, and starts from a snapshot, can tell a
 * topic that was deleted from one that its metadata does not know (durability.md 1.7). Immutable.
 */
export class DeletedTopics {
  static readonly none = new DeletedTopics([])

  /** The latest last, each once; at most `deletedTopicCountMax`. */
  readonly ids: readonly Uuid[]
  #lookUp: ReadonlySet<Uuid> | null = null

  private constructor(ids: readonly Uuid[]) {
    this.ids = ids
  }

  has(id: Uuid): boolean {
    this.#lookUp ??= new Set(this.ids)
    return this.#lookUp.has(id)
  }

  /** `ids` were deleted too, in this order. What is too many is forgotten, the oldest first. */
  with(ids: readonly Uuid[]): DeletedTopics {
    return new DeletedTopics([...this.ids, ...ids].slice(-deletedTopicCountMax))
  }
}
