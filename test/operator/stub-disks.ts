import { identityOf } from '../../src/kubernetes/disk-identity.ts'
import type { Pod } from '../../src/operator/kubernetes/objects.ts'
import type { StubBroker } from './stub-brokers.ts'
import { StubCluster } from './stub-cluster.ts'

/** What is on a disk; null where it is empty. */
interface Content {
  readonly directoryId: string
  readonly clusterId: string
  readonly incarnation: number
}

/** What becomes of a broker that is started on a disk. */
export type Outcome =
  | { readonly kind: 'waits' }
  | { readonly kind: 'refuses'; readonly reason: string; readonly message: string }
  | { readonly kind: 'runs'; readonly isReady: boolean }

/**
 * Disks, and brokers on them that keep the rules of identity that real ones keep: an empty disk needs a permission, another's is
 * refused, and nothing is served before the operator has recorded it.
 */
export class StubDisks {
  /** By name of the PersistentVolume. */
  readonly contents = new Map<string, Content | null>()
  /** Each time that a disk was formatted, by name of its volume. */
  readonly formats: string[] = []
  /** Claims whose disk failed while it was written to. */
  readonly failed = new Set<string>()
  /** Dynamic settings of all brokers, as somebody else might change them. */
  readonly configs = new Map<string, string>()
  readonly cluster = new StubCluster()
  /** By id of the broker, how far its copy of the metadata log reaches, while the ring waits for the longest; null: it waits for none. */
  copies: Map<number, number> | null = null
  /** Brokers that run and answer nobody. */
  readonly mute = new Set<number>()
  /** Brokers from whose copies the ring was filled. */
  readonly filledBy: number[] = []
  /** Which state of the Secret kubelet has given to the broker of that id. */
  revisionAt: (brokerId: number) => string = () => ''
  readonly #brokers = new Map<string, StubBroker>()
  readonly #own = new Map<number, Map<string, string>>()

  /** A disk that was formatted in another life of this world. */
  load(volume: string, map: Readonly<Record<string, string>> | undefined): void {
    const identity = identityOf(map)
    if (identity === null || identity.directoryId === '') this.contents.set(volume, null)
    else this.contents.set(volume, identity)
  }

  /** The broker that answers at this address; null where none does. */
  brokerAt(host: string): StubBroker | null {
    return this.#brokers.get(host) ?? null
  }

  /** The broker of `pod`, at `host`, on the disk of `volume`, with what its identity ConfigMap says. */
  start(
    pod: Pod,
    host: string,
    volume: string,
    map: Readonly<Record<string, string>> | undefined,
  ): Outcome {
    const identity = identityOf(map)
    if (identity === null) return { kind: 'waits' }
    const { clusterId, incarnation, directoryId, mayFormat, brokerId } = identity
    if (this.mute.has(brokerId)) return { kind: 'waits' }
    if (!this.contents.get(volume) && mayFormat) this.#format(volume, { clusterId, incarnation })
    const claims = pod.spec?.volumes?.map(each => each.persistentVolumeClaim?.claimName ?? '')
    if (claims?.some(name => this.failed.has(name))) {
      return this.#refuse(host, 'DataDirectoryFailed', 'The disk failed while it was written to.')
    }
    const found = this.contents.get(volume) ?? null
    if (found === null) return this.#refuse(host, 'DiskEmpty', 'the disk is empty')
    const isOurs =
      found.clusterId === clusterId &&
      found.incarnation === incarnation &&
      (directoryId === '' || directoryId === found.directoryId)
    if (!isOurs) return this.#refuse(host, 'DiskForeign', 'the disk is of another')
    const isServed = directoryId === found.directoryId && !mayFormat
    if (this.copies !== null && identity.mayFill === true) {
      this.filledBy.push(brokerId)
      this.copies = null
    }
    const isReady = isServed && this.copies === null && !this.cluster.behind.has(brokerId)
    this.#answer(pod, host, { ...found, brokerId, isReady })
    this.#tellCluster()
    return { kind: 'runs', isReady }
  }

  /** Nobody answers anywhere until what is returned is called. */
  hide(): () => void {
    const hidden = [...this.#brokers]
    this.#brokers.clear()
    return () => {
      for (const [host, broker] of hidden) this.#brokers.set(host, broker)
    }
  }

  /** Nobody answers there any more, unless it is one of `hosts`. */
  keep(hosts: ReadonlySet<string>): void {
    for (const host of this.#brokers.keys()) if (!hosts.has(host)) this.#brokers.delete(host)
    this.#tellCluster()
  }

  /** Dynamic settings of one broker. They are in the metadata log, and outlive its process. */
  ownOf(brokerId: number): Map<string, string> {
    let own = this.#own.get(brokerId)
    if (own === undefined) this.#own.set(brokerId, (own = new Map()))
    return own
  }

  #tellCluster(): void {
    this.cluster.run(new Set([...this.#brokers.values()].map(({ status }) => status.brokerId)))
  }

  #refuse(host: string, reason: string, message: string): Outcome {
    this.#brokers.delete(host)
    return { kind: 'refuses', reason, message }
  }

  #format(volume: string, of: { clusterId: string; incarnation: number }): void {
    this.formats.push(volume)
    const directoryId = `disk${this.formats.length}`.padEnd(22, 'A')
    this.contents.set(volume, { directoryId, ...of })
  }

  #answer(pod: Pod, host: string, told: Content & { brokerId: number; isReady: boolean }): void {
    const { brokerId, clusterId, directoryId, incarnation, isReady } = told
    const { cluster } = this
    const revisionAt = (id: number): string => this.revisionAt(id)
    this.#brokers.set(host, {
      ofAll: this.configs,
      own: this.ownOf(brokerId),
      status: {
        brokerId,
        clusterId,
        directoryId,
        incarnation,
        isReady,
        startedAtMs: BigInt(Date.parse(pod.metadata.creationTimestamp!)) as never,
        version: '0.1.0',
        notReadyReason: isReady ? null : 'Waits for the operator to record the disk.',
        startClass: 'A',
        startReason: '',
        quarantineReason: null,
        isMetadataWaiting: false,
        strayCount: 0,
        get partitionCount() {
          return cluster.held(brokerId)
        },
        offlinePartitions: [],
        pageCacheSource: 'mincore',
        metadataSequence: 1,
        uncopiedCount: cluster.uncopiedCount,
        get catchingUp() {
          return cluster.catchingUp.get(brokerId) ?? []
        },
        awaitedCopySequence: this.copies?.get(brokerId) ?? -1,
        get credentialsRevision() {
          return revisionAt(brokerId)
        },
        leaderlessCount: 0,
        get controllerId() {
          return cluster.controllerId
        },
        get brokers() {
          return cluster.told()
        },
      },
    })
  }
}
