import type { Uuid } from '../../lib/uuid.ts'
import type { Draft } from '../wire/field.ts'
import type { fetch } from '../wire/messages/index.ts'
import type { Followed } from './followed.ts'

/** The version of Fetch that followers speak: ids of topics, and the epoch of the follower's registration (KIP-903). */
export const fetchVersion = 17

/** What the settings say of a follower's fetches. */
export interface FetchSizes {
  /** `replica.fetch.wait.max.ms` */
  readonly waitMsMax: number
  /** `replica.fetch.min.bytes` */
  readonly bytesMin: number
  /** `replica.fetch.max.bytes`, of one partition. */
  readonly partitionBytesMax: number
  /** `replica.fetch.response.max.bytes` */
  readonly answerBytesMax: number
  /** `replica.fetch.backoff.ms` */
  readonly backoffMs: number
}

export type FetchDraft = Draft<typeof fetch.request>

interface Asking {
  readonly replica: { readonly replicaId: number; readonly replicaEpoch: number }
  readonly sizes: FetchSizes
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly asked: readonly Followed[]
  readonly forgotten: readonly Followed[]
}

/** The request that asks for `asked`, in their order: a topic stands there as often as its partitions do not follow one another. */
export function fetchRequest(asking: Asking): FetchDraft {
  const { sizes, asked, forgotten, sessionId, sessionEpoch } = asking
  return {
    replicaState: asking.replica,
    maxWaitMs: sizes.waitMsMax,
    minBytes: sizes.bytesMin,
    maxBytes: sizes.answerBytesMax,
    isolationLevel: 0,
    sessionId,
    sessionEpoch,
    topics: byTopic(asked, ({ row }) => row),
    forgottenTopicsData: byTopic(forgotten, ({ row }) => row.partition),
    rackId: '',
  }
}

interface OfTopic<Row> {
  /** In versions before ids. */
  topic: ''
  topicId: Uuid
  partitions: Row[]
}

function byTopic<Row>(
  all: readonly Followed[],
  rowOf: (followed: Followed) => Row,
): OfTopic<Row>[] {
  const topics: OfTopic<Row>[] = []
  for (const followed of all) {
    const { topicId } = followed.partition.id
    const last = topics.at(-1)
    if (last?.topicId === topicId) last.partitions.push(rowOf(followed))
    else topics.push({ topic: '', topicId, partitions: [rowOf(followed)] })
  }
  return topics
}
