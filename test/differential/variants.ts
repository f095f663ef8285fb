import type { Api } from '../../src/broker/wire/field.ts'
import {
  type Message,
  type Shape,
  shapeOf,
  type StructShape,
  untagged,
} from '../../src/broker/wire/shape.ts'
import { zeroUuid } from '../../src/lib/uuid.ts'

/** A request with one field at an edge. */
export interface Variant {
  /** `topics[0].name = null`. */
  readonly label: string
  /** The field's place without indexes, and what is done to it: to leave some out by. */
  readonly field: string
  readonly say: string
  readonly body: Message
}

/**
 * What the table says can be put into a request: each field of `base` at every edge of its type, one at a time. Of arrays
 * the first element is varied, and the array itself is null, empty, and has that element twice. `own` makes names.
 */
export function variantsOf(
  api: Api,
  version: number,
  base: Message,
  own: (name: string) => string,
): Variant[] {
  const shape = shapeOf(api.request, version, version >= api.flexible)
  return new Varying(own).ofStruct(shape, base).map(({ path, say, value }) => ({
    label: `v${version} ${path.join('.').replaceAll(/\.(\d+)/g, '[$1]')} ${say}`,
    field: path.filter(step => !/^\d+$/.test(step)).join('.'),
    say,
    body: withAt(base, path, value) as Message,
  }))
}

interface Change {
  readonly path: readonly string[]
  readonly say: string
  readonly value: unknown
}

class Varying {
  /** Names that nothing has, that nothing may have, and none. */
  readonly #texts: readonly Edge[]

  constructor(own: (name: string) => string) {
    this.#texts = [
      ['null', null],
      ['empty', ''],
      ['a name that nothing has', own('no-such')],
      ['a name with a slash', own('a/b')],
      ['a name beyond ASCII', own('é')],
      ['a name of 250', own('').padEnd(250, 'x')],
    ]
  }

  ofStruct(shape: StructShape, base: Message): Change[] {
    return untagged(shape).flatMap(({ name, shape: of, fallback }) => {
      const value = base[name] === undefined ? fallback : base[name]
      return this.#ofValue(of, value).map(change => ({ ...change, path: [name, ...change.path] }))
    })
  }

  #ofValue(shape: Shape, base: unknown): Change[] {
    switch (shape.type) {
      case 'struct':
        return base === null ? [] : this.ofStruct(shape, base as Message)
      case 'array':
        return this.#ofArray(shape.of, base as readonly unknown[] | null)
      case 'string':
        return edges(base, this.#texts)
      case 'bytes':
      case 'records':
        return edges(base, [
          ['null', null],
          ['empty', new Uint8Array(0)],
        ])
      case 'bool':
        return edges(base, numbers([true, false]))
      case 'uuid':
        return edges(base, numbers([zeroUuid, 'c3RyYW5nZXIgaW4gdG93bg']))
      case 'float64':
        return edges(base, numbers([-1, 0, 1.5]))
      case 'int8':
        return edges(base, numbers([-128, -1, 0, 1, 2, 3, 127]))
      case 'int16':
      case 'uint16':
        return edges(base, numbers([-32_768, -1, 0, 1, 2, 32_767]))
      case 'int32':
        return edges(base, numbers([-(2 ** 31), -1, 0, 1, 2 ** 31 - 1]))
      case 'int64':
      case 'exactInt64':
        return edges(base, numbers(int64Edges))
    }
  }

  #ofArray(of: Shape, base: readonly unknown[] | null): Change[] {
    const whole: Change[] = []
    if (base !== null) whole.push({ path: [], say: '= null', value: null })
    if (base?.length !== 0) whole.push({ path: [], say: '= empty', value: [] })
    if (base === null || base.length === 0) return whole
    const twice = { path: [], say: 'has one twice', value: [base[0], ...base] }
    const inner = this.#ofValue(of, base[0])
    return [...whole, twice, ...inner.map(change => ({ ...change, path: ['0', ...change.path] }))]
  }
}

type Edge = readonly [say: string, value: unknown]

const int64Edges = [-(2n ** 63n), -2n, -1n, 0n, 1n, 2n ** 53n + 1n, 2n ** 63n - 1n]

function numbers(values: readonly (number | bigint | boolean | string)[]): Edge[] {
  return values.map(value => [String(value), value])
}

function edges(base: unknown, values: readonly Edge[]): Change[] {
  return values
    .filter(([, value]) => (value === null ? base !== null : textOf(value) !== textOf(base)))
    .map(([say, value]) => ({ path: [], say: `= ${say}`, value }))
}

/** A number and a bigint of one value are one edge. */
function textOf(value: unknown): string {
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
}

function withAt(value: unknown, path: readonly string[], by: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return by
  if (Array.isArray(value)) return value.with(Number(step), withAt(value[Number(step)], rest, by))
  const struct = value as Record<string, unknown>
  return { ...struct, [step]: withAt(struct[step], rest, by) }
}
