import type { FetchRequest } from '../../wire/messages/index.ts'
import type { RequestContext } from '../handler.ts'

/** A fetch as it came, and the broker that asks; null where a consumer does. */
export interface Fetching {
  readonly request: FetchRequest
  readonly context: RequestContext
  readonly follower: Follower | null
}

/** A broker that follows, as its fetches name it. */
export interface Follower {
  readonly brokerId: number
  /** Of the start that asks, -1 where the version does not tell it (before v15, KIP-903). */
  readonly brokerEpoch: number
}

/** The broker that asks, or who says that he is one; null where a consumer does. Since v15 in a place of its own. */
export function followerOf({
  replicaId,
  replicaState,
}: Pick<FetchRequest, 'replicaId' | 'replicaState'>): Follower | null {
  if (replicaState.replicaId >= 0) {
    return { brokerId: replicaState.replicaId, brokerEpoch: replicaState.replicaEpoch }
  }
  return replicaId >= 0 ? { brokerId: replicaId, brokerEpoch: -1 } : null
}
