import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Field, Fields } from '../field.ts'
import { brokersApis, privateApiByKey } from '../private/index.ts'
import { apiByKey, apis } from './index.ts'

/**
 * Our tables against Apache's own declarations, version by version. They lie beside the checkout and are no part
 * of the project: where they are missing, this says so and skips.
 */
const folder = new URL('../../../../../shared/kafka-messages/', import.meta.url)
const isThere = existsSync(folder)

/** Where we end earlier than Kafka 4.3, or it has a version that is not stable. */
const cappedVersions: Record<string, number> = { InitProducerId: 5 }

const tableKeys = [
  0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 29, 30, 31, 32, 33, 34,
  35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 55, 57, 60, 61, 64, 65, 66,
  74, 75,
]

/** What brokers speak among themselves, with tagged fields of ours from this tag on. */
const brokersKeys = [56, 62, 63, 67]
const ownTagsFrom = 10_000

interface Declaration {
  readonly apiKey: number
  readonly type: 'request' | 'response'
  readonly name: string
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly fields: readonly DeclaredField[]
  readonly commonStructs?: readonly DeclaredStruct[]
}

interface DeclaredStruct {
  readonly name: string
  readonly fields: readonly DeclaredField[]
}

interface DeclaredField {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly tag?: number
  readonly default?: string | number | boolean
  readonly fields?: readonly DeclaredField[]
}

test('the tables are those of tiers T0 and T1, and what an administrator of one node asks, in order', () => {
  expect(apis.map(api => api.key)).toEqual(tableKeys)
  expect(apiByKey(18)?.name).toBe('ApiVersions')
  expect(apiByKey(4)).toBe(undefined)
})

test('what brokers speak to their controller is unknown where clients are', () => {
  expect(brokersApis.map(api => api.key)).toEqual(brokersKeys)
  for (const key of brokersKeys) expect(apiByKey(key)).toBe(undefined)
})

test('versions 0 to 2 of Produce are advertised and not understood (G2)', () => {
  for (const api of apis) expect(api.advertisedMin).toBe(api.key === 0 ? 0 : api.versions[0])
  expect(apiByKey(0)?.versions[0]).toBe(3)
})

const where = isThere ? '' : `: none in ${folder.pathname}`

describe.skipIf(!isThere)(`every table equals the declaration of Apache Kafka${where}`, () => {
  const declarations = isThere ? readDeclarations() : []

  test('all of them are compared', () => {
    expect(declarations.length).toBe((tableKeys.length + brokersKeys.length) * 2)
  })

  test.each(declarations)('$name', declaration => {
    const api = privateApiByKey(declaration.apiKey)!
    expect(`${api.name}${declaration.type === 'request' ? 'Request' : 'Response'}`).toBe(
      declaration.name,
    )
    const [min, max] = rangeOf(declaration.validVersions)
    expect(api.versions).toEqual([min, cappedVersions[api.name] ?? max])
    expect(api.flexible).toBe(rangeOf(declaration.flexibleVersions)[0])
    const structs = new Map(declaration.commonStructs?.map(({ name, fields }) => [name, fields]))
    for (let version = min; version <= max; version++) {
      expect(ours(api[declaration.type], version)).toEqual(
        theirs(declaration.fields, version, structs),
      )
    }
  })
})

function readDeclarations(): Declaration[] {
  return readdirSync(folder)
    .filter(name => /(Request|Response)\.json$/.test(name))
    .map(name => {
      const lines = readFileSync(new URL(name, folder), 'utf8').split('\n')
      const text = lines.filter(line => !line.trimStart().startsWith('//')).join('\n')
      return JSON.parse(text) as Declaration
    })
    .filter(({ apiKey }) => tableKeys.includes(apiKey) || brokersKeys.includes(apiKey))
}

/** `3-7`, `3+`, `3`, or `none`, which begins nowhere. */
function rangeOf(text: string | undefined): [min: number, max: number] {
  if (text === undefined || text === 'none') return [Infinity, -Infinity]
  const [, min, rest] = /^(\d+)(.*)$/.exec(text)!
  if (rest === '+') return [Number(min), Infinity]
  return [Number(min), rest === '' ? Number(min) : Number(rest!.slice(1))]
}

function isIn(text: string | undefined, version: number): boolean {
  const [min, max] = rangeOf(text)
  return version >= min && version <= max
}

/** A field as one version has it, comparable. */
interface Facts {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
  readonly tag: number | null
  readonly fallback: unknown
  readonly fields: readonly Facts[]
}

function ours(fields: Fields, version: number): Facts[] {
  return Object.entries(fields)
    .filter(([, { traits }]) => (traits.tagId ?? 0) < ownTagsFrom)
    .filter(([, field]) => field.isIn(version))
    .map(([name, field]) => {
      const { kind, traits } = field
      const element = kind.type === 'array' ? (kind.of as Field<unknown>).kind : kind
      return {
        name,
        type: kind.type === 'array' ? `[]${typeName(element.type)}` : typeName(element.type),
        nullable: version >= traits.nullableFrom,
        tag: traits.tagId,
        fallback: kind.type === 'struct' && field.fallback !== null ? 'struct' : field.fallback,
        fields: element.type === 'struct' ? ours(element.fields, version) : [],
      }
    })
}

function theirs(
  fields: readonly DeclaredField[],
  version: number,
  structs: ReadonlyMap<string, readonly DeclaredField[]>,
): Facts[] {
  return fields
    .filter(field => isIn(field.versions, version))
    .map(field => {
      const isArray = field.type.startsWith('[]')
      const element = field.type.replace('[]', '')
      const inner = field.fields ?? structs.get(element)
      const type = inner ? 'struct' : element
      return {
        name: field.name.charAt(0).toLowerCase() + field.name.slice(1),
        type: isArray ? `[]${type}` : type,
        nullable: isIn(field.nullableVersions, version),
        tag: isIn(field.taggedVersions, version) ? field.tag! : null,
        fallback: defaultOf(field, isArray ? 'array' : type),
        fields: inner ? theirs(inner, version, structs) : [],
      }
    })
}

/** What a field is when it is not given: as declared, or nothing in its type. */
function defaultOf({ default: declared }: DeclaredField, type: string): unknown {
  if (declared === 'null') return null
  switch (type) {
    case 'struct':
      return 'struct'
    case 'array':
      return []
    case 'string':
      return declared ?? ''
    case 'bytes':
      return new Uint8Array(0)
    case 'records':
      return null
    case 'uuid':
      return 'AAAAAAAAAAAAAAAAAAAAAA'
    case 'bool':
      return String(declared) === 'true'
    default:
      return Number(declared ?? 0)
  }
}

/** Ours tells two ways of reading one type apart. */
function typeName(type: string): string {
  return type === 'exactInt64' ? 'int64' : type
}
