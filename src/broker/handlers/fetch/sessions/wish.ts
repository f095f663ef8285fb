import type { Uuid } from '../../../../lib/uuid.ts'

/** What a reader asks of one partition. */
export interface Wish {
  /** The zero id where the request's version has names instead. */
  readonly topicId: Uuid
  /** Null where no topic has the id. */
  readonly topic: string | null
  readonly partition: number
  readonly fetchOffset: number
  readonly partitionMaxBytes: number
  readonly currentLeaderEpoch: number
  readonly lastFetchedEpoch: number
  /** Where a follower's own log begins, -1 where nobody tells. */
  readonly logStartOffset: number
}

/** What a look at a partition gave, as far as a session cares. */
export interface Outcome {
  /** `NONE`, or what was wrong. */
  readonly error: string
  readonly highWatermark: number
  readonly logStartOffset: number
  /** Up to where the reader may read for now. */
  readonly readableOffset: number
  /** Null where there is nothing to be had. */
  readonly range: { readonly length: number } | null
  readonly diverging: object | null
  /** There are records, which the reader is not given for now. */
  readonly isWithheld?: boolean
}

/** A wish that was looked at. */
export interface Looked<Of extends Wish = Wish> {
  readonly wish: Of
  readonly result: Outcome
}
