import { concat, equal, fromUtf8, utf8 } from '../../../lib/bytes.ts'
import { contentHash, isHash } from '../chain.ts'
import { isObject } from '../shape.ts'
import type { Snapshot, StoredRecord } from '../store.ts'

/** What this broker alone knows of itself, and has to know at a start at which the store does not answer. */
export interface LocalFacts {
  /** Starts since the last registration that no registration stands for: each led in a leader epoch of its own. */
  readonly unregisteredStarts: number
  /** A block of producer ids that is this broker's, and of which it has given out none. */
  readonly producerIds: { readonly first: number; readonly count: number } | null
}

export type CopyEntry =
  | ({ readonly kind: 'snapshot' } & Snapshot)
  | ({ readonly kind: 'record'; readonly previousHash: string } & StoredRecord)
  | ({ readonly kind: 'local' } & LocalFacts)

/*
 * An entry is a line and, after it, as many bytes as the line tells (FORMAT.md):
 *
 *   <sha256 of all that follows> {"format":1,"kind":"record","sequence":7,…,"payloadBytes":214}\n<payload>\n
 */

const format = 1
const newline = 0x0a
const sumDigits = 64

export function encodeEntry(entry: CopyEntry): Uint8Array {
  const { kind, payload, ...facts } = { payload: new Uint8Array(), ...entry }
  const head = { format, kind, ...facts, payloadBytes: payload.length }
  const body = concat([utf8(`${JSON.stringify(head)}\n`), payload, Uint8Array.of(newline)])
  return concat([utf8(`${contentHash(body)} `), body])
}

/** The entry that begins at `from`, and where the next one does; null where there is no whole one. */
export function decodeEntry(
  bytes: Uint8Array,
  from: number,
): { readonly entry: CopyEntry; readonly end: number } | null {
  const bodyAt = from + sumDigits + 1
  const lineEnd = bytes.indexOf(newline, bodyAt)
  if (lineEnd < 0) return null
  const head = parsed(bytes.subarray(bodyAt, lineEnd))
  const payloadBytes = head?.['payloadBytes']
  if (head === null || !isWhole(payloadBytes)) return null
  const end = lineEnd + 1 + payloadBytes + 1
  if (end > bytes.length) return null
  const sum = utf8(`${contentHash(bytes.subarray(bodyAt, end))} `)
  if (!equal(bytes.subarray(from, bodyAt), sum)) return null
  const entry = entryOf(head, bytes.slice(lineEnd + 1, end - 1))
  return entry === null ? null : { entry, end }
}

function entryOf(head: Readonly<Record<string, unknown>>, payload: Uint8Array): CopyEntry | null {
  if (head['format'] !== format) return null
  const { kind, sequence, epoch, hash, previousHash } = head
  if (kind === 'local') return localOf(head)
  if (!isWhole(sequence) || !isWhole(epoch) || !isHashText(hash)) return null
  if (kind === 'snapshot') return { kind, sequence, epoch, hash, payload }
  if (kind !== 'record' || !isHashText(previousHash)) return null
  return { kind, sequence, epoch, hash, previousHash, payload }
}

function localOf({
  unregisteredStarts,
  producerIds,
}: Readonly<Record<string, unknown>>): CopyEntry | null {
  if (!isWhole(unregisteredStarts)) return null
  if (producerIds === null) return { kind: 'local', unregisteredStarts, producerIds }
  if (!isObject(producerIds)) return null
  const { first, count } = producerIds
  if (!isWhole(first) || !isWhole(count)) return null
  return { kind: 'local', unregisteredStarts, producerIds: { first, count } }
}

function parsed(line: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const head: unknown = JSON.parse(fromUtf8(line))
    return isObject(head) ? head : null
  } catch {
    return null
  }
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isHashText(value: unknown): value is string {
  return typeof value === 'string' && isHash(value)
}
