import { definitions, schemaOf } from './definitions.ts'
import type { Schema } from './open-api.ts'

/** What stands at the end of a text that was cut. */
const cutMark = '...'

type Kind = 'LogCluster' | 'LogTopic' | 'LogBroker'

const statusSchemas = new Map<Kind, Schema>()

/**
 * A status as the API server takes it: every text, list, map and number of it within the bounds of its schema. One that is beyond a single
 * bound is refused as a whole, and the object would go on saying what was true before. What the schema does not know stays.
 */
export function withinBounds<Status extends object>(kind: Kind, status: Status): Status {
  return bounded(statusSchemaOf(kind), status) as Status
}

function statusSchemaOf(kind: Kind): Schema {
  const known = statusSchemas.get(kind)
  if (known !== undefined) return known
  const definition = definitions.find(each => each.kind === kind)!
  const schema = schemaOf(definition).properties!['status']!
  statusSchemas.set(kind, schema)
  return schema
}

function bounded(schema: Schema | undefined, value: unknown): unknown {
  if (schema === undefined) return value
  if (typeof value === 'string') return cut(value, schema.maxLength ?? Infinity)
  if (typeof value === 'number') {
    return Math.min(Math.max(value, schema.minimum ?? -Infinity), schema.maximum ?? Infinity)
  }
  if (Array.isArray(value)) {
    return value.slice(0, schema.maxItems).map(each => bounded(schema.items, each))
  }
  if (typeof value !== 'object' || value === null) return value
  const { properties = {}, additionalProperties, maxProperties } = schema
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, maxProperties)
      .map(([name, part]) => [name, bounded(additionalProperties ?? properties[name], part)]),
  )
}

/** The API server counts characters, and a half of one is none: it would read something else than was written. */
function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  const characters = Array.from(text)
  if (characters.length <= lengthMax) return text
  return characters.slice(0, lengthMax - cutMark.length).join('') + cutMark
}
