import type { Int64 } from '../../lib/bytes.ts'
import { assert } from '../../lib/assert.ts'
import { type Uuid, zeroUuid } from '../../lib/uuid.ts'
import type { FixedTypeName } from './fixed-types.ts'
import type { Splice } from './writer.ts'

/**
 * The front door of the room: the notation of the protocol tables. One line a field, with its type, versions, default and tag, named as in
 * Apache's declarations. A message has one shape in all of its versions: what a version does not carry is at its
 * default. Types are inferred (`Infer`, `Draft`), codecs are compiled from the tables (codec.ts).
 */
export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly key: number
  readonly name: string
  /** Lowest and highest version that is understood. */
  readonly versions: readonly [min: number, max: number]
  /** What ApiVersions tells as the lowest version; below `versions[0]` for Produce only (G2). */
  readonly advertisedMin: number
  /** First version with compact forms and tags (KIP-482); Infinity where there is none. */
  readonly flexible: number
  readonly request: Request
  readonly response: Response
}

export type Fields = { readonly [name: string]: Field<any, any, boolean> }

/** A message as it is decoded: every field is there. Defaults of absent fields are shared and frozen. */
export type Infer<F extends Fields> = { -readonly [Name in keyof F]: F[Name]['Value'] }

/** A message to be encoded: fields with a default may be left out. A decoded message is a draft too. */
export type Draft<F extends Fields> = {
  -readonly [Name in keyof F as F[Name]['Optional'] extends true ? never : Name]: F[Name]['Draft']
} & {
  -readonly [Name in keyof F as F[Name]['Optional'] extends true ? Name : never]?:
    | F[Name]['Draft']
    | undefined
}

type ScalarType = FixedTypeName | 'string' | 'bytes' | 'records'

export type Kind =
  | { readonly type: ScalarType }
  | { readonly type: 'array'; readonly of: Field<any, any, boolean> }
  | { readonly type: 'struct'; readonly fields: Fields }

interface Traits {
  readonly from: number
  readonly to: number
  /** First version in which null is allowed. */
  readonly nullableFrom: number
  readonly tagId: number | null
}

/** One field. Immutable: each method gives a new one. */
export class Field<Value, DraftValue = Value, Optional extends boolean = false> {
  declare readonly Value: Value
  declare readonly Draft: DraftValue
  declare readonly Optional: Optional
  readonly kind: Kind
  readonly fallback: Value
  readonly traits: Traits

  constructor(kind: Kind, fallback: Value, traits: Partial<Traits> = {}) {
    this.kind = kind
    this.fallback = fallback
    this.traits = { from: 0, to: Infinity, nullableFrom: Infinity, tagId: null, ...traits }
  }

  /** Present from `version` on. */
  since(version: number): Field<Value, DraftValue, Optional> {
    return new Field(this.kind, this.fallback, { ...this.traits, from: version })
  }

  /** Present up to and with `version`. */
  until(version: number): Field<Value, DraftValue, Optional> {
    return new Field(this.kind, this.fallback, { ...this.traits, to: version })
  }

  default(value: Value): Field<Value, DraftValue, true> {
    return new Field(this.kind, value, this.traits)
  }

  /** Sent as a tagged field, and only where it is not at its default. */
  tag(id: number): Field<Value, DraftValue, true> {
    return new Field(this.kind, this.fallback, { ...this.traits, tagId: id })
  }

  isIn(version: number): boolean {
    return version >= this.traits.from && version <= this.traits.to
  }
}

export const bool = new Field<boolean>({ type: 'bool' }, false)
export const int8 = new Field<number>({ type: 'int8' }, 0)
export const int16 = new Field<number>({ type: 'int16' }, 0)
export const uint16 = new Field<number>({ type: 'uint16' }, 0)
export const int32 = new Field<number>({ type: 'int32' }, 0)
/** As a number: values outside of the safe range are rounded, and 2^63 stands for the largest. */
export const int64 = new Field<number>({ type: 'int64' }, 0)
/** Without loss: a bigint where a number would be rounded. For what is kept and given back as it came. */
export const exactInt64 = new Field<Int64>({ type: 'exactInt64' }, 0)
export const float64 = new Field<number>({ type: 'float64' }, 0)
/** At most 32767 bytes of UTF-8; the encoder cuts longer ones. */
export const string = new Field<string>({ type: 'string' }, '')
export const uuid = new Field<Uuid>({ type: 'uuid' }, zeroUuid)
/** A copy, so that it outlives the frame it came in. */
export const bytes = new Field<Uint8Array>({ type: 'bytes' }, new Uint8Array(0))
/** Record batches: a view of the frame on the way in, spliced and never copied on the way out. Always nullable. */
export const records = new Field<Uint8Array | null, Uint8Array | Splice | null>(
  { type: 'records' },
  null,
  { nullableFrom: 0 },
)

export function array<V, D>(of: Field<V, D, boolean>): Field<V[], D[]>
export function array<F extends Fields>(of: F): Field<Infer<F>[], Draft<F>[]>
export function array(of: Fields | Field<any, any, boolean>): Field<any, any> {
  const element = of instanceof Field ? of : struct(of)
  return new Field({ type: 'array', of: element }, Object.freeze([]))
}

export function struct<F extends Fields>(fields: F): Field<Infer<F>, Draft<F>> {
  const fallback = Object.entries(fields).map(([name, field]) => [name, field.fallback])
  return new Field({ type: 'struct', fields }, Object.freeze(Object.fromEntries(fallback)))
}

/** Null is allowed from version `from` on. The default stays what it was: say `.default(null)` where it is null. */
export function nullable<V, D, O extends boolean>(
  field: Field<V, D, O>,
  from = 0,
): Field<V | null, D | null, O> {
  return new Field<V | null, D | null, O>(field.kind, field.fallback, {
    ...field.traits,
    nullableFrom: from,
  })
}

/** Declares an API. Never flexible, and advertised as understood, unless told otherwise. */
export function api<Request extends Fields, Response extends Fields>(
  declared: Omit<Api<Request, Response>, 'advertisedMin' | 'flexible'> &
    Partial<Api<Request, Response>>,
): Api<Request, Response> {
  const [min, max] = declared.versions
  assert(min <= max, `${declared.name} has at least one version`)
  return Object.freeze({ advertisedMin: min, flexible: Infinity, ...declared })
}
