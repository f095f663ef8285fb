import type { WireClient } from '../wire/client/client.ts'
import { errorName } from '../wire/errors.ts'
import { listOffsets } from '../wire/messages/index.ts'
import type { Whose } from './fetcher-state.ts'

/** Where a leader's log begins and ends. */
export interface LeaderRange {
  readonly startOffset: number
  readonly endOffset: number
}

/** Timestamps of ListOffsets that ask for a place. */
const atStart = -2
const atEnd = -1

/**
 * Asks the leader, as a replica, for the ranges of the logs that do not have what was asked of them (I-16). One that it
 * does not tell, because of an error, is absent. Rejects as `WireClient.request` does.
 */
export async function leaderRanges(
  client: WireClient,
  asking: { readonly replicaId: number; readonly timeoutMs: number },
  asked: readonly Whose[],
): Promise<ReadonlyMap<Whose, LeaderRange>> {
  const [starts, ends] = await Promise.all([
    offsetsAt(atStart, { ...asking, client, asked }),
    offsetsAt(atEnd, { ...asking, client, asked }),
  ])
  const ranges = new Map<Whose, LeaderRange>()
  for (const each of asked) {
    const startOffset = starts.get(nameOf(each))
    const endOffset = ends.get(nameOf(each))
    if (startOffset === undefined || endOffset === undefined) continue
    ranges.set(each, { startOffset, endOffset })
  }
  return ranges
}

interface Asking {
  readonly client: WireClient
  readonly replicaId: number
  readonly timeoutMs: number
  readonly asked: readonly Whose[]
}

/** By `nameOf`. */
async function offsetsAt(
  timestamp: number,
  { client, replicaId, timeoutMs, asked }: Asking,
): Promise<ReadonlyMap<string, number>> {
  const topics = Map.groupBy(asked, ({ followed }) => followed.partition.id.topic)
  const request = {
    replicaId,
    isolationLevel: 0,
    timeoutMs: 0,
    topics: Array.from(topics, ([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ followed, leaderEpoch }) => ({
        partitionIndex: followed.row.partition,
        currentLeaderEpoch: leaderEpoch,
        timestamp,
      })),
    })),
  }
  const answer = await client.request(listOffsets, request, { timeoutMs })
  const offsets = new Map<string, number>()
  for (const { name, partitions } of answer.topics) {
    for (const { partitionIndex, errorCode, offset } of partitions) {
      if (errorName(errorCode) === 'NONE') offsets.set(`${name}-${partitionIndex}`, offset)
    }
  }
  return offsets
}

function nameOf({ followed }: Whose): string {
  const { topic, partition } = followed.partition.id
  return `${topic}-${partition}`
}
