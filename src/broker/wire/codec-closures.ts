import type { MakeCoding } from './coding.ts'
import { type FixedType, fixedTypes } from './fixed-types.ts'
import type { Reader } from './reader.ts'
import {
  type ArrayShape,
  isDefault,
  isFixed,
  type Member,
  type Message,
  type Shape,
  type StructShape,
  tagged,
  untagged,
} from './shape.ts'
import { refuseNull, type Writer } from './writer.ts'

/**
 * The same codec as the compiled one, built from closures: some times slower, a second opinion in the tests, and
 * what serves where code may not be generated.
 */
export const closeCodec: MakeCoding = shape => {
  const write = structWriter(shape)
  return {
    decode: structReader(shape),
    encode: (writer, message) => write(writer, message as Message),
  }
}

type Read = (reader: Reader) => unknown
type Write<Value> = (writer: Writer, value: Value) => void
type Value<S extends Shape = Shape> = { readonly shape: S; readonly nullable: boolean }

function structReader(shape: StructShape): Read {
  const fields = shape.members.map(member => {
    const isRead = member.present && member.tagId === null
    const read: Read = isRead ? valueReader(member, shape.flexible) : () => member.fallback
    return [member.name, read] as const
  })
  const tags = new Map(
    tagged(shape).map(member => [member.tagId, [member.name, valueReader(member, true)]] as const),
  )
  return reader => {
    const message: Record<string, unknown> = {}
    for (const [name, read] of fields) message[name] = read(reader)
    if (shape.flexible) readTags(reader, tags, message)
    return message
  }
}

function readTags(
  reader: Reader,
  tags: ReadonlyMap<number | null, readonly [name: string, read: Read]>,
  message: Record<string, unknown>,
): void {
  for (let left = reader.tagCount(); left > 0; left--) {
    const tag = tags.get(reader.uvarint())
    const stop = reader.tagEnd()
    if (tag) message[tag[0]] = tag[1](reader)
    else reader.at = stop
    reader.endTag(stop)
  }
}

function valueReader({ shape, nullable }: Value, flexible: boolean): Read {
  if (isFixed(shape)) {
    const { size, read } = fixedTypes[shape.type]
    return reader => read(reader.bytes, reader.take(size))
  }
  switch (shape.type) {
    case 'struct': {
      const read = structReader(shape)
      return nullable ? reader => (reader.isPresent() ? read(reader) : null) : read
    }
    case 'array':
      return arrayReader({ shape, nullable }, flexible)
    case 'string':
      if (nullable) return flexible ? r => r.nullableCompactString() : r => r.nullableString()
      return flexible ? r => r.compactString() : r => r.string()
    case 'bytes':
      if (nullable) {
        return flexible ? r => r.nullableCompactByteString() : r => r.nullableByteString()
      }
      return flexible ? r => r.compactByteString() : r => r.byteString()
    case 'records':
      return flexible ? r => r.compactRecords() : r => r.records()
  }
}

function arrayReader({ shape, nullable }: Value<ArrayShape>, flexible: boolean): Read {
  const { of, elementSizeMin } = shape
  const read = valueReader({ shape: of, nullable: false }, flexible)
  const count = arrayCounter(nullable, flexible, elementSizeMin)
  return reader => {
    let left = count(reader)
    if (left < 0) return null
    if (!isFixed(of)) reader.charge(left)
    const elements: unknown[] = []
    for (; left > 0; left--) elements.push(read(reader))
    return elements
  }
}

function arrayCounter(
  nullable: boolean,
  flexible: boolean,
  sizeMin: number,
): (reader: Reader) => number {
  if (nullable)
    return flexible ? r => r.nullableCompactCount(sizeMin) : r => r.nullableCount(sizeMin)
  return flexible ? r => r.compactCount(sizeMin) : r => r.count(sizeMin)
}

function structWriter(shape: StructShape): Write<Message> {
  const body = untagged(shape).map(member => memberWriter(member, shape.flexible))
  const tags = tagged(shape).map(member => ({ ...member, write: memberWriter(member, true) }))
  return (writer, message) => {
    for (const write of body) write(writer, message)
    if (!shape.flexible) return
    const written = tags.filter(tag => !isDefault(tag.shape, message[tag.name], tag.fallback))
    writer.uvarint(written.length)
    for (const tag of written) {
      const begin = writer.openTag(tag.tagId!)
      tag.write(writer, message)
      writer.closeTag(begin)
    }
  }
}

function memberWriter(member: Member, flexible: boolean): Write<Message> {
  const { name, nullable, fallback, shape } = member
  const write = valueWriter(member, flexible) as Write<unknown>
  const refusesNull = !nullable && !isFixed(shape)
  return (writer, message) => {
    const value = message[name] === undefined ? fallback : message[name]
    if (refusesNull && value === null) refuseNull(name)
    write(writer, value)
  }
}

function valueWriter({ shape, nullable }: Value, flexible: boolean): Write<never> {
  if (isFixed(shape)) return fixedWriter(fixedTypes[shape.type])
  switch (shape.type) {
    case 'struct':
      return structValueWriter(shape, nullable)
    case 'array':
      return arrayWriter(shape, flexible)
    case 'string':
      return flexible ? (w, v) => w.nullableCompactString(v) : (w, v) => w.nullableString(v)
    case 'bytes':
      return flexible ? (w, v) => w.nullableCompactByteString(v) : (w, v) => w.nullableByteString(v)
    case 'records':
      return flexible ? (w, v) => w.compactRecords(v) : (w, v) => w.records(v)
  }
}

function fixedWriter({ size, write }: FixedType): Write<never> {
  return (writer, value) => {
    const at = writer.take(size)
    write(writer.bytes, at, value)
  }
}

function structValueWriter(shape: StructShape, nullable: boolean): Write<Message | null> {
  const write = structWriter(shape)
  return (writer, value) => {
    if (nullable) writer.int8(value === null ? -1 : 1)
    if (value !== null) write(writer, value)
  }
}

function arrayWriter(shape: ArrayShape, flexible: boolean): Write<readonly unknown[] | null> {
  const write = valueWriter({ shape: shape.of, nullable: false }, flexible) as Write<unknown>
  return (writer, value) => {
    if (flexible) writer.uvarint(value === null ? 0 : value.length + 1)
    else writer.int32(value === null ? -1 : value.length)
    for (const element of value ?? []) write(writer, element)
  }
}
