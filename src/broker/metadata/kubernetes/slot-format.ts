import { gunzipSync, gzipSync } from 'node:zlib'
import { utf8 } from '../../../lib/bytes.ts'
import { chainHash, contentHash } from '../chain.ts'
import {
  isObject,
  object,
  orNull,
  ShapeError,
  text,
  whole,
  type FieldsOf,
  type Fields,
} from '../shape.ts'
import type { Chunk, Content, Place, Reply, Slot } from './ring.ts'

/*
 * An object of the ring is a ConfigMap whose `data.head` says in JSON what it is, whose `data.checksum` is the hash of that text, and
 * whose `binaryData.content` is the payload of a slot, compressed by gzip, or the bytes of a chunk (FORMAT.md).
 */

/** The fields of a ConfigMap that are ours. */
export interface RingData {
  readonly data: { readonly head: string; readonly checksum: string }
  readonly binaryData: { readonly content: string }
}

/** Who writes, and for which cluster: part of each object. */
export interface Author {
  readonly clusterId: string
  /** -1: the operator. */
  readonly brokerId: number
}

/** Bytes of a record's payload: as many as surely fit, whatever they are, into a ConfigMap of 1 MiB. */
export const payloadBytesMax = 1_000_000

const format = 1
const kinds = ['empty', 'awaited', 'record', 'snapshot', 'base'] as const
const sides = ['a', 'b'] as const

const anySequence = whole(Number.MIN_SAFE_INTEGER)
const common = { format: whole(1), clusterId: text, writer: anySequence }
const slotHead = {
  ...common,
  kind: text,
  sequence: anySequence,
  epoch: whole(0),
  previousHash: text,
  hash: text,
  snapshot: orNull(object({ sequence: whole(1), side: text })),
  payloadBytes: whole(0),
}
const chunkHead = {
  ...common,
  side: text,
  index: whole(0),
  epoch: whole(0),
  sequence: whole(0),
  contentHash: text,
}

export function encodeContent(place: Place, content: Content, author: Author): RingData {
  if ('kind' in content) return encodeSlot(content, author)
  return encodeChunk(place, content, author)
}

function encodeSlot(slot: Slot, { clusterId, brokerId }: Author): RingData {
  const { payload, kind, sequence, epoch, previousHash, hash, snapshot } = slot
  const chain = { sequence, epoch, previousHash, hash, snapshot }
  const head = { format, clusterId, writer: brokerId, kind, ...chain, payloadBytes: payload.length }
  return encode(head, payload.length === 0 ? payload : gzipSync(payload))
}

function encodeChunk(place: Place, chunk: Chunk, { clusterId, brokerId }: Author): RingData {
  const { epoch, sequence, contentHash: hash, bytes } = chunk
  const side = place.type === 'chunk' ? place.side : 'a'
  const where = { side, index: place.index, epoch, sequence, contentHash: hash }
  return encode({ format, clusterId, writer: brokerId, ...where }, bytes)
}

function encode(head: Readonly<Record<string, unknown>>, content: Uint8Array): RingData {
  const line = JSON.stringify(head)
  return {
    data: { head: line, checksum: contentHash(utf8(line)) },
    binaryData: { content: Buffer.from(content).toString('base64') },
  }
}

/** What `object`, found at `place`, holds; `foreign` where it is nothing that this version wrote, or another cluster's. */
export function decodeContent(
  place: Place,
  configMap: Readonly<Record<string, unknown>>,
  clusterId: string,
): { readonly type: 'found'; readonly content: Content } | Extract<Reply, { type: 'foreign' }> {
  try {
    const raw = rawOf(configMap)
    const content = place.type === 'slot' ? decodeSlot(raw) : decodeChunk(raw, place)
    const theirs = raw.head['clusterId']
    if (theirs === clusterId) return { type: 'found', content }
    const what = `it is of cluster ${String(theirs)}, and this broker is of cluster ${clusterId}`
    return { type: 'foreign', what, isOtherCluster: true }
  } catch (error) {
    if (!(error instanceof NotOurs) && !(error instanceof ShapeError)) throw error
    const what = error instanceof ShapeError ? `its head ${error.message}` : error.message
    return { type: 'foreign', what, isOtherCluster: false }
  }
}

/** A sentence that says what is wrong. */
class NotOurs extends Error {}

interface Raw {
  readonly head: Readonly<Record<string, unknown>>
  readonly content: Uint8Array
}

function rawOf({ data, binaryData }: Readonly<Record<string, unknown>>): Raw {
  const head = isObject(data) ? data['head'] : undefined
  if (!isObject(data) || typeof head !== 'string') throw new NotOurs('it has no data.head')
  if (data['checksum'] !== contentHash(utf8(head))) {
    throw new NotOurs('its data.head does not have the hash that data.checksum tells')
  }
  const parsed = parse(head)
  if (parsed['format'] !== format) {
    const theirs = String(parsed['format'])
    throw new NotOurs(`its format is ${theirs}, and this version reads ${format}`)
  }
  const content = isObject(binaryData) ? (binaryData['content'] ?? '') : ''
  if (typeof content !== 'string') throw new NotOurs('its binaryData.content is no text')
  return { head: parsed, content: plain(Buffer.from(content, 'base64')) }
}

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    const head: unknown = JSON.parse(line)
    if (isObject(head)) return head
  } catch {
    throw new NotOurs('its data.head is not JSON')
  }
  throw new NotOurs('its data.head is not an object')
}

function decodeSlot({ head, content }: Raw): Slot {
  const { kind, snapshot, payloadBytes, ...told } = checked(slotHead, head)
  const payload = unzipped(content, payloadBytes)
  const { sequence, epoch, previousHash, hash } = told
  const slot: Slot = {
    kind: oneOf(kinds, kind),
    sequence,
    epoch,
    previousHash,
    hash,
    snapshot: snapshot === null ? null : { ...snapshot, side: oneOf(sides, snapshot.side) },
    payload,
  }
  // What a base follows is not here; empty ones follow nothing.
  const isLinked = slot.kind === 'record' || slot.kind === 'snapshot'
  if (isLinked && chainHash(slot) !== hash) {
    throw new NotOurs('its content does not have the hash that it tells')
  }
  return slot
}

function decodeChunk({ head, content }: Raw, place: Place): Chunk {
  const { side, index, epoch, sequence, contentHash: hash } = checked(chunkHead, head)
  if (place.type !== 'chunk' || side !== place.side || index !== place.index) {
    throw new NotOurs(`it is chunk ${index} of side ${side}`)
  }
  if (contentHash(content) !== hash) {
    throw new NotOurs('its content does not have the hash that it tells')
  }
  return { epoch, sequence, contentHash: hash, bytes: content }
}

function checked<F extends Fields>(
  fields: F,
  head: Readonly<Record<string, unknown>>,
): FieldsOf<F> {
  return object(fields).check(head)
}

function oneOf<const T extends string>(names: readonly T[], name: string): T {
  const known = names.find(each => each === name)
  if (known === undefined)
    throw new NotOurs(`its head tells of '${name}', which this version does not know`)
  return known
}

function unzipped(content: Uint8Array, payloadBytes: number): Uint8Array {
  if (payloadBytes === 0 && content.length === 0) return new Uint8Array()
  try {
    const payload = gunzipSync(content, { maxOutputLength: payloadBytesMax })
    if (payload.length === payloadBytes) return plain(payload)
  } catch {
    throw new NotOurs('its content is not what gzip writes')
  }
  throw new NotOurs('its content is not as long as its head tells')
}

/** A Buffer's bytes, as all else sees them. */
export function plain({ buffer, byteOffset, length }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length)
}
