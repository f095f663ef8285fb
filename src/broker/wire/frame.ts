import { assert } from '../../lib/assert.ts'
import { readInt16, readInt32, writeInt32 } from '../../lib/bytes.ts'
import { decodeResponse, encodeRequest, encodeResponse } from './codec.ts'
import type { Api, Draft, Fields, Infer } from './field.ts'
import { apiByKey } from './messages/index.ts'
import { Reader } from './reader.ts'
import { UnsupportedVersionError, WireError } from './wire-error.ts'
import { type Splice, Writer } from './writer.ts'

/**
 * Requests and responses with their headers and the length before them. A request header has a tag section from
 * the API's first flexible version on, and so has a response header, except that of ApiVersions (G3). The client
 * id is an int16-length string in both.
 */
export interface RequestHeader {
  readonly api: Api
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  /** Where the request itself begins. */
  readonly bodyAt: number
}

export type FramePart = Uint8Array | Splice

const apiVersionsKey = 18

/**
 * Reads the header of a frame, whose length prefix is off already. Throws an UnsupportedVersionError where the
 * API or its version is unknown; the rest of such a frame is not looked at (G1). `find` tells which APIs there are.
 */
export function readRequestHeader(bytes: Uint8Array, find = apiByKey): RequestHeader {
  if (bytes.length < 8) throw new WireError(`a frame of ${bytes.length} bytes has no header`)
  const apiKey = readInt16(bytes, 0)
  const apiVersion = readInt16(bytes, 2)
  const correlationId = readInt32(bytes, 4)
  const api = find(apiKey)
  const isKnown = api && apiVersion >= api.versions[0] && apiVersion <= api.versions[1]
  if (!isKnown) {
    const clientId = clientIdOfUnknown(bytes)
    throw new UnsupportedVersionError({ apiKey, apiVersion, correlationId, clientId })
  }
  const reader = new Reader(bytes, 8, 'request header')
  const clientId = reader.nullableString()
  if (apiVersion >= api.flexible) reader.skipTags()
  return { api, apiKey, apiVersion, correlationId, clientId, bodyAt: reader.at }
}

/** Every header so far has its client id at the same place; one that has not shall not matter. */
function clientIdOfUnknown(bytes: Uint8Array): string | null {
  try {
    return new Reader(bytes, 8).nullableString()
  } catch {
    return null
  }
}

/** A whole response, length prefix included, ready to be sent. */
export function responseFrame<Response extends Fields>(
  api: Api<Fields, Response>,
  version: number,
  correlationId: number,
  value: Draft<Response>,
): FramePart[] {
  const writer = beginFrame()
  writer.int32(correlationId)
  if (hasResponseTags(api, version)) writer.int8(0)
  encodeResponse(api, version, value, writer)
  return endFrame(writer)
}

/** For clients and tests. */
export function requestFrame<Request extends Fields>(
  api: Api<Request>,
  version: number,
  header: { readonly correlationId: number; readonly clientId: string | null },
  value: Draft<Request>,
): FramePart[] {
  const writer = beginFrame()
  writer.int16(api.key)
  writer.int16(version)
  writer.int32(header.correlationId)
  writer.nullableString(header.clientId)
  if (version >= api.flexible) writer.int8(0)
  encodeRequest(api, version, value, writer)
  return endFrame(writer)
}

/**
 * For clients and tests: a response whose length prefix is off already. The client knows from the correlation id
 * what it asked: `readCorrelationId`.
 */
export function readResponse<Response extends Fields>(
  api: Api<Fields, Response>,
  version: number,
  bytes: Uint8Array,
): { readonly correlationId: number; readonly value: Infer<Response> } {
  const correlationId = readCorrelationId(bytes)
  const reader = new Reader(bytes, 4, 'response header')
  if (hasResponseTags(api, version)) reader.skipTags()
  return { correlationId, value: decodeResponse(api, version, bytes, reader.at) }
}

export function readCorrelationId(bytes: Uint8Array): number {
  return new Reader(bytes, 0, 'response header').int32()
}

function hasResponseTags(api: Api, version: number): boolean {
  return version >= api.flexible && api.key !== apiVersionsKey
}

function beginFrame(): Writer {
  const writer = new Writer()
  writer.int32(0)
  return writer
}

function endFrame(writer: Writer): FramePart[] {
  const size = writer.length - 4
  assert(size <= 0x7fffffff, 'the length of a frame is an int32')
  const parts = writer.finish()
  writeInt32(parts[0] as Uint8Array, 0, size)
  return parts
}
