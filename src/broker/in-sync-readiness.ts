import type { BrokerImage, MetadataImage } from './metadata/image.ts'
import { isActive } from './metadata/replicas.ts'
import { isBehind } from './metadata/restart-risk.ts'

/** A partition of the metadata. */
interface Place {
  readonly topic: string
  readonly index: number
}

/**
 * Ready means in sync (kubernetes: a PodDisruptionBudget knows of a broker nothing but whether it is ready).
 *
 * Among other brokers one is ready once it was, since it was fenced last, in every in-sync set that it has a place in: that of each
 * partition with a leader that has it as a replica, but for those that a reassignment is only bringing to it. From then on it stays
 * ready until it is fenced or goes: a follower that has one slow minute is no reason to take it from its clients, and a disruption
 * that would do harm is told by the risk of a restart (`restartRisks`). The only broker of a cluster has nobody to be in sync with.
 */
export class InSyncReadiness {
  readonly #brokerId: number
  /** Of this start; -1 before it is registered. */
  readonly #epoch: () => number
  #wasInSync = false
  /** What was found missing last, so that most looks at a new image are at one partition. */
  #missing: Place | null = null

  constructor(brokerId: number, epoch: () => number) {
    this.#brokerId = brokerId
    this.#epoch = epoch
  }

  /** To be called with each image. */
  take(image: MetadataImage): void {
    const own = this.#own(image)
    if (own === null) {
      this.#wasInSync = false
      this.#missing = null
      return
    }
    if (this.#wasInSync || this.#isStillMissing(image, own)) return
    this.#missing = firstBehind(image, own)
    this.#wasInSync = this.#missing === null
  }

  /** Why the broker is not ready, as a sentence; null where it is. */
  reason(image: MetadataImage): string | null {
    if (this.#wasInSync || isAlone(image, this.#brokerId)) return null
    const own = this.#own(image)
    if (own === null) {
      return `The controller does not count on broker ${this.#brokerId} yet: it is fenced, or going.`
    }
    const { count, first } = behindOf(image, own)
    return `Broker ${this.#brokerId} is not back in sync yet: partitions left ${count}, first ${first}.`
  }

  /** This start of this broker, where it may lead and be in sync. */
  #own(image: MetadataImage): BrokerImage | null {
    const own = image.brokers.get(this.#brokerId)
    return isActive(own) && own.epoch === this.#epoch() ? own : null
  }

  #isStillMissing(image: MetadataImage, own: BrokerImage): boolean {
    const { topic = '', index = -1 } = this.#missing ?? {}
    const partition = image.topicByName(topic)?.partitions[index]
    return partition !== undefined && isBehind(partition, own)
  }
}

function isAlone({ brokers }: MetadataImage, brokerId: number): boolean {
  return brokers.size === 1 && brokers.has(brokerId)
}

function firstBehind(image: MetadataImage, own: BrokerImage): Place | null {
  for (const { name, partitions } of image.topics()) {
    const found = partitions.find(partition => isBehind(partition, own))
    if (found !== undefined) return { topic: name, index: found.index }
  }
  return null
}

function behindOf(image: MetadataImage, own: BrokerImage): { count: number; first: string } {
  let count = 0
  let first = ''
  for (const { name, partitions } of image.topics()) {
    for (const partition of partitions) {
      if (!isBehind(partition, own)) continue
      if (count++ === 0) first = `${name}-${partition.index}`
    }
  }
  return { count, first }
}
