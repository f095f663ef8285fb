/** What a JSON value must look like to be a `T`. `check` gives it as one, or throws a ShapeError that says where it is not. */
export interface Shape<T> {
  check(value: unknown): T
}

/** The type that a shape lets through. */
export type Shaped<S> = S extends Shape<infer T> ? T : never

/** A value that is not what its shape says. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'
  readonly #where: string
  readonly #what: string

  constructor(where: string, what: string) {
    super(`${where} ${what}`)
    this.#where = where
    this.#what = what
  }

  /** As seen from around it: places are only spelled out where something is wrong. */
  within(step: string): ShapeError {
    return new ShapeError(`${step}${this.#where}`, this.#what)
  }
}

/** An integer of `min` or more that a double holds exactly. */
export function whole(min: number): Shape<number> {
  return {
    check(value) {
      if (Number.isSafeInteger(value) && (value as number) >= min) return value as number
      return refuse(value, `a whole number of at least ${min}`)
    },
  }
}

export const text: Shape<string> = {
  check: value => (typeof value === 'string' ? value : refuse(value, 'a string')),
}

export const flag: Shape<boolean> = {
  check: value => (typeof value === 'boolean' ? value : refuse(value, 'a boolean')),
}

/** One of these words. */
export function oneOf<const W extends readonly string[]>(...words: W): Shape<W[number]> {
  return {
    check: value =>
      words.includes(value as string)
        ? (value as W[number])
        : refuse(value, `one of ${words.join(', ')}`),
  }
}

/** A uuid in Kafka's text form. */
export const uuidShape: Shape<string> = {
  check(value) {
    if (typeof value === 'string' && /^[A-Za-z0-9_-]{21}[AQgw]$/.test(value)) return value
    return refuse(value, 'a uuid of 22 base64url characters')
  },
}

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return { check: value => (value === null ? null : shape.check(value)) }
}

export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return {
    check(value) {
      if (!Array.isArray(value)) return refuse(value, 'a list')
      let at = 0
      try {
        for (; at < value.length; at++) item.check(value[at])
      } catch (error) {
        throw within(`[${at}]`, error)
      }
      return value
    },
  }
}

export type Fields = Readonly<Record<string, Shape<unknown>>>
export type FieldsOf<F extends Fields> = { readonly [K in keyof F]: Shaped<F[K]> }

/** An object with exactly these fields: a field too many is refused, because writing it back would drop it. */
export function object<F extends Fields>(fields: F): Shape<FieldsOf<F>> {
  const names = Object.keys(fields)
  return {
    check(value) {
      if (!isObject(value)) return refuse(value, 'an object')
      let name = ''
      try {
        for (name of names) fields[name]!.check(value[name])
      } catch (error) {
        throw within(`.${name}`, error)
      }
      for (const found in value) {
        if (!Object.hasOwn(fields, found)) {
          throw new ShapeError('', `has the unknown field ${found}`)
        }
      }
      return value as FieldsOf<F>
    },
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function within(step: string, error: unknown): unknown {
  return error instanceof ShapeError ? error.within(step) : error
}

function refuse(value: unknown, wanted: string): never {
  const found = value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60)
  throw new ShapeError('', `should be ${wanted}, and is ${found}`)
}
