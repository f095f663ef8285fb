import { z } from 'zod'

/**
 * What a change of a field means. `none`: no broker notices. `dynamic`: running brokers take it. `restart`: brokers are
 * restarted, one after another. `immutable`: the API server refuses it. A field without one has that of what holds it.
 */
export type Change = 'none' | 'dynamic' | 'restart' | 'immutable'

/** A rule that the API server evaluates (CEL). `message` is a fixed sentence that names the field and the remedy. */
export interface Rule {
  readonly rule: string
  readonly message: string
  /** For a transition rule that also holds while there is no earlier value. */
  readonly optionalOldSelf?: true
}

interface Facts {
  /** One or two sentences: what it is, its unit, what holds where it is not given. */
  readonly text: string
  readonly change?: Change
  readonly rules?: readonly Rule[]
  /** A format of OpenAPI that the API server knows, such as `date-time`. */
  readonly format?: string
}

/** Puts on `schema` what the API server, the documents and the tests are told of it. */
export function field<Schema extends z.ZodType>(schema: Schema, facts: Facts): Schema {
  const { text, change, rules, format } = facts
  return schema.meta({
    description: text,
    ...(change && { change }),
    ...(rules && { 'x-kubernetes-validations': rules }),
    ...(format && { format }),
  })
}

/** Text of at most `max` characters. Everything has a bound: without one the API server refuses rules as too costly. */
export function text(max: number): z.ZodString {
  return z.string().max(max)
}

/** Whole numbers from `min` to `max`, both included. */
export function integer(min: number, max: number): z.ZodInt {
  return z.int().min(min).max(max)
}

export const port = integer(1, 65_535)

/** `100Gi`, `"1"` or 1: a Kubernetes quantity. Its rules read it as `string(self)`. */
export function quantity(): z.ZodUnion<readonly [z.ZodString, z.ZodInt]> {
  return z.union([text(20), z.int()]).meta({ 'x-kubernetes-int-or-string': true })
}

/** A list whose items have a name, which nobody else in the list has; server-side apply merges by it. */
export function listByName<Item extends z.ZodType>(item: Item, max: number): z.ZodArray<Item> {
  return listBy('name', item, max)
}

/** A list whose items differ in `key`; server-side apply merges by it. */
export function listBy<Item extends z.ZodType>(
  key: string,
  item: Item,
  max: number,
): z.ZodArray<Item> {
  return z
    .array(item)
    .max(max)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] })
}

/** A list that is replaced as a whole. */
export function wholeList<Item extends z.ZodType>(item: Item, max: number): z.ZodArray<Item> {
  return z.array(item).max(max).meta({ 'x-kubernetes-list-type': 'atomic' })
}

/** Names and texts, as labels and annotations are. */
export function textMap(
  maxProperties: number,
  maxLength: number,
): z.ZodRecord<z.ZodString, z.ZodString> {
  return z.record(z.string(), text(maxLength)).meta({ maxProperties })
}

const kafkaConfigMax = 256

/**
 * Kafka's settings by their names, each a scalar as YAML reads it. What is unknown is kept: the operator, which has the
 * broker's own table, judges keys and values and says in a condition what is wrong.
 */
export function kafkaConfig(): z.ZodRecord<z.ZodString, z.ZodType<ConfigValue, ConfigValue>> {
  return z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .meta({ 'x-kubernetes-preserve-unknown-fields': true, maxProperties: kafkaConfigMax })
}

export type ConfigValue = string | number | boolean

/** Settings that were set for a `kafkaConfig`: those that it has, and as many that it had and that are to be reset yet. */
export function appliedConfigs(): z.ZodRecord<z.ZodString, z.ZodString> {
  return textMap(2 * kafkaConfigMax, 16_384)
}

/** A rule for a name that becomes part of others: DNS-1035 without double dashes, at most `max` characters. */
export function nameRules(what: string, max: number): Rule[] {
  return [
    {
      rule: `self.size() <= ${max}`,
      message: `${what} must have at most ${max} characters, because names of objects are made with it: choose a shorter one`,
    },
    {
      rule: "self.matches('^[a-z][a-z0-9]*(-[a-z0-9]+)*$')",
      message: `${what} must be lower-case letters, digits and single dashes, begin with a letter and not end with a dash, such as 'main'`,
    },
  ]
}

/** The rule of a field that keeps the value that it was created with. `because` goes on to the remedy, after a colon. */
export function immutable(what: string, because: string): Rule {
  return { rule: 'self == oldSelf', message: `${what} cannot change, because ${because}` }
}
