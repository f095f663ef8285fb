import type { Cluster } from '../cluster/cluster.ts'
import type { TopicImage } from '../metadata/image.ts'
import { offsetsTopicName } from '../../lib/topic-name.ts'

/** Which partition keeps a group: Java's hash of its id, as every Kafka tool computes it. */
export function partitionOf(groupId: string, partitionCount: number): number {
  let hash = 0
  for (let at = 0; at < groupId.length; at++)
    hash = (Math.imul(hash, 31) + groupId.charCodeAt(at)) | 0
  // `Utils.abs`: -2^31 has no positive counterpart, and counts as 0.
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % partitionCount
}

/** Whoever looks for a coordinator is told within this time that there is none, and asks again. */
const creationTimeoutMs = 5_000

export interface OffsetsTopicOptions {
  readonly cluster: Cluster
  /** Resolves when the logs of created topics are open. */
  readonly settled: () => Promise<void>
}

/** The topic of groups and offsets, made when the first group looks for its coordinator. */
export class OffsetsTopic {
  readonly #options: OffsetsTopicOptions
  #creation: Promise<string | null> | null = null

  constructor(options: OffsetsTopicOptions) {
    this.#options = options
  }

  get image(): TopicImage | undefined {
    return this.#options.cluster.image.topicByName(offsetsTopicName)
  }

  /** Makes the topic where it is missing; several calls make one. Resolves with what is wrong, null where nothing is. */
  async ensure(): Promise<string | null> {
    if (this.image === undefined) {
      this.#creation ??= this.#create().finally(() => (this.#creation = null))
      return this.#creation
    }
    return null
  }

  async #create(): Promise<string | null> {
    const { cluster, settled } = this.#options
    const counts = { partitionCount: -1, replicationFactor: -1 }
    const wish = { name: offsetsTopicName, ...counts, assignments: [], configs: [] }
    const [result] = await cluster.createTopics([wish], false, creationTimeoutMs)
    await settled()
    if (result?.error === 'NONE' || result?.error === 'TOPIC_ALREADY_EXISTS') return null
    return result?.message ?? result?.error ?? 'no answer'
  }
}
