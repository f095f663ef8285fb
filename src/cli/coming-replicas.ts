import type { WireClient } from '../broker/wire/client/client.ts'
import { listPartitionReassignments } from '../broker/wire/messages/index.ts'

/** By topic and partition: how many replicas a reassignment is bringing. Until it is complete they do not count (durability.md R14). */
export type ComingReplicas = ReadonlyMap<string, ReadonlyMap<number, number>>

/** @throws WireClientError */
export async function comingReplicas(client: WireClient): Promise<ComingReplicas> {
  const { topics } = await client.request(listPartitionReassignments, {
    timeoutMs: 5_000,
    topics: null,
  })
  return new Map(
    topics.map(({ name, partitions }) => [
      name,
      new Map(
        partitions.map(({ partitionIndex, addingReplicas }) => {
          return [partitionIndex, addingReplicas.length]
        }),
      ),
    ]),
  )
}
