import type { Uuid } from '../../lib/uuid.ts'
import { WindowRate } from './window-rate.ts'

export interface ReplicationThrottleOptions {
  readonly brokerId: number
  /** Bytes per second that listed replicas may take together, of now (`*.replication.throttled.rate`). */
  rateMax(): number
  /** Which replicas of a topic are listed, of now (`*.replication.throttled.replicas`): `*`, PARTITION:BROKER, or nothing. */
  listOf(topicId: Uuid): string
  /** Whether the replica counts as listed because a reassignment brings it, or another of its partition (`replication.throttled.reassignments.enable`), of now. */
  isBrought(replica: ReplicaName): boolean
  readonly windowMs: number
  readonly windowsMax: number
}

/** A replica of this broker, by topic and partition. */
export interface ReplicaName {
  readonly topicId: Uuid
  readonly partition: number
}

/**
 * The front door of the room: how fast the listed replicas of one side, leader's or follower's, are copied (KIP-73): what goes beyond the rate waits
 * until the average of the last windows is below it. Who is in sync is never held back, whatever is listed: that is for
 * the caller to know. Bytes of listed replicas count in any case. Nobody is listed as long as there is no rate.
 */
export class ReplicationThrottle {
  readonly #options: ReplicationThrottleOptions
  readonly #rate: WindowRate
  /** By the text of a list: topics share few of them. */
  readonly #lists = new Map<string, '*' | ReadonlySet<number>>()

  constructor(options: ReplicationThrottleOptions) {
    this.#options = options
    this.#rate = new WindowRate(options)
  }

  /** A rate is set: only then is anything else worth asking. */
  get isOn(): boolean {
    return this.#options.rateMax() < Number.MAX_SAFE_INTEGER
  }

  isListed(replica: ReplicaName): boolean {
    if (!this.isOn) return false
    const { topicId, partition } = replica
    const list = this.#parsed(this.#options.listOf(topicId))
    return list === '*' || list.has(partition) || this.#options.isBrought(replica)
  }

  /** Listed replicas that are not in sync have to wait. */
  isExceeded(nowMs: number): boolean {
    return this.isOn && this.#rate.at(nowMs) > this.#options.rateMax()
  }

  /** Bytes of listed replicas were copied. */
  record(bytes: number, nowMs: number): void {
    if (this.isOn) this.#rate.record(bytes, nowMs)
  }

  #parsed(text: string): '*' | ReadonlySet<number> {
    let list = this.#lists.get(text)
    if (list === undefined) {
      // Lists of topics that are being moved come and go.
      if (this.#lists.size >= listsMax) this.#lists.clear()
      this.#lists.set(text, (list = partitionsOf(text, this.#options.brokerId)))
    }
    return list
  }
}

const listsMax = 1000

/** The partitions of which a list names the replica of `brokerId`; what is malformed was refused as a config. */
function partitionsOf(text: string, brokerId: number): '*' | ReadonlySet<number> {
  const items = text.split(',').map(item => item.trim())
  if (items.includes('*')) return '*'
  const ofBroker = items.map(item => item.split(':')).filter(([, id]) => Number(id) === brokerId)
  return new Set(ofBroker.map(([partition]) => Number(partition)))
}
