import { closeCodec } from './codec-closures.ts'
import { compileCodec, mayCompile } from './codec-compiler.ts'
import type { Coding, MakeCoding } from './coding.ts'
import type { Api, Draft, Fields, Infer } from './field.ts'
import { Reader } from './reader.ts'
import { shapeOf } from './shape.ts'
import type { Writer } from './writer.ts'

/** Reads and writes one message in one version. */
export interface Codec extends Coding {
  /** `Fetch request v12`, for errors. */
  readonly name: string
}

type Side = 'request' | 'response'

/**
 * The request that stands in `bytes[at, end)`. Throws a WireError where it is malformed. Bytes behind it are
 * passed over, as Kafka does: librdkafka 2.16 sends three too many when it asks for the metadata of all topics.
 */
export function decodeRequest<Request extends Fields>(
  api: Api<Request>,
  version: number,
  bytes: Uint8Array,
  at: number,
): Infer<Request> {
  const codec = codecOf({ api, side: 'request', version })
  return codec.decode(new Reader(bytes, at, codec.name)) as Infer<Request>
}

/** The response that stands in `bytes[at, end)`, all of it. Throws a WireError where it is malformed. */
export function decodeResponse<Response extends Fields>(
  api: Api<Fields, Response>,
  version: number,
  bytes: Uint8Array,
  at: number,
): Infer<Response> {
  const codec = codecOf({ api, side: 'response', version })
  const reader = new Reader(bytes, at, codec.name)
  const message = codec.decode(reader)
  reader.finish()
  return message as Infer<Response>
}

export function encodeRequest<Request extends Fields>(
  api: Api<Request>,
  version: number,
  value: Draft<Request>,
  writer: Writer,
): void {
  codecOf({ api, side: 'request', version }).encode(writer, value)
}

export function encodeResponse<Response extends Fields>(
  api: Api<Fields, Response>,
  version: number,
  value: Draft<Response>,
  writer: Writer,
): void {
  codecOf({ api, side: 'response', version }).encode(writer, value)
}

interface MessageId {
  readonly api: Api
  readonly side: Side
  readonly version: number
}

/** Compiled at first use, by table and version. */
const codecs = new Map<Fields, (Codec | undefined)[]>()
const makeCodec: MakeCoding = mayCompile() ? compileCodec : closeCodec

function codecOf(id: MessageId): Codec {
  const ofVersion = codecs.get(id.api[id.side])
  return ofVersion?.[id.version] ?? addCodec(id)
}

function addCodec(id: MessageId): Codec {
  const codec = codecFor(id, makeCodec)
  const fields = id.api[id.side]
  const ofVersion = codecs.get(fields) ?? []
  ofVersion[id.version] = codec
  codecs.set(fields, ofVersion)
  return codec
}

/** A new codec for one message in one version, made as `make` does. @internal */
export function codecFor({ api, side, version }: MessageId, make: MakeCoding): Codec {
  const shape = shapeOf(api[side], version, version >= api.flexible)
  const name = `${api.name} ${side} v${version}`
  return { name, ...make(shape, name.replaceAll(' ', '-')) }
}
