import type { Coding } from './coding.ts'
import { Program } from './program.ts'
import {
  type ArrayShape,
  fixedSizeOf,
  isFixed,
  type Member,
  type Run,
  runsOf,
  type Shape,
  type StructShape,
  tagged,
  untagged,
} from './shape.ts'

/**
 * Writes the source of a decoder: a function `(r: Reader)` for each struct and each array. In a struct `b` is
 * the bytes, `p0`, `p1` ... where its runs begin, and `v_name` the value of the field `name`.
 */
export class DecoderSource {
  readonly #program = new Program()

  compile(shape: StructShape, url: string): Coding['decode'] {
    return this.#program.compile(this.#struct(shape), url) as Coding['decode']
  }

  #struct(shape: StructShape): string {
    const runs = runsOf(untagged(shape))
    const tags = tagged(shape)
    const properties = shape.members.map(({ name, present, fallback }) =>
      present ? `${name}: v_${name}` : `${name}: ${this.#program.constant(fallback)}`,
    )
    return this.#program.add('r', [
      'const b = r.bytes',
      ...runs.flatMap((run, at) => this.#run(run, `p${at}`, shape.flexible)),
      ...(shape.flexible && tags.length > 0 ? this.#tags(tags) : []),
      ...(shape.flexible && tags.length === 0 ? ['r.skipTags()'] : []),
      `return { ${properties.join(', ')} }`,
    ])
  }

  #run(run: Run, place: string, flexible: boolean): string[] {
    if (run.size === 0) {
      return run.members.map(member => `const v_${member.name} = ${this.#value(member, flexible)}`)
    }
    let offset = 0
    const lines = run.members.map(({ name, shape }) => {
      const line = `const v_${name} = read_${shape.type}(b, ${place} + ${offset})`
      offset += fixedSizeOf(shape)!
      return line
    })
    return [`const ${place} = r.take(${run.size})`, ...lines]
  }

  #tags(members: readonly Member[]): string[] {
    return [
      ...members.map(({ name, fallback }) => `let v_${name} = ${this.#program.constant(fallback)}`),
      'for (let left = r.tagCount(); left > 0; left--) {',
      '  const id = r.uvarint(), stop = r.tagEnd()',
      '  switch (id) {',
      ...members.map(
        member =>
          `    case ${member.tagId}: v_${member.name} = ${this.#value(member, true)}; break`,
      ),
      '    default: r.at = stop',
      '  }',
      '  r.endTag(stop)',
      '}',
    ]
  }

  /** An expression that reads one value. */
  #value(value: Pick<Member, 'shape' | 'nullable'>, flexible: boolean): string {
    const { shape, nullable } = value
    if (isFixed(shape)) return `read_${shape.type}(r.bytes, r.take(${fixedSizeOf(shape)}))`
    switch (shape.type) {
      case 'struct': {
        const call = `${this.#struct(shape)}(r)`
        return nullable ? `(r.isPresent() ? ${call} : null)` : call
      }
      case 'array':
        return `${this.#array(shape, nullable, flexible)}(r)`
      case 'string':
        return `r.${methodName(nullable, flexible, 'String')}()`
      case 'bytes':
        return `r.${methodName(nullable, flexible, 'ByteString')}()`
      case 'records':
        return `r.${methodName(false, flexible, 'Records')}()`
    }
  }

  #array(shape: ArrayShape, nullable: boolean, flexible: boolean): string {
    const count = `r.${methodName(nullable, flexible, 'Count')}(${shape.elementSizeMin})`
    return this.#program.add('r', [
      `const n = ${count}`,
      ...(nullable ? ['if (n < 0) return null'] : []),
      // What costs more heap than bytes is charged before it is allocated.
      ...(isFixed(shape.of) ? [] : ['r.charge(n)']),
      'const a = new Array(n)',
      ...this.#elements(shape.of, flexible),
      'return a',
    ])
  }

  #elements(of: Shape, flexible: boolean): string[] {
    const size = fixedSizeOf(of)
    if (size === null) {
      const value = this.#value({ shape: of, nullable: false }, flexible)
      return [`for (let i = 0; i < n; i++) a[i] = ${value}`]
    }
    return [
      `const b = r.bytes, p = r.take(n * ${size})`,
      `for (let i = 0; i < n; i++) a[i] = read_${of.type}(b, p + i * ${size})`,
    ]
  }
}

/** `nullableCompactString` and its like: what the reader and the writer call each form. */
export function methodName(nullable: boolean, flexible: boolean, word: string): string {
  const name = `${nullable ? 'Nullable' : ''}${flexible ? 'Compact' : ''}${word}`
  return name.charAt(0).toLowerCase() + name.slice(1)
}
