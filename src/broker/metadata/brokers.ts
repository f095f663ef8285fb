import { assert } from '../../lib/assert.ts'
import type { Uuid } from '../../lib/uuid.ts'
import type { ListenerAddress, MetadataRecord, RecordOf, StartClass } from './records.ts'

export interface BrokerImage {
  readonly id: number
  /** Sequence of its latest registration: a higher one is a later start. */
  readonly epoch: number
  readonly incarnationId: Uuid
  readonly rack: string | null
  readonly listeners: readonly ListenerAddress[]
  /** Of the directory that its logs lie in; no two brokers have the same. */
  readonly directoryId: Uuid
  /** Of its latest start. */
  readonly startClass: StartClass
  /** Where other brokers reach its private listener; null: nowhere. */
  readonly peer: { readonly host: string; readonly port: number } | null
  /** The highest feature level whose records it reads. */
  readonly featureLevelMax: number
  /** Neither leads nor is in sync: it was not heard of, or has not applied its own registration yet (I-23). */
  readonly isFenced: boolean
  /** It asked to go, and hands over what it leads (I-22). */
  readonly isShuttingDown: boolean
}

interface Content {
  readonly byId: ReadonlyMap<number, BrokerImage>
  readonly byDirectory: ReadonlyMap<Uuid, BrokerImage>
  readonly retired: ReadonlySet<Uuid>
  readonly failed: ReadonlySet<Uuid>
}

type BrokerRecord = RecordOf<
  | 'brokerRegistered'
  | 'brokerStateChanged'
  | 'brokerUnregistered'
  | 'directoryRetired'
  | 'directoryFailed'
>

/** The registered brokers and what is known of directories. Immutable, as the image that it is a part of. */
export class Brokers {
  static readonly none = new Brokers({
    byId: new Map(),
    byDirectory: new Map(),
    retired: new Set(),
    failed: new Set(),
  })

  readonly #content: Content

  private constructor(content: Content) {
    this.#content = content
  }

  get byId(): ReadonlyMap<number, BrokerImage> {
    return this.#content.byId
  }

  ofDirectory(directoryId: Uuid): BrokerImage | undefined {
    return this.#content.byDirectory.get(directoryId)
  }

  isRetired(directoryId: Uuid): boolean {
    return this.#content.retired.has(directoryId)
  }

  isFailed(directoryId: Uuid): boolean {
    return this.#content.failed.has(directoryId)
  }

  apply(record: BrokerRecord): Brokers {
    const { byId, retired, failed } = this.#content
    switch (record.type) {
      case 'brokerRegistered':
        return this.#registered(record)
      case 'brokerStateChanged':
        return this.#stateChanged(record)
      case 'brokerUnregistered': {
        assert(byId.has(record.brokerId), 'an unregistered broker was registered')
        const others = new Map(byId)
        others.delete(record.brokerId)
        return this.#with(others)
      }
      case 'directoryRetired':
        return this.#withDirectories({ retired: new Set(retired).add(record.directoryId) })
      case 'directoryFailed':
        return this.#withDirectories({ failed: new Set(failed).add(record.directoryId) })
    }
  }

  /** What makes these of none. */
  *records(): IterableIterator<MetadataRecord> {
    const { byId, retired, failed } = this.#content
    for (const { id: brokerId, epoch: brokerEpoch, isShuttingDown, ...broker } of byId.values()) {
      yield { type: 'brokerRegistered', brokerId, brokerEpoch, ...broker }
      if (!isShuttingDown) continue
      const { isFenced } = broker
      yield { type: 'brokerStateChanged', brokerId, brokerEpoch, isFenced, isShuttingDown }
    }
    for (const directoryId of retired) yield { type: 'directoryRetired', directoryId }
    for (const directoryId of failed) yield { type: 'directoryFailed', directoryId }
  }

  #registered(record: RecordOf<'brokerRegistered'>): Brokers {
    const { type: _, brokerId: id, brokerEpoch: epoch, ...broker } = record
    const before = this.byId.get(id)
    assert(before === undefined || epoch > before.epoch, 'broker epochs rise')
    const holder = this.ofDirectory(record.directoryId)
    assert(holder === undefined || holder.id === id, 'a directory is of one broker')
    assert(!this.isRetired(record.directoryId), 'a retired directory does not come back')
    const image = { id, epoch, ...broker, isShuttingDown: false }
    return this.#with(new Map(this.byId).set(id, image))
  }

  #stateChanged(record: RecordOf<'brokerStateChanged'>): Brokers {
    const { brokerId, brokerEpoch, isFenced, isShuttingDown } = record
    const before = this.byId.get(brokerId)
    assert(before?.epoch === brokerEpoch, 'the state of a broker is that of its latest start')
    return this.#with(new Map(this.byId).set(brokerId, { ...before, isFenced, isShuttingDown }))
  }

  #with(byId: ReadonlyMap<number, BrokerImage>): Brokers {
    const byDirectory = new Map(Array.from(byId.values(), each => [each.directoryId, each]))
    return new Brokers({ ...this.#content, byId, byDirectory })
  }

  #withDirectories(changes: Partial<Pick<Content, 'retired' | 'failed'>>): Brokers {
    return new Brokers({ ...this.#content, ...changes })
  }
}
