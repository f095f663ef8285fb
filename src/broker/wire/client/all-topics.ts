import { type Uuid, zeroUuid } from '../../../lib/uuid.ts'
import { metadata, type MetadataResponse } from '../messages/index.ts'
import type { WireClient } from './client.ts'

/** All brokers, and every topic with its partitions, as the broker behind `client` knows them; nothing is created by it. @throws WireClientError */
export function allMetadata(client: WireClient): Promise<MetadataResponse> {
  return metadataOf(client, null)
}

/** As `allMetadata`, of the topics of these names; null: of all. */
export function metadataOf(
  client: WireClient,
  names: readonly string[] | null,
): Promise<MetadataResponse> {
  return client.request(metadata, {
    topics: names?.map(name => ({ name, topicId: zeroUuid })) ?? null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
}

/** The ids that topics have now, by their names. @throws WireClientError */
export async function topicIds(client: WireClient): Promise<ReadonlyMap<string, Uuid>> {
  const { topics } = await allMetadata(client)
  return new Map(topics.map(({ name, topicId }) => [name ?? '', topicId]))
}
