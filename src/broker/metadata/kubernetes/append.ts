import { chainHash } from '../chain.ts'
import { StoreError, type Cursor } from '../store.ts'
import { refuseDamage } from './damage.ts'
import { lookAt, type Unavailable } from './look.ts'
import { slotAt, type Decision, type Geometry, type Side, type Slot } from './ring.ts'

/** A record that shall be the next one. */
export interface Entry {
  readonly cursor: Cursor
  readonly epoch: number
  readonly payload: Uint8Array
  /** Where this is the commit of a snapshot: its side; null for all else. */
  readonly snapshotSide: Side | null
}

export interface Circumstances {
  readonly geometry: Geometry
  /** This very entry was sent before, and nobody knows what became of it. */
  readonly wasUnknown: boolean
}

export type AppendResult =
  | { readonly type: 'committed'; readonly slot: Slot }
  | { readonly type: 'lost' }
  | Unavailable

/** Looks and writes before an append gives up because of slots that others touch. */
const roundCountMax = 5

/**
 * Compare-and-append (durability.md 1.4). One update of one object decides: it replaces exactly the state of the slot that
 * was looked at, the record one round older. A conflict may be somebody's annotation; then the slot still holds that
 * record, and the update is sent again over its new version. `lost` is certain; so is `committed`.
 * @throws StoreError `failed` where it is unknown what became of the entry and can never be known
 */
export function* append(entry: Entry, circumstances: Circumstances): Decision<AppendResult> {
  const { geometry } = circumstances
  const { nextSequence: sequence } = entry.cursor
  const place = slotAt(sequence, geometry)
  const hash = entryHash(entry)
  let isUnknown = circumstances.wasUnknown
  let reason = ''
  for (let round = 0; round < roundCountMax; round++) {
    const look = yield* lookAt(entry.cursor, geometry)
    if (look.type === 'unavailable') return { ...look, isUnknown }
    if (look.type === 'taken') {
      return look.slot.hash === hash ? { type: 'committed', slot: look.slot } : { type: 'lost' }
    }
    if (look.type === 'passed') return passed(sequence, isUnknown)
    const slot = slotFor(entry, hash, look.last)
    if (isFull(slot, look.last, geometry)) return { ...full(sequence), isUnknown }
    const [reply] = yield [{ type: 'put', place, content: slot, over: look.over }]
    const sound = refuseDamage(place, reply!)
    if (sound.type === 'stored') return { type: 'committed', slot }
    if (sound.type === 'unavailable') {
      if (!sound.isUnknown) return { ...sound, isUnknown }
      isUnknown = true
      reason = sound.reason
    } else {
      reason = 'others touch the slot all the time'
    }
  }
  return { type: 'unavailable', isUnknown, reason, retryAfterMs: null }
}

export function entryHash({ cursor, epoch, payload }: Entry): string {
  const { nextSequence: sequence, lastHash: previousHash } = cursor
  return chainHash({ previousHash, sequence, epoch, payload })
}

/**
 * A later record lies in the slot. Without an attempt of unknown fate nothing of ours was written. With one, ours may have been
 * there, and been overwritten since.
 * @throws StoreError `failed` then
 */
export function passed(sequence: number, isUnknown: boolean): AppendResult {
  if (!isUnknown) return { type: 'lost' }
  throw new StoreError(
    'failed',
    `Another controller wrote the metadata ring full before the Kubernetes API answered what became of record ${sequence}. ` +
      'It may be part of the log or not; the next start reads it.',
  )
}

function slotFor(entry: Entry, hash: string, last: Slot): Slot {
  const { cursor, epoch, payload, snapshotSide: side } = entry
  const { nextSequence: sequence, lastHash: previousHash } = cursor
  const snapshot = side === null ? last.snapshot : { sequence, side }
  const kind = side === null ? 'record' : 'snapshot'
  return { kind, sequence, epoch, previousHash, hash, snapshot, payload }
}

/** Whether the slot's old record is one that a reader still needs: it comes after the newest snapshot, or is that. */
function isFull(slot: Slot, last: Slot, { slotCount }: Geometry): boolean {
  if (slot.kind === 'snapshot') return false
  return slot.sequence - slotCount >= (last.snapshot?.sequence ?? 1)
}

function full(sequence: number): Unavailable {
  return {
    type: 'unavailable',
    isUnknown: false,
    reason: `the ring has no room for record ${sequence} before the next snapshot`,
    retryAfterMs: null,
  }
}
