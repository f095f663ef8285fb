import { describe, expect, test } from 'vitest'
import { withinBounds } from './bounds.ts'
import { definitions, schemaOf } from './definitions.ts'
import type { Schema } from './open-api.ts'

/** A value of the schema that has `more` than its bound allows of everything; with 0 it has all that they allow. */
function filled(schema: Schema, more: number): unknown {
  const { properties, additionalProperties, items, maximum = 0 } = schema
  if (schema.enum !== undefined) return schema.enum[0]
  if (schema.type === 'string') return '\u{1F98A}'.repeat(schema.maxLength! + more)
  if (schema.type === 'integer') return maximum + more
  if (schema.type === 'boolean') return true
  // One that is long is enough: of each of these lists and maps the items are alike.
  const many = <Item>(count: number, item: (at: number) => Item): Item[] =>
    Array.from({ length: count + more }, (_, at) => item(at))
  if (items !== undefined) {
    const each = filled(items, schema.maxItems! > 100 ? 0 : more)
    return many(schema.maxItems!, () => each)
  }
  if (additionalProperties !== undefined) {
    return Object.fromEntries(
      many(schema.maxProperties!, at => [
        at === 0 ? 'constructor' : `${at}`,
        at < 2 ? filled(additionalProperties, more) : '',
      ]),
    )
  }
  return Object.fromEntries(
    Object.entries(properties ?? {}).map(([name, child]) => [name, filled(child, more)]),
  )
}

/** What the API server would say of it. */
function complaints(schema: Schema, value: unknown, path = 'status'): string[] {
  const beyond = (is: number, max = Infinity): string[] =>
    is > max ? [`${path}: ${is} is more than ${max}`] : []
  if (typeof value === 'string') return beyond(Array.from(value).length, schema.maxLength)
  if (typeof value === 'number') return beyond(value, schema.maximum)
  if (Array.isArray(value)) {
    const [first, last] = [value[0], value.at(-1)]
    return [
      ...beyond(value.length, schema.maxItems),
      ...[first, last].flatMap(each => complaints(schema.items!, each, `${path}[]`)),
    ]
  }
  const entries = Object.entries(value as object)
  const { properties = {}, additionalProperties } = schema
  return [
    ...beyond(entries.length, schema.maxProperties),
    ...entries.flatMap(([name, child]) =>
      complaints(additionalProperties ?? properties[name]!, child, `${path}.${name}`),
    ),
  ]
}

describe.each(['LogCluster', 'LogTopic', 'LogBroker'] as const)('a status of a %s', kind => {
  const schema = schemaOf(definitions.find(each => each.kind === kind)!).properties!['status']!

  test('that has too much of everything is cut to what the API server takes', () => {
    const status = filled(schema, 1) as object
    expect(complaints(schema, status).length).toBeGreaterThan(5)
    const cut = withinBounds(kind, status)
    expect(complaints(schema, cut)).toEqual([])
    expect(JSON.stringify(cut)).not.toContain('\\ud')
    // What is written is what is compared with at the next pass.
    expect(withinBounds(kind, cut)).toEqual(cut)
  })

  test('that has as much as it may stays as it is, and so does what the schema does not know', () => {
    const status = { ...(filled(schema, 0) as object), later: { than: ['this', 'operator'] } }
    expect(withinBounds(kind, status)).toEqual(status)
  })
})

test('a text that is cut says so', () => {
  const conditions = [{ type: 'Ready', message: 'x'.repeat(5000) }]
  const { message } = withinBounds('LogTopic', { conditions }).conditions[0]!
  expect(message).toBe(`${'x'.repeat(4093)}...`)
})
