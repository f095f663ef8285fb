import type { Logger } from '../broker/telemetry/logger.ts'
import type { Clock } from '../env/clock.ts'
import type { Random } from '../env/random.ts'
import type { Brokers } from './brokers/brokers.ts'
import type { Caches } from './caches.ts'
import type { KubernetesApi } from './kubernetes/api.ts'
import type { Events } from './kubernetes/events.ts'
import type { Nodes } from './node-watches.ts'

/** What a reconcile decides by and acts with. */
export interface Parts {
  readonly api: KubernetesApi
  readonly caches: Caches
  readonly events: Events
  readonly nodes: Nodes
  readonly brokers: Brokers
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Of this operator. */
  readonly version: string
  /** `repository:tag` of brokers whose LogCluster names no image. */
  readonly defaultImage: string
}
