import { promisify } from 'node:util'
import { gunzip, gzip, gzipSync } from 'node:zlib'
import type { Clock } from '../../../env/clock.ts'
import type { KubernetesObject, NamedObjects } from '../../../kubernetes/named-objects.ts'
import { assert } from '../../../lib/assert.ts'
import { concat } from '../../../lib/bytes.ts'
import { contentHash } from '../chain.ts'
import {
  type AppendOutcome,
  type Cursor,
  type MetadataStore,
  type Snapshot,
  type SnapshotOutcome,
  type StoredLog,
} from '../store.ts'
import { append, entryHash, type AppendResult } from './append.ts'
import { damaged } from './damage.ts'
import { fillRing } from './fill-ring.ts'
import { partsOf, rebuiltContents } from './genesis.ts'
import { storeUnavailable, type Unavailable } from './look.ts'
import { ringNames, type RingNames } from './names.ts'
import { readRing, type RingSnapshot } from './read-ring.ts'
import { leaseIdentity, RingLease } from './ring-lease.ts'
import {
  geometry as wholeGeometry,
  slotAt,
  snapshotBytesMax,
  type Decision,
  type Geometry,
  type Reply,
  type Request,
  type Version,
} from './ring.ts'
import { decodeContent, encodeContent, payloadBytesMax, plain, type Author } from './slot-format.ts'
import { writeSnapshot } from './write-snapshot.ts'

export interface KubernetesStoreOptions {
  readonly objects: NamedObjects
  readonly clock: Clock
  /** The LogCluster's name: names of objects begin with it. */
  readonly cluster: string
  /** What every object of the ring must belong to. */
  readonly clusterId: string
  readonly brokerId: number
  /** Default: as the operator makes it. */
  readonly geometry?: Geometry
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/**
 * The front door of the room: the metadata log in a ring of ConfigMaps that the operator made once (durability.md 1.4). Record n lies in slot n mod 64,
 * over the one that is a round older, and snapshots lie in two sides of chunks. The decisions are pure (`append.ts`,
 * `read-ring.ts`, `write-snapshot.ts`); this performs their requests. It remembers nothing of the ring: each append
 * looks first. It makes no object and deletes none.
 */
export class KubernetesStore implements MetadataStore {
  readonly snapshotIntervalMax: number
  readonly unsnapshottedMax: number
  readonly payloadBytesMax = payloadBytesMax
  readonly lease: RingLease
  readonly #options: KubernetesStoreOptions
  readonly #geometry: Geometry
  readonly #author: Author
  readonly #names: RingNames
  /** The operation whose outcome is unknown: its kind and its hash. */
  #unknown: string | null = null
  /** Bytes, compressed, of the newest snapshot and of the records after it. */
  #snapshotBytes = 0
  #tailBytes = 0
  #isBusy = false
  #isAnswered = true

  constructor(options: KubernetesStoreOptions) {
    const { objects, clock, cluster, clusterId, brokerId, geometry = wholeGeometry, warn } = options
    this.#options = options
    this.#geometry = geometry
    this.#author = { clusterId, brokerId }
    this.#names = ringNames(cluster)
    this.snapshotIntervalMax = geometry.slotCount / 2
    // The commit itself may take the last slot.
    this.unsnapshottedMax = geometry.slotCount - 1
    const identity = leaseIdentity(brokerId)
    this.lease = new RingLease({ objects, name: this.#names.lease, identity, clock, warn })
  }

  get room(): { readonly usedBytes: number; readonly bytesMax: number } {
    const usedBytes = this.#snapshotBytes + this.#tailBytes
    return { usedBytes, bytesMax: snapshotBytesMax(this.#geometry) }
  }

  readAll(): Promise<StoredLog> {
    return this.#alone(async () => {
      const result = await this.#run(readRing(this.#geometry))
      if (result.type === 'unavailable') throw storeUnavailable(result)
      const { snapshot: stored, tail, cursor, history } = result.log
      const snapshot = stored === null ? null : await this.#unpacked(stored)
      this.#unknown = null
      this.#snapshotBytes = stored === null ? 0 : bytesOf(stored.parts)
      this.#tailBytes = bytesOf(tail.map(({ payload }) => gzipSync(payload)))
      return { snapshot, tail, cursor, ...(history.length === 0 ? {} : { history }) }
    })
  }

  append(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<AppendOutcome> {
    assert(payload.length <= this.payloadBytesMax, 'a payload keeps the limit')
    return this.#alone(async () => {
      const entry = { cursor, epoch, payload, snapshotSide: null }
      const key = `record ${entryHash(entry)}`
      const circumstances = this.#circumstances(key)
      const result = await this.#settle(key, append(entry, circumstances))
      if (result.type === 'unavailable') return unavailable('unavailable', result)
      if (result.type === 'lost') return { kind: 'lost' }
      this.#tailBytes += gzipSync(payload).length
      return { kind: 'committed', cursor: after(cursor, result.slot.hash) }
    })
  }

  writeSnapshot(cursor: Cursor, epoch: number, payload: Uint8Array): Promise<SnapshotOutcome> {
    return this.#alone(async () => {
      const parts = partsOf(await compress(payload), this.#geometry)
      if (parts.length > this.#geometry.chunkCount) return this.#tooLarge(bytesOf(parts))
      const hash = contentHash(payload)
      const key = `snapshot ${cursor.nextSequence} ${hash}`
      const circumstances = this.#circumstances(key)
      const call = { cursor, epoch, payloadBytes: payload.length, contentHash: hash, parts }
      const result = await this.#settle(key, writeSnapshot(call, circumstances))
      if (result.type === 'lost') return { kind: 'lost' }
      if (result.type === 'unavailable') {
        return result.isUnknown
          ? unavailable('unknown', result)
          : unavailable('unavailable', result)
      }
      this.#snapshotBytes = bytesOf(parts)
      this.#tailBytes = 0
      const { sequence, epoch: noted, hash: ofNote, payload: content } = result.slot
      const note = { sequence, epoch: noted, hash: ofNote, payload: content }
      return { kind: 'written', cursor: after(cursor, ofNote), note }
    })
  }

  rebuild(log: StoredLog): Promise<void> {
    return this.#alone(async () => {
      const contents = rebuiltContents(log, this.#geometry)
      const result = await this.#run(fillRing(contents))
      if (result !== 'filled') throw storeUnavailable(result)
    })
  }

