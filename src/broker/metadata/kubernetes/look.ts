import { StoreError, StoreUnavailable, type Cursor } from '../store.ts'
import { damaged, refuseDamage, wentBack } from './damage.ts'
import {
  slotAt,
  slotContent,
  slotOf,
  type Decision,
  type Found,
  type Geometry,
  type Place,
  type Reply,
  type Slot,
  type Version,
} from './ring.ts'

/** The API did not answer, or not with what was asked. */
export type Unavailable = Extract<Reply, { type: 'unavailable' }>

export type Look =
  /** `last` is the end of the log, as the cursor has it; the next record may be written over `over`. */
  | { readonly type: 'next'; readonly last: Slot; readonly over: Version }
  /** The next record is there. */
  | { readonly type: 'taken'; readonly slot: Slot }
  /** Others have appended so much that the next record's slot has a later one. */
  | { readonly type: 'passed' }
  | Unavailable

/**
 * How the ring looks from `cursor`: its last record and its next slot, both asked anew, so that a ring that was
 * restored to an older state, or a slot that was deleted, is seen before anything is written.
 * @throws StoreError where the ring is damaged, older than the cursor, or knows the last record as another one
 */
export function* lookAt(cursor: Cursor, geometry: Geometry): Decision<Look> {
  const { nextSequence, lastHash } = cursor
  const places = [slotAt(nextSequence - 1, geometry), slotAt(nextSequence, geometry)] as const
  const replies = yield places.map(place => ({ type: 'get', place }))
  const last = slotIn(places[0], replies[0]!, geometry)
  const next = slotIn(places[1], replies[1]!, geometry)
  if (last.type === 'unavailable') return last
  if (next.type === 'unavailable') return next
  const [lastSlot, nextSlot] = [slotContent(last), slotContent(next)]
  if (nextSlot.sequence === nextSequence) return { type: 'taken', slot: nextSlot }
  if (nextSlot.sequence > nextSequence || lastSlot.sequence >= nextSequence) {
    return { type: 'passed' }
  }
  const expected = nextSequence - geometry.slotCount
  if (nextSlot.sequence < expected) {
    throw wentBack(places[1], `it holds record ${nextSlot.sequence}, and held ${expected} before`)
  }
  if (lastSlot.sequence < nextSequence - 1) {
    const before = nextSequence - 1
    throw wentBack(places[0], `it holds record ${lastSlot.sequence}, and held ${before} before`)
  }
  if (lastSlot.hash !== lastHash) {
    const what = `its record ${lastSlot.sequence} is another one than this broker has read or written`
    throw damaged(places[0], what)
  }
  return { type: 'next', last: lastSlot, over: next.version }
}

/** @throws StoreError where the slot is missing, foreign, in another's place, or still to be filled */
export function slotIn(place: Place, reply: Reply, geometry: Geometry): Found<Slot> | Unavailable {
  const sound = refuseDamage(place, reply)
  if (sound.type === 'unavailable') return sound
  if (sound.type !== 'found') throw damaged(place, `it was answered for with ${sound.type}`)
  const content = slotContent(sound)
  if (slotOf(content.sequence, geometry) !== place.index) {
    throw damaged(place, `it holds record ${content.sequence}, whose place it is not`)
  }
  if (content.kind === 'awaited') throw awaitsCopy()
  return { ...sound, content }
}

export function storeUnavailable({ reason, retryAfterMs }: Unavailable): StoreUnavailable {
  return new StoreUnavailable(reason, retryAfterMs === null ? {} : { retryAfterMs })
}

function awaitsCopy(): StoreError {
  return new StoreError(
    'awaitsCopy',
    'The metadata ring in Kubernetes was made anew for a cluster that has data, and waits for the copy of its metadata ' +
      'that a broker keeps on its disk. A broker without such a copy cannot start before that.',
  )
}
