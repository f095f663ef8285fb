import type { Cursor } from '../store.ts'
import { append, passed, type AppendResult, type Circumstances } from './append.ts'
import { contentHash } from '../chain.ts'
import { damaged, refuseDamage } from './damage.ts'
import { lookAt, type Unavailable } from './look.ts'
import {
  chunkContent,
  otherSide,
  type Chunk,
  type Decision,
  type Place,
  type Request,
  type Side,
} from './ring.ts'
import { encodeNote } from './snapshot-note.ts'

export interface SnapshotCall {
  readonly cursor: Cursor
  readonly epoch: number
  /** Of the snapshot before it was compressed. */
  readonly payloadBytes: number
  readonly contentHash: string
  /** Compressed, as many as there are chunks for at most. */
  readonly parts: readonly Uint8Array[]
}

/** Looks at the chunks, and updates of those that are not right, before a snapshot is put off. */
const roundCountMax = 5

/**
 * Writes the chunks of the side that is not in use, reads them back, and only then appends the commit that puts them in use.
 * A chunk of a higher epoch is left alone: a controller that slept and was overtaken would destroy the snapshot in
 * use, of which it knows nothing. `unavailable` with `isUnknown`: the commit was sent.
 * @throws StoreError as `append`
 */
export function* writeSnapshot(
  call: SnapshotCall,
  circumstances: Circumstances,
): Decision<AppendResult> {
  const { cursor } = call
  const { geometry, wasUnknown } = circumstances
  const look = yield* lookAt(cursor, geometry)
  if (look.type === 'unavailable') return { ...look, isUnknown: wasUnknown }
  if (look.type === 'passed') return passed(cursor.nextSequence, wasUnknown)
  const inUse = look.type === 'taken' ? look.slot.snapshot?.side : undefined
  const side = inUse ?? otherSide(lastSide(look) ?? 'b')
  if (look.type === 'next') {
    const stopped = yield* writeChunks(call, side)
    if (stopped === 'overtaken') {
      return wasUnknown ? { ...overtaken, isUnknown: true } : { type: 'lost' }
    }
    if (stopped !== null) return { ...stopped, isUnknown: wasUnknown }
  }
  const { epoch, payloadBytes } = call
  const chunks = call.parts.map(contentHash)
  const payload = encodeNote({ side, payloadBytes, contentHash: call.contentHash, chunks })
  return yield* append({ cursor, epoch, payload, snapshotSide: side }, circumstances)
}

function lastSide(
  look: { type: 'next'; last: { snapshot: { side: Side } | null } } | { type: 'taken' },
) {
  return look.type === 'next' ? look.last.snapshot?.side : undefined
}

/** null: each chunk was read and is right. */
function* writeChunks(
  { cursor, epoch, parts }: SnapshotCall,
  side: Side,
): Decision<Unavailable | 'overtaken' | null> {
  const wanted = parts.map((bytes): Chunk => {
    return { epoch, sequence: cursor.nextSequence, contentHash: contentHash(bytes), bytes }
  })
  const places = parts.map((_, index): Place => ({ type: 'chunk', side, index }))
  for (let round = 0; round < roundCountMax; round++) {
    const replies = yield places.map(place => ({ type: 'get', place }))
    const updates: Request[] = []
    for (const [at, reply] of replies.entries()) {
      const [place, content] = [places[at]!, wanted[at]!]
      const sound = refuseDamage(place, reply)
      if (sound.type === 'unavailable') return sound
      if (sound.type !== 'found') throw damaged(place, `it was answered for with ${sound.type}`)
      const stored = chunkContent(sound)
      if (stored.epoch > epoch) return 'overtaken'
      if (!isSame(stored, content))
        updates.push({ type: 'put', place, content, over: sound.version })
    }
    if (updates.length === 0) return null
    const written = yield updates
    for (const [at, reply] of written.entries()) {
      const sound = refuseDamage(updates[at]!.place, reply)
      // What became of the others is read in the next round.
      if (sound.type === 'unavailable' && !sound.isUnknown) return sound
    }
  }
  return { ...overtaken, reason: 'the chunks of the snapshot change all the time' }
}

function isSame(a: Chunk, b: Chunk): boolean {
  return a.epoch === b.epoch && a.sequence === b.sequence && a.contentHash === b.contentHash
}

const overtaken: Unavailable = {
  type: 'unavailable',
  isUnknown: false,
  reason: 'another controller writes the snapshot',
  retryAfterMs: null,
}
