import { electionKinds, electionsIn, mayHaveLost } from './cluster/election-kind.ts'
import type { BegunCluster } from './cluster/options.ts'
import type { MetadataImage } from './metadata/image.ts'
import type { MetadataRecord } from './metadata/records.ts'
import type { ClusterNumbers, ClusterState } from './telemetry/sources.ts'

type Watched = Pick<BegunCluster, 'brokerId' | 'controllerId' | 'image' | 'office' | 'onImage'>

/** Counts what this broker decides as the controller, from the records that it committed since the cluster began. */
export class ClusterCounts {
  readonly #cluster: Watched
  #image: MetadataImage
  #terms = 0
  readonly #elections = new Map<string, number>(electionKinds.map(kind => [kind, 0]))
  readonly #possibleLosses = new Map<string, number>()
  /** Of the image that it was counted of: a scrape of a cluster at rest counts nothing. */
  #known: { readonly image: MetadataImage; readonly state: ClusterState } | null = null

  constructor(cluster: Watched) {
    this.#cluster = cluster
    this.#image = cluster.image
    cluster.onImage((image, records) => this.#follow(image, records))
  }

  /** As they are now. */
  get numbers(): ClusterNumbers {
    const { controllerId, image, office } = this.#cluster
    const isController = office?.mayAppend === true
    return {
      isController,
      controllerId,
      controllerEpoch: image.controllerEpoch,
      appliedSequence: image.sequence,
      terms: this.#terms,
      elections: this.#elections,
      possibleLosses: this.#possibleLosses,
      state: isController || image.brokers.size <= 1 ? this.#stateOf(image) : null,
    }
  }

  #follow(image: MetadataImage, records: readonly MetadataRecord[]): void {
    const before = this.#image
    this.#image = image
    const { brokerId } = this.#cluster
    for (const record of records) {
      if (record.type === 'epochClaimed' && record.brokerId === brokerId) this.#terms++
    }
    if (image.controllerId !== brokerId) return
    for (const { topic, kind } of electionsIn(before, records)) {
      this.#elections.set(kind, this.#elections.get(kind)! + 1)
      if (!mayHaveLost(kind)) continue
      this.#possibleLosses.set(topic, (this.#possibleLosses.get(topic) ?? 0) + 1)
    }
  }

  #stateOf(image: MetadataImage): ClusterState {
    if (this.#known?.image !== image) this.#known = { image, state: clusterState(image) }
    return this.#known.state
  }
}

/** A look at every partition. */
function clusterState(image: MetadataImage): ClusterState {
  const partitionCounts = new Map<string, number>()
  const sum = {
    partitions: 0,
    leaderless: 0,
    recovering: 0,
    notPreferred: 0,
    reassigning: 0,
  }
  for (const { name, partitions } of image.topics()) {
    partitionCounts.set(name, partitions.length)
    sum.partitions += partitions.length
    for (const each of partitions) {
      const { leader, replicas, isRecovering, addingReplicas, removingReplicas } = each
      if (leader < 0) sum.leaderless++
      else if (leader !== replicas[0]) sum.notPreferred++
      if (isRecovering) sum.recovering++
      if (addingReplicas.length + removingReplicas.length > 0) sum.reassigning++
    }
  }
  const brokers = Array.from(
    image.brokers.values(),
    ({ id, isFenced, isShuttingDown, directoryId }) => {
      return { id, isFenced, isShuttingDown, hasFailedDirectory: image.isFailed(directoryId) }
    },
  )
  return {
    ...sum,
    topics: partitionCounts.size,
    partitionCounts,
    endSequence: image.sequence,
    isQuarantined: image.quarantine !== null,
    brokers,
  }
}
