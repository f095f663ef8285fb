import type { Clock } from '../../env/clock.ts'
import { BrokerError } from '../brokers/broker-error.ts'
import type { BrokerAccess, Brokers, ClusterPlaces } from '../brokers/brokers.ts'
import { internalTopicNames } from '../../lib/topic-name.ts'
import { sizeOf } from '../desired/replication.ts'
import type { Observed } from '../plan/observed.ts'
import { isReady } from '../plan/pod-health.ts'
import { needsPlaces } from '../plan/scaling.ts'
import { Memory } from './memory.ts'

/** For so long internal topics are taken to lie as they did, and nothing to be on its way. */
const trustMs = 30_000

/** Looks at who holds what, as far as anything is decided by it. */
export class ReplicaLooks {
  readonly #brokers: Pick<Brokers, 'places'>
  readonly #glances: Memory<ClusterPlaces | null>

  constructor(brokers: Pick<Brokers, 'places'>, clock: Clock) {
    this.#brokers = brokers
    this.#glances = new Memory(clock, trustMs)
  }

  /** `teller`: a broker that serves, as one that starts may not know the topics yet; null where there is none. */
  async look(
    observed: Observed,
    teller: BrokerAccess | null,
  ): Promise<Pick<Observed, 'glance' | 'places'>> {
    if (teller === null) return { glance: null, places: null }
    const glance = await this.#glance(observed, teller)
    const isNeeded = needsPlaces({ ...observed, glance })
    return { glance, places: isNeeded ? await this.#ask(teller) : null }
  }

  /** Something was asked for, or was not done. */
  forget(): void {
    this.#glances.forgetAll()
  }

  /** Of a cluster of several that rests; it is asked seldom, since what it tells seldom changes. */
  async #glance({ cluster, pods }: Observed, teller: BrokerAccess): Promise<ClusterPlaces | null> {
    if (sizeOf(cluster) < 2) return null
    const { uid, generation } = cluster.metadata
    // Another spec, or somebody who came back, is another look.
    const key = `${uid} ${generation} ${pods.filter(isReady).length}`
    const glance = await this.#glances.get(key, () => this.#ask(teller, internalTopicNames))
    if (glance === null) this.#glances.forget(key)
    return glance
  }

  async #ask(teller: BrokerAccess, topics?: readonly string[]): Promise<ClusterPlaces | null> {
    try {
      return await this.#brokers.places(teller, topics)
    } catch (error) {
      if (error instanceof BrokerError) return null
      throw error
    }
  }
}
