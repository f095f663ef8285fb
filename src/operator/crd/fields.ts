import type { Change, Rule } from './field.ts'
import type { Schema } from './open-api.ts'

/** One field of a kind, as documents and tests see it. */
export interface Field {
  /** `spec.pools[].storage.volumes[].size`; `{}` stands for a key that users choose. */
  readonly path: string
  readonly schema: Schema
  readonly isRequired: boolean
  /** Its own, or that of what holds it; null for what the operator writes. */
  readonly change: Change | null
  /** Whether it has fields of its own. */
  readonly isGroup: boolean
}

/** Every field below `schema`, each before those that it holds. */
export function fieldsOf(schema: Schema): Field[] {
  const { spec, status } = schema.properties!
  return [
    ...fieldsBelow(spec!, { path: 'spec', change: null }),
    ...fieldsBelow(status!, { path: 'status', change: null }),
  ]
}

interface Place {
  readonly path: string
  readonly change: Change | null
}

function fieldsBelow(schema: Schema, place: Place): Field[] {
  const { properties = {}, required = [] } = schema
  return Object.entries(properties).flatMap(([name, child]) => {
    const at = { path: `${place.path}.${name}`, change: child.change ?? place.change }
    const isRequired = required.includes(name)
    const inside = insideOf(child)
    const below =
      inside === null ? [] : fieldsBelow(inside.schema, { ...at, path: at.path + inside.mark })
    return [{ ...at, schema: child, isRequired, isGroup: below.length > 0 }, ...below]
  })
}

function insideOf(schema: Schema): { readonly schema: Schema; readonly mark: string } | null {
  if (schema.properties) return { schema, mark: '' }
  if (schema.items) return { schema: schema.items, mark: '[]' }
  if (schema.additionalProperties) return { schema: schema.additionalProperties, mark: '{}' }
  return null
}

/** Every rule of `schema` and of what it holds, with the path of what it is about; '' is the object itself. */
export function rulesOf(
  schema: Schema,
  path = '',
): { readonly path: string; readonly rule: Rule }[] {
  const own = (schema['x-kubernetes-validations'] ?? []).map(rule => ({ path, rule }))
  const { properties = {}, items, additionalProperties } = schema
  return [
    ...own,
    ...Object.entries(properties).flatMap(([name, child]) =>
      rulesOf(child, path === '' ? name : `${path}.${name}`),
    ),
    ...(items ? rulesOf(items, `${path}[]`) : []),
    ...(additionalProperties ? rulesOf(additionalProperties, `${path}{}`) : []),
  ]
}
