import { gzipSync } from 'node:zlib'
import { contentHash, genesisHash } from '../chain.ts'
import { StoreError, type Snapshot, type StoredLog } from '../store.ts'
import { ringNames } from './names.ts'
import {
  geometry as wholeGeometry,
  slotAt,
  type Chunk,
  type Content,
  type Geometry,
  type Place,
  type Slot,
} from './ring.ts'
import { encodeContent, type Author, type RingData } from './slot-format.ts'
import { encodeNote } from './snapshot-note.ts'

export interface GenesisOptions {
  /** The LogCluster's name: all names begin with it. */
  readonly cluster: string
  readonly clusterId: string
  /**
   * `nothing`: the cluster is new. `disks`: it has data, and lost its ring; the objects are such that brokers fill them from
   * their copy, and never take them for an empty cluster.
   */
  readonly from: 'nothing' | 'disks'
}

/** One object that the operator POSTs once, and neither applies nor touches again. Namespace and labels are its own. */
export type RingObject =
  | ({ readonly kind: 'ConfigMap'; readonly name: string } & RingData)
  | {
      readonly kind: 'Lease'
      readonly name: string
      readonly spec: { readonly leaseDurationSeconds: number; readonly leaseTransitions: number }
    }

/** Everything that the ring is made of. The same for the same options, byte for byte: a genesis may be gone on with. */
export function genesisObjects({ cluster, clusterId, from }: GenesisOptions): RingObject[] {
  const kind = from === 'nothing' ? 'empty' : 'awaited'
  const contents = [
    ...emptySlots(0, kind, wholeGeometry),
    ...sides.flatMap(side => emptyChunks(side, 0, wholeGeometry)),
  ]
  const author = { clusterId, brokerId: -1 }
  return [...objectsOf(cluster, contents, author), leaseObject(cluster)]
}

export interface Placed {
  readonly place: Place
  readonly content: Content
}

/**
 * What the objects of a ring hold that goes on after `log`: the snapshot in chunks of side a; in the slot of its sequence a base,
 * which has the hash that brokers know, so that their chain goes on; after it the records.
 * @throws StoreError `unsuitable` where there are more records after the snapshot than slots, or the snapshot has no room
 */
export function rebuiltContents(log: StoredLog, geometry: Geometry): Placed[] {
  const { snapshot, tail, cursor } = log
  const slotsUsed = tail.length + (snapshot === null ? 0 : 1)
  const parts = snapshot === null ? [] : partsOf(gzipSync(snapshot.payload), geometry)
  if (slotsUsed > geometry.slotCount || parts.length > geometry.chunkCount) throw noRoom()
  const chunks = parts.map((bytes, index): Placed => {
    const { epoch, sequence } = snapshot!
    const content: Chunk = { epoch, sequence, contentHash: contentHash(bytes), bytes }
    return { place: { type: 'chunk', side: 'a', index }, content }
  })
  const rest = sides.flatMap(side => emptyChunks(side, side === 'a' ? parts.length : 0, geometry))
  const pointer = snapshot === null ? null : ({ sequence: snapshot.sequence, side: 'a' } as const)
  const slots: Slot[] = []
  if (snapshot !== null) slots.push({ ...baseOf(snapshot, parts), snapshot: pointer })
  let previousHash = snapshot?.hash ?? genesisHash
  for (const { sequence, epoch, hash, payload } of tail) {
    const link = { sequence, epoch, previousHash, hash, payload }
    slots.push({ kind: 'record', ...link, snapshot: pointer })
    previousHash = hash
  }
  const placed = slots.map(slot => ({ place: slotAt(slot.sequence, geometry), content: slot }))
  const empty = emptySlots(cursor.nextSequence - 1, 'empty', geometry)
  const left = empty.slice(0, geometry.slotCount - slots.length)
  return [...chunks, ...rest, ...left, ...placed]
}

function baseOf({ sequence, epoch, hash, payload }: Snapshot, parts: readonly Uint8Array[]): Slot {
  const note = {
    side: 'a',
    payloadBytes: payload.length,
    contentHash: contentHash(payload),
    chunks: parts.map(contentHash),
  } as const
  return {
    kind: 'base',
    sequence,
    epoch,
    hash,
    previousHash: genesisHash,
    snapshot: null,
    payload: encodeNote(note),
  }
}

function noRoom(): StoreError {
  return new StoreError(
    'unsuitable',
    "The broker's copy of the metadata does not fit into the ring in Kubernetes: it is larger than what the ring can have held.",
  )
}

/** Compressed bytes of a snapshot, cut for the chunks. */
export function partsOf(compressed: Uint8Array, { chunkBytesMax }: Geometry): Uint8Array[] {
  const count = Math.ceil(compressed.length / chunkBytesMax)
  return Array.from({ length: count }, (_, at) =>
    compressed.subarray(at * chunkBytesMax, (at + 1) * chunkBytesMax),
  )
}

/** The slots of a log that ends with record `last`, if nothing of it were there. @internal */
export function emptySlots(last: number, kind: 'empty' | 'awaited', geometry: Geometry): Placed[] {
  return Array.from({ length: geometry.slotCount }, (_, at): Placed => {
    const sequence = last - geometry.slotCount + 1 + at
    const content: Slot = {
      kind,
      sequence,
      epoch: 0,
      previousHash: genesisHash,
      hash: genesisHash,
      snapshot: null,
      payload: new Uint8Array(),
    }
    return { place: slotAt(sequence, geometry), content }
  })
}

/** @internal */
export function emptyChunks(side: 'a' | 'b', from: number, { chunkCount }: Geometry): Placed[] {
  const bytes = new Uint8Array()
  const content: Chunk = { epoch: 0, sequence: 0, contentHash: contentHash(bytes), bytes }
  return Array.from({ length: chunkCount - from }, (_, at): Placed => {
    return { place: { type: 'chunk', side, index: from + at }, content }
  })
}

const sides = ['a', 'b'] as const

function objectsOf(cluster: string, contents: readonly Placed[], author: Author): RingObject[] {
  const names = ringNames(cluster)
  return contents.map(({ place, content }) => ({
    kind: 'ConfigMap',
    name: names.of(place),
    ...encodeContent(place, content, author),
  }))
}

function leaseObject(cluster: string): RingObject {
  const spec = { leaseDurationSeconds: 10, leaseTransitions: 0 }
  return { kind: 'Lease', name: ringNames(cluster).lease, spec }
}
