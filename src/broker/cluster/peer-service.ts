import type { MetadataImage } from '../metadata/image.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import type { FetchMetadataRequest, FetchMetadataResponse } from '../wire/private/index.ts'
import type { Answer, Command } from './controller/commands.ts'
import type { ControllerClaim } from './controller-link.ts'
import type { Office } from './office.ts'
import type { PartitionChange, PartitionChangeOutcome } from './partition-changes.ts'

/** What a broker does for the others of its cluster: behind the handlers of what brokers say to each other. */
export interface PeerService {
  readonly brokerId: number
  /** null while this broker is not the controller. */
  readonly office: Office | null
  readonly image: MetadataImage
  /** Who is the controller, as far as is known here. */
  readonly claim: ControllerClaim
  /** What another broker believes. */
  heard(claim: ControllerClaim): void
  /** null while this broker is no part of the cluster yet. */
  fetchMetadata(
    request: FetchMetadataRequest,
    onEarlier: (end: () => void) => void,
  ): Promise<FetchMetadataResponse> | null
}

/** A cluster of which this broker knows the image, and in which it is not registered yet. */
export interface OpenedCluster {
  readonly image: MetadataImage
  readonly brokerId: number
  /** Epochs: of the last start before this one, null where there was none; and of this one, once it is registered. */
  readonly registration: { readonly before: number | null; readonly now: number }
  readonly controllerHeardMs: number
  readonly peerService: PeerService
  /** As `Cluster.onImage`: every image after the present one. */
  onImage(listener: ImageListener): () => void
  alterPartitions(changes: readonly PartitionChange[]): Promise<PartitionChangeOutcome[]>
  /** As `Cluster.ask`. */
  ask(command: Command, timeoutMs?: number): Promise<Answer>
}

export type ImageListener = (image: MetadataImage, records: readonly MetadataRecord[]) => void
