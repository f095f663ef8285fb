import type { Coding } from './coding.ts'
import { methodName } from './decoder-source.ts'
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
 * Writes the source of an encoder: a function `(w: Writer, value)` for each struct and each array. In a struct
 * `m` is the message, `p0`, `p1` ... where its runs begin, and `v_name` the value of the field `name`.
 */
export class EncoderSource {
  readonly #program = new Program()

  compile(shape: StructShape, url: string): Coding['encode'] {
    return this.#program.compile(this.#struct(shape), url) as Coding['encode']
  }

  #struct(shape: StructShape): string {
    const runs = runsOf(untagged(shape))
    const tags = tagged(shape)
    return this.#program.add('w, m', [
      ...runs.flatMap((run, at) => this.#run(run, `${at}`, shape.flexible)),
      ...(shape.flexible && tags.length > 0 ? this.#tags(tags) : []),
      ...(shape.flexible && tags.length === 0 ? ['w.int8(0)'] : []),
    ])
  }

  #run(run: Run, id: string, flexible: boolean): string[] {
    if (run.size === 0) return run.members.flatMap(member => this.#member(member, flexible))
    let offset = 0
    const lines = run.members.map(member => {
      const { shape } = member
      const line = `write_${shape.type}(b${id}, p${id} + ${offset}, ${this.#draft(member)})`
      offset += fixedSizeOf(shape)!
      return line
    })
    return [`const p${id} = w.take(${run.size}), b${id} = w.bytes`, ...lines]
  }

  #member(member: Member, flexible: boolean): string[] {
    const value = `v_${member.name}`
    return [
      `const ${value} = ${this.#draft(member)}`,
      ...refusal(member, value),
      this.#value(member, value, flexible),
    ]
  }

  /** What the message says, or the default where it says nothing. */
  #draft({ name, fallback }: Member): string {
    return `m.${name} === undefined ? ${this.#program.constant(fallback)} : m.${name}`
  }

  #tags(members: readonly Member[]): string[] {
    const isWritten = members.map(({ name, shape, fallback }) => {
      const facts = `${this.#program.constant(shape)}, m.${name}, ${this.#program.constant(fallback)}`
      return `const is_${name} = m.${name} !== undefined && !isDefault(${facts})`
    })
    const count = members.map(({ name }) => `is_${name}`).join(' + ')
    return [...isWritten, `w.int8(0 + ${count})`, ...members.flatMap(member => this.#tag(member))]
  }

  #tag(member: Member): string[] {
    const value = `m.${member.name}`
    return [
      `if (is_${member.name}) {`,
      ...refusal(member, value).map(line => `  ${line}`),
      `  const begin = w.openTag(${member.tagId})`,
      `  ${this.#value(member, value, true)}`,
      '  w.closeTag(begin)',
      '}',
    ]
  }

  /** A statement that writes one value. */
  #value(kind: Pick<Member, 'shape' | 'nullable'>, value: string, flexible: boolean): string {
    const { shape, nullable } = kind
    // `take` may replace the buffer, so it must come first.
    if (isFixed(shape))
      return `{ const p = w.take(${fixedSizeOf(shape)}); write_${shape.type}(w.bytes, p, ${value}) }`
    switch (shape.type) {
      case 'struct': {
        const call = `${this.#struct(shape)}(w, ${value})`
        if (!nullable) return call
        return `if (${value} === null) w.int8(-1); else { w.int8(1); ${call} }`
      }
      case 'array':
        return `${this.#array(shape, nullable, flexible)}(w, ${value})`
      case 'string':
        return `w.${methodName(nullable, flexible, 'String')}(${value})`
      case 'bytes':
        return `w.${methodName(nullable, flexible, 'ByteString')}(${value})`
      case 'records':
        return `w.${methodName(false, flexible, 'Records')}(${value})`
    }
  }

  #array(shape: ArrayShape, nullable: boolean, flexible: boolean): string {
    return this.#program.add('w, a', [
      ...(nullable ? [`if (a === null) return ${flexible ? 'w.int8(0)' : 'w.int32(-1)'}`] : []),
      'const n = a.length',
      flexible ? 'w.uvarint(n + 1)' : 'w.int32(n)',
      ...this.#elements(shape.of, flexible),
    ])
  }

  #elements(of: Shape, flexible: boolean): string[] {
    const size = fixedSizeOf(of)
    if (size === null) {
      const statement = this.#value({ shape: of, nullable: false }, 'a[i]', flexible)
      return [`for (let i = 0; i < n; i++) ${statement}`]
    }
    return [
      `const p = w.take(n * ${size}), b = w.bytes`,
      `for (let i = 0; i < n; i++) write_${of.type}(b, p + i * ${size}, a[i])`,
    ]
  }
}

/** Stops a null where this version has no way to say so: better here than in the client's decoder. */
function refusal({ name, shape, nullable }: Member, value: string): string[] {
  if (nullable || fixedSizeOf(shape) !== null) return []
  return [`if (${value} === null) refuseNull(${JSON.stringify(name)})`]
}
