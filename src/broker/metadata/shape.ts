/** What a JSON value must look like to become a `T`. `check` throws a ShapeError that says where it does not. */
export interface Shape<T> {
  check(value: unknown, where: string): T
}

/** The type that a shape lets through. */
export type Shaped<S> = S extends Shape<infer T> ? T : never

/** A value that is not what its shape says; the message begins with the place. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'
}

/** An integer of `min` or more that a double holds exactly. */
export function whole(min: number): Shape<number> {
  return {
    check(value, where) {
      if (Number.isSafeInteger(value) && (value as number) >= min) return value as number
      return refuse(value, where, `a whole number of at least ${min}`)
    },
  }
}

export const text: Shape<string> = {
  check: (value, where) => (typeof value === 'string' ? value : refuse(value, where, 'a string')),
}

export const flag: Shape<boolean> = {
  check: (value, where) => (typeof value === 'boolean' ? value : refuse(value, where, 'a boolean')),
}

/** A uuid in Kafka's text form. */
export const uuidShape: Shape<string> = {
  check(value, where) {
    if (typeof value === 'string' && /^[A-Za-z0-9_-]{21}[AQgw]$/.test(value)) return value
    return refuse(value, where, 'a uuid of 22 base64url characters')
  },
}

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return { check: (value, where) => (value === null ? null : shape.check(value, where)) }
}

export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return {
    check(value, where) {
      if (!Array.isArray(value)) return refuse(value, where, 'a list')
      return value.map((each, at) => item.check(each, `${where}[${at}]`))
    },
  }
}

export type Fields = Readonly<Record<string, Shape<unknown>>>
export type FieldsOf<F extends Fields> = { readonly [K in keyof F]: Shaped<F[K]> }

/** An object with exactly these fields: a field too many is refused, because writing it back would drop it. */
export function object<F extends Fields>(fields: F): Shape<FieldsOf<F>> {
  const names = Object.keys(fields)
  return {
    check(value, where) {
      if (!isObject(value)) return refuse(value, where, 'an object')
      const checked: Record<string, unknown> = {}
      for (const name of names) checked[name] = fields[name]!.check(value[name], `${where}.${name}`)
      const extra = Object.keys(value).find(name => !(name in fields))
      if (extra !== undefined) throw new ShapeError(`${where} has the unknown field ${extra}`)
      return checked as FieldsOf<F>
    },
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refuse(value: unknown, where: string, wanted: string): never {
  const found = value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60)
  throw new ShapeError(`${where} should be ${wanted}, and is ${found}`)
}
