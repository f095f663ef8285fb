import { assert } from '../../lib/assert.ts'
import type { Field, Fields } from './field.ts'
import { type FixedTypeName, fixedTypes, isFixedType } from './fixed-types.ts'

/** A type as one version has it: what both codecs are made from. */
export type Shape = FixedShape | TextShape | ArrayShape | StructShape

export interface FixedShape {
  readonly type: FixedTypeName
}

interface TextShape {
  readonly type: 'string' | 'bytes' | 'records'
}

export interface ArrayShape {
  readonly type: 'array'
  readonly of: Shape
  /** No element takes fewer bytes; at least 1, so that a count can be held against the bytes left. */
  readonly elementSizeMin: number
}

export interface StructShape {
  readonly type: 'struct'
  /** In the order of the table, which is the order on the wire. */
  readonly members: readonly Member[]
  readonly flexible: boolean
}

export interface Member {
  readonly name: string
  readonly shape: Shape
  /** False where this version does not carry the field: it decodes to `fallback` and is not encoded. */
  readonly present: boolean
  readonly nullable: boolean
  readonly tagId: number | null
  readonly fallback: unknown
}

/** A decoded message or a draft of one, where its fields are not known by type. */
export type Message = Readonly<Record<string, unknown>>

/** What `fields` look like in `version`. */
export function shapeOf(fields: Fields, version: number, flexible: boolean): StructShape {
  const members = Object.entries(fields).map(([name, field]): Member => {
    const { nullableFrom, tagId } = field.traits
    const present = field.isIn(version)
    assert(tagId === null || flexible || !present, `${name} is tagged in a version without tags`)
    const shape = shapeOfField(field, version, flexible)
    const nullable = version >= nullableFrom
    return { name, shape, present, nullable, tagId, fallback: field.fallback }
  })
  const tagIds = members.flatMap(member => member.tagId ?? [])
  assert(new Set(tagIds).size === tagIds.length, 'a tag is given once in a struct')
  return { type: 'struct', members, flexible }
}

function shapeOfField(field: Field<any, any, boolean>, version: number, flexible: boolean): Shape {
  const { kind } = field
  if (kind.type === 'struct') return shapeOf(kind.fields, version, flexible)
  if (kind.type !== 'array') return kind
  const of = shapeOfField(kind.of, version, flexible)
  return { type: 'array', of, elementSizeMin: Math.max(1, sizeMinOf(of, flexible)) }
}

export function isFixed(shape: Shape): shape is FixedShape {
  return isFixedType(shape.type)
}

/** Bytes of a type that always takes the same, or null. */
export function fixedSizeOf(shape: Shape): number | null {
  return isFixed(shape) ? fixedTypes[shape.type].size : null
}

function sizeMinOf(shape: Shape, flexible: boolean): number {
  if (shape.type === 'struct') return structSizeMin(shape)
  if (flexible) return fixedSizeOf(shape) ?? 1
  return fixedSizeOf(shape) ?? (shape.type === 'string' ? 2 : 4)
}

function structSizeMin(shape: StructShape): number {
  let size = shape.flexible ? 1 : 0
  for (const member of untagged(shape)) {
    const isNullableStruct = member.nullable && member.shape.type === 'struct'
    size += isNullableStruct ? 1 : sizeMinOf(member.shape, shape.flexible)
  }
  return size
}

/** The fields that stand in the body of this version, in order. */
export function untagged(shape: StructShape): Member[] {
  return shape.members.filter(member => member.present && member.tagId === null)
}

/** The tagged fields of this version, ascending. */
export function tagged(shape: StructShape): Member[] {
  const members = shape.members.filter(member => member.present && member.tagId !== null)
  return members.toSorted((a, b) => a.tagId! - b.tagId!)
}

/** Neighbours of fixed size, with the bytes they take together; or one field of another type, with size 0. */
export interface Run {
  readonly members: readonly Member[]
  readonly size: number
}

/** Splits a struct's body so that each run needs one bounds check. */
export function runsOf(members: readonly Member[]): Run[] {
  const runs: { members: Member[]; size: number }[] = []
  for (const member of members) {
    const size = fixedSizeOf(member.shape) ?? 0
    const last = runs.at(-1)
    if (last && last.size > 0 && size > 0) {
      last.members.push(member)
      last.size += size
    } else runs.push({ members: [member], size })
  }
  return runs
}

/** Whether a tagged field may be left out of the message. */
export function isDefault(shape: Shape, value: unknown, fallback: unknown): boolean {
  if (value === undefined || value === fallback) return true
  if (value === null || fallback === null || isFixed(shape)) return false
  switch (shape.type) {
    case 'array':
    case 'string':
    case 'bytes':
    case 'records':
      return (
        (value as { length: number }).length === 0 && (fallback as { length: number }).length === 0
      )
    case 'struct':
      return shape.members.every(
        ({ name, present, shape: of }) =>
          !present || isDefault(of, (value as Message)[name], (fallback as Message)[name]),
      )
  }
}
