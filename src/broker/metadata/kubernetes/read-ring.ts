import type { StoreError, Cursor, RecordMark, StoredRecord } from '../store.ts'
import { damaged, refuseDamage } from './damage.ts'
import { slotIn, type Unavailable } from './look.ts'
import {
  chunkContent,
  slotAt,
  slotContent,
  type Decision,
  type Geometry,
  type Place,
  type Slot,
  type SnapshotNote,
} from './ring.ts'
import { decodeNote } from './snapshot-note.ts'

export interface RingLog {
  readonly snapshot: RingSnapshot | null
  readonly tail: readonly StoredRecord[]
  readonly cursor: Cursor
  /** What the slots still tell of records at or below the snapshot. */
  readonly history: readonly RecordMark[]
}

export interface RingSnapshot {
  /** Of its commit: the commit changes nothing, so that this is the state after it. */
  readonly sequence: number
  readonly hash: string
  readonly epoch: number
  readonly note: SnapshotNote
  /** Compressed; each has the hash that the note tells. */
  readonly parts: readonly Uint8Array[]
}

/** Times that the ring is read while others write, before that is left for later. */
const roundCountMax = 8

/**
 * The whole log: all slots at the same time, which is no single moment; so what they hold must be records without a gap,
 * each made of the one before. Where they are not, somebody may be writing: they are read again, and are damaged where
 * nothing changed meanwhile.
 * @throws StoreError `damaged`, `unsuitable` (another cluster), `awaitsCopy`
 */
export function* readRing(
  geometry: Geometry,
): Decision<{ type: 'log'; log: RingLog } | Unavailable> {
  const places = Array.from({ length: geometry.slotCount }, (_, index): Place => {
    return { type: 'slot', index }
  })
  let versionsBefore = ''
  for (let round = 0; round < roundCountMax; round++) {
    const replies = yield places.map(place => ({ type: 'get', place }))
    const found = replies.map((reply, at) => slotIn(places[at]!, reply, geometry))
    const slots: Slot[] = []
    const versions: string[] = []
    for (const each of found) {
      if (each.type === 'unavailable') return each
      slots.push(slotContent(each))
      versions.push(each.version.resourceVersion)
    }
    const inOrder = slots.toSorted((a, b) => a.sequence - b.sequence)
    const problem = problemOf(inOrder, geometry) ?? (yield* readSnapshot(inOrder, geometry))
    if ('log' in problem) return { type: 'log', log: problem.log }
    if ('isUnknown' in problem) return problem
    if (versionsBefore === versions.join()) throw problem
    versionsBefore = versions.join()
  }
  const reason = 'the ring changes all the time that it is read'
  return { type: 'unavailable', isUnknown: false, reason, retryAfterMs: null }
}

function* readSnapshot(
  slots: readonly Slot[],
  geometry: Geometry,
): Decision<{ log: RingLog } | Unavailable | StoreError> {
  const newest = slots.at(-1)!
  const cursor = { nextSequence: newest.sequence + 1, lastHash: newest.hash }
  const first = newest.snapshot?.sequence ?? 0
  const tail = slots.filter(({ sequence }) => sequence > first)
  const records = tail.map(({ sequence, epoch, hash, payload }) => {
    return { sequence, epoch, hash, payload }
  })
  const history = slots
    .filter(({ kind, sequence: at }) => kind !== 'empty' && at <= first)
    .map(({ sequence: at, hash }) => ({ sequence: at, hash }))
  if (newest.snapshot === null) return { log: { snapshot: null, tail: records, cursor, history } }
  const commitPlace = slotAt(first, geometry)
  const commit = slots.find(({ sequence }) => sequence === first)
  if (commit?.kind !== 'snapshot' && commit?.kind !== 'base') {
    return damaged(commitPlace, `it is not the snapshot ${first} that later records tell of`)
  }
  const note = decodeNote(commitPlace, commit.payload)
  const places = note.chunks.map((_, index): Place => ({ type: 'chunk', side: note.side, index }))
  const replies = yield places.map(place => ({ type: 'get', place }))
  const parts: Uint8Array[] = []
  for (const [at, reply] of replies.entries()) {
    const sound = refuseDamage(places[at]!, reply)
    if (sound.type === 'unavailable') return sound
    const isRight = sound.type === 'found' && chunkContent(sound).contentHash === note.chunks[at]
    if (!isRight) return damaged(places[at]!, `it is not the part of snapshot ${first} that it was`)
    parts.push(chunkContent(sound).bytes)
  }
  const { sequence, hash, epoch } = commit
  return {
    log: { snapshot: { sequence, hash, epoch, note, parts }, tail: records, cursor, history },
  }
}

/** What keeps slots, sorted by their sequences, from being one log; an object that is no error where nothing does. */
function problemOf(slots: readonly Slot[], geometry: Geometry): StoreError | null {
  for (const [at, slot] of slots.entries()) {
    const before = slots[at - 1]
    if (before === undefined) continue
    const place = slotAt(slot.sequence, geometry)
    if (slot.sequence !== before.sequence + 1) {
      const missing = slotAt(before.sequence + 1, geometry)
      return damaged(
        missing,
        `record ${before.sequence + 1} is not there, though ${slot.sequence} is`,
      )
    }
    if (slot.kind === 'base') {
      if (before.kind !== 'empty')
        return damaged(place, `a log begins at ${slot.sequence}, after another`)
      continue
    }
    if (slot.kind === 'empty') {
      if (before.kind !== 'empty')
        return damaged(place, `it is empty, though an earlier record is there`)
      continue
    }
    if (slot.previousHash !== before.hash) {
      return damaged(
        place,
        `record ${slot.sequence} does not follow record ${before.sequence} that is there`,
      )
    }
    if (slot.epoch < before.epoch) {
      return damaged(
        place,
        `the epoch ${slot.epoch} of record ${slot.sequence} is below ${before.epoch}`,
      )
    }
  }
  return null
}
