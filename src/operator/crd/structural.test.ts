import { expect, test } from 'vitest'
import { category, customResourceDefinition, definitions, schemaOf } from './definitions.ts'
import { fieldsOf, rulesOf } from './fields.ts'
import type { Schema } from './open-api.ts'

/** What API servers know of a schema; they refuse a CRD with anything else, or drop it. */
const known = new Set([
  'type',
  'description',
  'format',
  'default',
  'enum',
  'properties',
  'required',
  'items',
  'additionalProperties',
  'anyOf',
  'maxLength',
  'minLength',
  'maxItems',
  'minItems',
  'maxProperties',
  'minimum',
  'maximum',
  'change',
  'x-kubernetes-validations',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
])

/** One sentence for each thing that is not structural, or has no bound, without which rules cost too much. */
function complaints(schema: Schema, path: string): string[] {
  const { properties = {}, items, additionalProperties, required = [] } = schema
  return [
    ...Object.keys(schema)
      .filter(key => !known.has(key))
      .map(key => `${path} has ${key}`),
    ...boundsMissing(schema).map(what => `${path} has no ${what}`),
    ...required
      .filter(name => properties[name]?.default !== undefined)
      .map(name => `${path}.${name} is required and has a default`),
    ...Object.entries(properties).flatMap(([name, child]) => complaints(child, `${path}.${name}`)),
    ...(items ? complaints(items, `${path}[]`) : []),
    ...(additionalProperties ? complaints(additionalProperties, `${path}{}`) : []),
  ]
}

const boundsOf: Readonly<Record<string, (schema: Schema) => (keyof Schema)[]>> = {
  string: schema => (schema.enum ? [] : ['maxLength']),
  integer: () => ['minimum', 'maximum'],
  boolean: () => [],
  array: () => ['maxItems', 'items', 'x-kubernetes-list-type'],
  object: schema => (schema.properties ? [] : ['maxProperties']),
}

function boundsMissing(schema: Schema): string[] {
  const isEither = schema['x-kubernetes-int-or-string'] === true
  if (isEither) return schema.maxLength === undefined ? ['maxLength'] : []
  const wanted = boundsOf[schema.type ?? '']?.(schema) ?? ['type']
  const isUnion = schema.anyOf !== undefined
  return [
    ...wanted.filter(key => schema[key] === undefined),
    ...(isUnion ? ['right to a union'] : []),
  ]
}

/** Whether a column's JSONPath ends at a field of `schema`: what no object ever has is printed as nothing, and nobody complains. */
function leadsToAField(schema: Schema, jsonPath: string): boolean {
  // The API server's own, of which our schemas say nothing.
  if (jsonPath === '.metadata.creationTimestamp') return true
  const [, type] = /^\.status\.conditions\[\?\(@\.type=="(\w+)"\)\]/.exec(jsonPath) ?? []
  if (type !== undefined && !conditionTypesOf(schema).includes(type)) return false
  const path = jsonPath.slice(1).replace(/\[\d+\]|\[\?\(.*\)\]/g, '[]')
  return fieldsOf(schema).some(field => field.path === path && !field.isGroup)
}

/** Their schema takes every name, but before anybody has looked at an object it has all that there are. */
function conditionTypesOf(schema: Schema): string[] {
  const status = schema.properties!['status']!.default as { conditions: { type: string }[] }
  return status.conditions.map(({ type }) => type)
}

for (const definition of definitions) {
  const schema = schemaOf(definition)
  const { spec, status } = schema.properties!

  test(`${definition.kind} is structural and has a bound everywhere`, () => {
    expect(complaints(spec!, 'spec')).toEqual([])
    expect(complaints(status!, 'status')).toEqual([])
  })

  test(`each field of ${definition.kind} has a sentence, and each that users write says what a change means`, () => {
    const fields = fieldsOf(schema)
    expect(fields.filter(field => !field.schema.description?.endsWith('.'))).toEqual([])
    const written = fields.filter(({ path, isGroup }) => path.startsWith('spec.') && !isGroup)
    expect(written.filter(({ change }) => change === null)).toEqual([])
    expect(written.length).toBeGreaterThan(0)
    expect(fields.filter(({ path, change }) => path.startsWith('status.') && change)).toEqual([])
  })

  test(`each rule of ${definition.kind} has a sentence of its own, with a remedy after a colon`, () => {
    const messages = rulesOf(schema).map(({ rule }) => rule.message)
    expect(messages.filter(message => !/^\S.*[^.]$/.test(message) || message.length > 300)).toEqual(
      [],
    )
    expect(messages.filter(message => !/: |, such as |, or /.test(message))).toEqual([])
  })

  test(`each column of ${definition.kind} is filled from a field that it has`, () => {
    const { columns } = definition
    expect(columns.filter(({ jsonPath }) => !leadsToAField(schema, jsonPath))).toEqual([])
  })

  test(`the CRD of ${definition.kind} is far below what etcd takes`, () => {
    const bytes = JSON.stringify(customResourceDefinition(definition)).length
    expect(bytes).toBeLessThan(256 * 1024)
  })
}

test('nothing that kubectl takes for a kind is the category, and no two are called alike', () => {
  const names = definitions.flatMap(({ kind, plural, shortName }) => [
    kind.toLowerCase(),
    plural,
    shortName,
  ])
  expect(new Set([...names, category]).size).toBe(names.length + 1)
})

test('a column of a field that no object has is found', () => {
  const [logCluster] = definitions.map(schemaOf)
  const wrong = [
    '.status.conditions',
    '.status.listeners[0].host',
    '.status.conditions[?(@.type=="Raedy")].status',
    '.status.conditions[?(@.type=="Ready")].state',
  ]
  expect(wrong.filter(path => leadsToAField(logCluster!, path))).toEqual([])
})

test('what is not structural is found', () => {
  const bad = {
    type: 'object',
    properties: {
      text: { type: 'string' },
      count: { type: 'integer', minimum: 0 },
      list: { type: 'array', maxItems: 3, items: { type: 'string', maxLength: 3 } },
      either: { type: 'string', maxLength: 3, anyOf: [{ type: 'string' }] },
      map: { type: 'object', additionalProperties: { type: 'string', maxLength: 3 } },
      nothing: {},
      size: { 'x-kubernetes-int-or-string': true, anyOf: [] },
      filled: { type: 'boolean', default: true },
    },
    required: ['filled'],
    additionalItems: false,
  }
  expect(complaints(bad, 'spec')).toEqual([
    'spec has additionalItems',
    'spec.filled is required and has a default',
    'spec.text has no maxLength',
    'spec.count has no maximum',
    'spec.list has no x-kubernetes-list-type',
    'spec.either has no right to a union',
    'spec.map has no maxProperties',
    'spec.nothing has no type',
    'spec.size has no maxLength',
  ])
})
