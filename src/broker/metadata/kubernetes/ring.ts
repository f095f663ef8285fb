import { assert } from '../../../lib/assert.ts'

/**
 * The shape of the ring and what its objects hold, as plain values: what `slot-format.ts` makes objects of the API of,
 * and what the decisions of `look.ts`, `append.ts`, `read-ring.ts` and `write-snapshot.ts` are about.
 */
export interface Geometry {
  /** Records that the ring holds; the next one takes the place of the oldest. */
  readonly slotCount: number
  /** Objects of one side of snapshots. */
  readonly chunkCount: number
  /** Bytes of one of them, compressed. */
  readonly chunkBytesMax: number
}

/** As the operator makes it. */
export const geometry: Geometry = { slotCount: 64, chunkCount: 16, chunkBytesMax: 262_144 }

/** Snapshots go to these in turn: the one in use is never overwritten. */
export type Side = 'a' | 'b'

/** A place of the ring: slot `index`, or chunk `index` of a side. */
export type Place =
  | { readonly type: 'slot'; readonly index: number }
  | { readonly type: 'chunk'; readonly side: Side; readonly index: number }

/** Where the snapshot in use is told of. */
interface SnapshotPointer {
  /** Of its commit, which lies in the ring. */
  readonly sequence: number
  readonly side: Side
}

/**
 * What one slot holds. `empty`: nothing, since genesis; its sequence is 0 or less. `awaited`: nothing yet, but this is an old cluster, whose ring is to be filled
 * from a broker's copy. `record`: an append. `snapshot`: tells the chunks of a snapshot that is in use from here on.
 * `base`: the same, of a ring that was filled from a copy; its hash is the copy's, and no record here precedes it.
 */
export interface Slot {
  readonly kind: 'empty' | 'awaited' | 'record' | 'snapshot' | 'base'
  /** Of the record; its slot is `slotOf` of it. */
  readonly sequence: number
  readonly epoch: number
  readonly previousHash: string
  readonly hash: string
  /** The newest snapshot, this one where it is one; null where there is none yet. */
  readonly snapshot: SnapshotPointer | null
  /** Uncompressed; a `SnapshotNote` for `snapshot` and `base`. */
  readonly payload: Uint8Array
}

/** A part of a snapshot. */
export interface Chunk {
  /** Of the controller that wrote it: who has a lower one leaves it alone. */
  readonly epoch: number
  /** Of the commit that it was written for; 0 since genesis. */
  readonly sequence: number
  /** Of `bytes`. */
  readonly contentHash: string
  readonly bytes: Uint8Array
}

/** What a snapshot's commit says. */
export interface SnapshotNote {
  readonly side: Side
  /** Bytes of the snapshot, uncompressed, and their hash. */
  readonly payloadBytes: number
  readonly contentHash: string
  /** Content hashes of the chunks, in order. */
  readonly chunks: readonly string[]
}

/** What is stored under a name, of a version; `foreign` where it is nothing that this version of LogCluster wrote. */
export interface Found<T> {
  readonly type: 'found'
  readonly content: T
  readonly version: Version
}

/** Which state of an object was seen. Whoever performs requests keeps in it what else an update needs. */
export interface Version {
  readonly resourceVersion: string
}

export type Content = Slot | Chunk

export type Request =
  | { readonly type: 'get'; readonly place: Place }
  | {
      readonly type: 'put'
      readonly place: Place
      readonly content: Content
      readonly over: Version
    }

export type Reply =
  | Found<Content>
  /** It exists, and holds something else; the sentence says what. */
  | { readonly type: 'foreign'; readonly what: string; readonly isOtherCluster: boolean }
  | { readonly type: 'missing' }
  | { readonly type: 'stored' }
  | { readonly type: 'conflict' }
  | { readonly type: 'invalid'; readonly reason: string }
  | {
      readonly type: 'unavailable'
      readonly isUnknown: boolean
      readonly reason: string
      readonly retryAfterMs: number | null
    }

/**
 * A decision without I/O: yields requests that may be performed at the same time and in any order, is given their replies
 * in the order of the requests, and returns what came of it.
 */
export type Decision<T> = Generator<readonly Request[], T, readonly Reply[]>

/** Sequence 1 lies in slot 0; those of genesis are 0 and below. */
export function slotOf(sequence: number, { slotCount }: Pick<Geometry, 'slotCount'>): number {
  return (((sequence - 1) % slotCount) + slotCount) % slotCount
}

export function slotAt(sequence: number, shape: Pick<Geometry, 'slotCount'>): Place {
  return { type: 'slot', index: slotOf(sequence, shape) }
}

/** For people, and part of the objects' names: `md-05`, `snap-a-00`. */
export function placeName(place: Place): string {
  const index = String(place.index).padStart(2, '0')
  return place.type === 'slot' ? `md-${index}` : `snap-${place.side}-${index}`
}

export function otherSide(side: Side): Side {
  return side === 'a' ? 'b' : 'a'
}

/** Bytes, compressed, of the largest snapshot. */
export function snapshotBytesMax({ chunkCount, chunkBytesMax }: Geometry): number {
  return chunkCount * chunkBytesMax
}

export function slotContent(reply: Found<Content>): Slot {
  assert('kind' in reply.content, 'a slot holds a slot')
  return reply.content
}

export function chunkContent(reply: Found<Content>): Chunk {
  assert(!('kind' in reply.content), 'a chunk holds a chunk')
  return reply.content
}