  close(): Promise<void> {
    this.#options.objects.close()
    return Promise.resolve()
  }

  #circumstances(key: string): { geometry: Geometry; wasUnknown: boolean } {
    const unknown = this.#unknown
    assert(unknown === null || unknown === key, 'what is unknown is repeated until it is not')
    return { geometry: this.#geometry, wasUnknown: unknown !== null }
  }

  async #settle(key: string, decision: Decision<AppendResult>): Promise<AppendResult> {
    const result = await this.#run(decision)
    this.#unknown = result.type === 'unavailable' && result.isUnknown ? key : null
    return result
  }

  #tooLarge(bytes: number): SnapshotOutcome {
    const bytesMax = snapshotBytesMax(this.#geometry)
    const reason = `a snapshot of the metadata takes ${bytes} bytes, and ${bytesMax} fit`
    this.#options.warn('The metadata have no room in Kubernetes', { reason })
    return { kind: 'unavailable', reason }
  }

  async #unpacked({ sequence, hash, epoch, note, parts }: RingSnapshot): Promise<Snapshot> {
    const place = slotAt(sequence, this.#geometry)
    let payload: Uint8Array
    try {
      payload = plain(await decompress(concat(parts), { maxOutputLength: note.payloadBytes }))
    } catch {
      throw damaged(place, 'the parts of its snapshot are not what gzip writes')
    }
    if (contentHash(payload) !== note.contentHash) {
      throw damaged(place, 'its snapshot does not have the hash that it tells')
    }
    return { sequence, hash, epoch, payload }
  }

  async #run<T>(decision: Decision<T>): Promise<T> {
    let step = decision.next()
    while (step.done !== true) {
      const replies = await Promise.all(step.value.map(request => this.#perform(request)))
      this.#noteOutage(replies)
      step = decision.next(replies)
    }
    return step.value
  }

  async #perform(request: Request): Promise<Reply> {
    const { place } = request
    const { objects } = this.#options
    if (request.type === 'get') {
      const reply = await objects.get('ConfigMap', this.#names.of(place))
      if (reply.type !== 'found') return reply
      const decoded = decodeContent(place, reply.object, this.#author.clusterId)
      if (decoded.type === 'foreign') return decoded
      return { ...decoded, version: versionOf(reply.object) }
    }
    const { metadata } = request.over as SeenVersion
    const data = encodeContent(place, request.content, this.#author)
    const reply = await objects.update('ConfigMap', { metadata, ...data })
    return reply.type === 'stored' ? { type: 'stored' } : reply
  }

  /** Once when it begins, and once when it is over. */
  #noteOutage(replies: readonly Reply[]): void {
    const silent = replies.find(reply => reply.type === 'unavailable')
    if ((silent === undefined) === this.#isAnswered) return
    this.#isAnswered = silent === undefined
    const message = this.#isAnswered
      ? 'The Kubernetes API answers again: topics can be changed'
      : 'The Kubernetes API does not answer, or refuses: topics cannot be changed, all else goes on'
    this.#options.warn(message, silent === undefined ? {} : { reason: silent.reason })
  }

  async #alone<T>(act: () => Promise<T>): Promise<T> {
    assert(!this.#isBusy, 'the store does one operation at a time')
    this.#isBusy = true
    try {
      return await act()
    } finally {
      this.#isBusy = false
    }
  }
}

const compress = promisify(gzip)
const decompress = promisify(gunzip)

/** All that an update needs to leave as it is: labels, annotations, finalizers, whoever put them there. */
interface SeenVersion extends Version {
  readonly metadata: KubernetesObject['metadata']
}

function versionOf({ metadata }: KubernetesObject): SeenVersion {
  // The server keeps its own account of who set what; given back, it would only be checked.
  const { managedFields: _, ...kept } = metadata
  return { resourceVersion: metadata.resourceVersion, metadata: kept }
}

function after({ nextSequence }: Cursor, lastHash: string): Cursor {
  return { nextSequence: nextSequence + 1, lastHash }
}

function unavailable<K extends string>(kind: K, { reason, retryAfterMs }: Unavailable) {
  return { kind, reason, ...(retryAfterMs === null ? {} : { retryAfterMs }) }
}

function bytesOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}
