import { concat, fromUtf8, utf8 } from '../../../lib/bytes.ts'
import { chainHash, contentHash, isHash, type Link } from '../chain.ts'
import { isObject } from '../shape.ts'
import { StoreError, type Snapshot } from '../store.ts'

/*
 * A file of the store is a line of JSON and, after it, the payload as it came:
 *
 *   {"format":1,"sequence":7,"epoch":2,"previousHash":"…","hash":"…","payloadBytes":120}\n<payload>     a record
 *   {"format":1,"sequence":7,"epoch":2,"hash":"…","contentHash":"…","payloadBytes":9000}\n<payload>     a snapshot
 *
 * A record's hash covers everything but the line's layout; a snapshot's `hash` is that of record `sequence`, its
 * `contentHash` covers the payload.
 */

const format = 1
const newline = 0x0a

export function encodeRecordFile(link: Link): Uint8Array {
  const { sequence, epoch, previousHash, payload } = link
  const hash = chainHash(link)
  return encode({ format, sequence, epoch, previousHash, hash }, payload)
}

/** @throws StoreError `damaged` where the file is not the record `sequence` as it was written. */
export function decodeRecordFile(
  path: string,
  bytes: Uint8Array,
): Link & { readonly hash: string } {
  const { head, payload } = decode(path, bytes)
  const { sequence, epoch, previousHash, hash } = head
  if (!isWhole(sequence) || !isWhole(epoch) || !isHashText(previousHash) || !isHashText(hash)) {
    throw damaged(path, 'its first line lacks a field')
  }
  const link = { sequence, epoch, previousHash, payload }
  if (chainHash(link) !== hash) throw damaged(path, 'its content does not have the hash it tells')
  return { ...link, hash }
}

export function encodeSnapshotFile(snapshot: Snapshot): Uint8Array {
  const { sequence, epoch, hash, payload } = snapshot
  return encode({ format, sequence, epoch, hash, contentHash: contentHash(payload) }, payload)
}

/** @throws StoreError `damaged` where the file is not a snapshot as it was written. */
export function decodeSnapshotFile(path: string, bytes: Uint8Array): Snapshot {
  const { head, payload } = decode(path, bytes)
  const { sequence, epoch, hash } = head
  if (!isWhole(sequence) || !isWhole(epoch) || !isHashText(hash)) {
    throw damaged(path, 'its first line lacks a field')
  }
  if (head['contentHash'] !== contentHash(payload)) {
    throw damaged(path, 'its content does not have the hash it tells')
  }
  return { sequence, epoch, hash, payload }
}

/** The one message for content that nobody of us wrote: what, where, what to do. */
export function damaged(path: string, what: string, cause?: unknown): StoreError {
  return new StoreError(
    'damaged',
    `The metadata store is damaged: ${path}: ${what}. Nothing was changed. Restore the metadata directory ` +
      'from a backup or from an intact copy of this disk; do not delete single files of it.',
    { cause },
  )
}

function encode(head: Readonly<Record<string, unknown>>, payload: Uint8Array): Uint8Array {
  const line = JSON.stringify({ ...head, payloadBytes: payload.length })
  return concat([utf8(`${line}\n`), payload])
}

interface Decoded {
  readonly head: Readonly<Record<string, unknown>>
  readonly payload: Uint8Array
}

function decode(path: string, bytes: Uint8Array): Decoded {
  const end = bytes.indexOf(newline)
  if (end < 0) throw damaged(path, 'it has no first line')
  const head = parse(path, bytes.subarray(0, end))
  if (head['format'] !== format) {
    throw damaged(path, `its format is ${String(head['format'])}, and this version reads ${format}`)
  }
  const payload = bytes.subarray(end + 1)
  if (head['payloadBytes'] !== payload.length) {
    const told = String(head['payloadBytes'])
    throw damaged(path, `it holds ${payload.length} bytes of payload, and tells of ${told}`)
  }
  return { head, payload }
}

function parse(path: string, line: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const head: unknown = JSON.parse(fromUtf8(line))
    if (isObject(head)) return head
  } catch (error) {
    throw damaged(path, 'its first line is not JSON', error)
  }
  throw damaged(path, 'its first line is not an object')
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isHashText(value: unknown): value is string {
  return typeof value === 'string' && isHash(value)
}
