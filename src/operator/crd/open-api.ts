import { z } from 'zod'
import type { Change, Rule } from './field.ts'

/** A structural schema, as Kubernetes wants it: no unions, no references. `change` is ours and is left out of CRDs. */
export interface Schema {
  type?: string
  description?: string
  change?: Change
  format?: string
  default?: unknown
  enum?: unknown[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema
  items?: Schema
  anyOf?: { type: string }[]
  maxLength?: number
  minLength?: number
  maxItems?: number
  minItems?: number
  maxProperties?: number
  minimum?: number
  maximum?: number
  'x-kubernetes-validations'?: Rule[]
  'x-kubernetes-list-type'?: string
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-preserve-unknown-fields'?: boolean
}

/** What `type` is as a structural schema, with each field's `change`. */
export function openApiOf(type: z.ZodType): Schema {
  return z.toJSONSchema(type, {
    target: 'openapi-3.0',
    io: 'input',
    override: ({ jsonSchema }) =>
      makeStructural(jsonSchema as Schema & { propertyNames?: unknown }),
  }) as Schema
}

function makeStructural(schema: Schema & { propertyNames?: unknown }): void {
  delete schema.propertyNames
  if (schema['x-kubernetes-int-or-string']) {
    schema.anyOf = [{ type: 'integer' }, { type: 'string' }]
    schema.maxLength = 20
  }
  if (schema['x-kubernetes-preserve-unknown-fields']) delete schema.additionalProperties
  if (schema.type === 'integer' && schema.maximum !== undefined) {
    schema.format = schema.maximum < 2 ** 31 ? 'int32' : 'int64'
  }
}

/** `schema` without what is not Kubernetes'. */
export function withoutChanges(schema: Schema): Schema {
  const { change: _, properties, items, additionalProperties, ...rest } = schema
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, child]) => [name, withoutChanges(child)]),
      ),
    }),
    ...(items && { items: withoutChanges(items) }),
    ...(additionalProperties && { additionalProperties: withoutChanges(additionalProperties) }),
  }
}
