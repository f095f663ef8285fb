import type { MetadataImage } from '../metadata/image.ts'
import type { OpenedCluster } from './peer-service.ts'

/** `cluster` with an image that is not published yet. */
export function openedView(cluster: OpenedCluster, image: MetadataImage): OpenedCluster {
  const { brokerId, peerService } = cluster
  return {
    image,
    brokerId,
    peerService,
    get registration() {
      return cluster.registration
    },
    get controllerHeardMs() {
      return cluster.controllerHeardMs
    },
    onImage: listener => cluster.onImage(listener),
    alterPartitions: changes => cluster.alterPartitions(changes),
    ask: (command, timeoutMs) => cluster.ask(command, timeoutMs),
  }
}
