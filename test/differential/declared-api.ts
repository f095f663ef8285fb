import { existsSync, readdirSync, readFileSync } from 'node:fs'
import {
  api,
  type Api,
  array,
  bool,
  bytes,
  type Field,
  type Fields,
  float64,
  int16,
  int32,
  int64,
  int8,
  nullable,
  records,
  string,
  struct,
  uint16,
  uuid,
} from '../../src/broker/wire/field.ts'

/**
 * Tables of all APIs of Kafka 4.3, read from Apache's own declarations where they lie beside the checkout: for asking Kafka
 * what it does with the APIs that have no table of ours.
 */
export function declaredApis(): Api[] | null {
  if (!existsSync(folder)) return null
  const messages = readdirSync(folder)
    .filter(name => /(Request|Response)\.json$/.test(name))
    .map(name => parse(readFileSync(new URL(name, folder), 'utf8')))
  return messages
    .filter(({ type, validVersions }) => type === 'request' && validVersions !== 'none')
    .map(request => {
      const response = messages.find(of => of.type === 'response' && of.apiKey === request.apiKey)
      return apiOf(request, response!)
    })
    .toSorted((a, b) => a.key - b.key)
}

const folder = new URL('../../../shared/kafka-messages/', import.meta.url)

interface Declaration {
  readonly apiKey: number
  readonly type: string
  readonly name: string
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly fields: readonly DeclaredField[]
  readonly commonStructs?: readonly {
    readonly name: string
    readonly fields: readonly DeclaredField[]
  }[]
}

interface DeclaredField {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly tag?: number
  readonly default?: string | number | boolean
  readonly fields?: readonly DeclaredField[]
}

/** The declarations have comments on lines of their own. */
function parse(text: string): Declaration {
  const lines = text.split('\n').filter(line => !line.trimStart().startsWith('//'))
  return JSON.parse(lines.join('\n')) as Declaration
}

function apiOf(request: Declaration, response: Declaration): Api {
  return api({
    key: request.apiKey,
    name: request.name.replace(/Request$/, ''),
    versions: rangeOf(request.validVersions) as [number, number],
    flexible: rangeOf(request.flexibleVersions)[0],
    request: fieldsOf(request),
    response: fieldsOf(response),
  })
}

function fieldsOf({ fields, commonStructs = [] }: Declaration): Fields {
  const structs = new Map(commonStructs.map(({ name, fields: of }) => [name, of]))
  return structOf(fields, structs)
}

type Structs = ReadonlyMap<string, readonly DeclaredField[]>

function structOf(fields: readonly DeclaredField[], structs: Structs): Fields {
  return Object.fromEntries(
    fields.map(field => [
      field.name.charAt(0).toLowerCase() + field.name.slice(1),
      fieldOf(field, structs),
    ]),
  )
}

function fieldOf(declared: DeclaredField, structs: Structs): Field<any, any, boolean> {
  const [from, to] = rangeOf(declared.versions)
  let field = typeOf(declared, structs).since(from).until(to)
  const nullableFrom = rangeOf(declared.nullableVersions)[0]
  if (nullableFrom !== Infinity) field = nullable(field, nullableFrom)
  if (declared.default === 'null') field = field.default(null)
  else if (declared.default !== undefined) field = field.default(valueOf(declared))
  return declared.tag === undefined ? field : field.tag(declared.tag)
}

function valueOf({ default: value, type }: DeclaredField): unknown {
  if (type === 'string') return String(value)
  return type === 'bool' ? String(value) === 'true' : Number(value)
}

function typeOf(declared: DeclaredField, structs: Structs): Field<any, any, boolean> {
  const element = declared.type.replace('[]', '')
  const inner = declared.fields ?? structs.get(element)
  const of = inner === undefined ? scalars[element]! : struct(structOf(inner, structs))
  return declared.type.startsWith('[]') ? array(of) : of
}

const scalars: Readonly<Record<string, Field<any, any, boolean>>> = {
  bool,
  int8,
  int16,
  uint16,
  int32,
  int64,
  float64,
  string,
  uuid,
  bytes,
  records,
}

/** `3-7`, `3+`, `3`, or `none`, which begins nowhere. */
function rangeOf(text: string | undefined): [min: number, max: number] {
  if (text === undefined || text === 'none') return [Infinity, -Infinity]
  const [, min, rest] = /^(\d+)(.*)$/.exec(text)!
  if (rest === '+') return [Number(min), Infinity]
  return [Number(min), rest === '' ? Number(min) : Number(rest!.slice(1))]
}
