import type { LogClusterSpecInput } from '../../src/operator/crd/cluster.ts'
import { definitions, schemaOf } from '../../src/operator/crd/definitions.ts'
import type { Schema } from '../../src/operator/crd/open-api.ts'
import { minimal } from './world.ts'

/** A field of LogCluster's spec that has no fields of its own, and what its metadata says of a change. */
export interface SpecField {
  /** `spec.pools[].storage.volumes[].size` */
  readonly path: string
  readonly change: string
  /** A spec with this field, and one that differs from it in nothing else; null where it has one value only. */
  readonly pair: readonly [LogClusterSpecInput, LogClusterSpecInput] | null
}

type Tree = Record<string, unknown>
type Pair = readonly [unknown, unknown]

/** Values of fields that not any text or number will do for. */
const samples: Readonly<Record<string, Pair>> = {
  'spec.version': ['0.1.0', '0.2.0'],
  'spec.image.repository': ['registry.example/logcluster', 'registry.example/other'],
  'spec.passwordsRotatedAt': ['2020-01-01T00:00:00Z', '2030-01-01T00:00:00Z'],
  'spec.restartedAt': ['2020-01-01T00:00:00Z', '2030-01-01T00:00:00Z'],
  'spec.listeners[].expose.advertised.host': ['a.example', 'b.example'],
  'spec.listeners[].expose.advertised.port': ['9092', '9093'],
  'spec.rack.nodeLabel': ['example.org/rack', 'example.org/row'],
  'spec.config': [{}, { 'log.retention.ms': 5000 }],
  'spec.listeners[].name': ['internal', 'inside'],
  'spec.listeners[].port': [9092, 9093],
  // More than three: below, brokers are to have more replicas of new topics than before.
  'spec.pools[].brokers': [3, 4],
  'spec.pools[].storage.volumes[].size': ['1Gi', '2Gi'],
  'spec.rebalance.throttle': ['10Mi', '20Mi'],
  'spec.metrics.monitor.interval': ['15s', '30s'],
}

/** All of them, from the schema that the CRD is made of. */
export function specFields(): SpecField[] {
  const cluster = definitions.find(({ kind }) => kind === 'LogCluster')!
  return leaves(schemaOf(cluster).properties!['spec']!, 'spec', '')
}

function leaves(schema: Schema, path: string, inherited: string): SpecField[] {
  const change = schema['change'] === undefined ? inherited : String(schema['change'])
  if (schema.type === 'array') return leaves(schema.items!, `${path}[]`, change)
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([name, each]) =>
      leaves(each, `${path}.${name}`, change),
    )
  }
  const values = samples[path] ?? valuesOf(schema)
  return [
    {
      path,
      change,
      pair: values === null ? null : [withValue(path, values[0]), withValue(path, values[1])],
    },
  ]
}

function valuesOf({ type, enum: choices, additionalProperties }: Schema): Pair | null {
  if (choices !== undefined) return choices.length < 2 ? null : [choices[0], choices[1]]
  if (additionalProperties !== undefined) return [{ a: 'b' }, { a: 'c' }]
  if (type === 'boolean') return [false, true]
  return type === 'string' ? ['a', 'b'] : [1, 2]
}

/** What stands beside a field in a list, where the list has no item yet. */
const beside: Readonly<Record<string, Tree>> = {
  'spec.listeners[]': { name: 'internal', port: 9092 },
  'env[]': { name: 'A' },
}

/** The minimal spec with a value at `path`, and with whatever must be beside it. */
function withValue(path: string, value: unknown): LogClusterSpecInput {
  const spec = structuredClone(minimal) as unknown as Tree
  const steps = path.replaceAll('[]', '.[]').split('.').slice(1)
  let at: Tree | unknown[] = spec
  for (const [index, step] of steps.entries()) {
    const isLast = index === steps.length - 1
    const key = step === '[]' ? 0 : step
    const holder = at as Record<string | number, unknown>
    const empty = steps[index + 1] === '[]' ? [] : itemFor(steps.slice(0, index + 1))
    holder[key] = isLast ? value : (holder[key] ?? empty)
    at = holder[key] as Tree
  }
  return spec as unknown as LogClusterSpecInput
}

function itemFor(steps: readonly string[]): Tree {
  const path = steps.join('.').replaceAll('.[]', '[]')
  const found = Object.entries(beside).find(([end]) => `spec.${path}`.endsWith(end))
  return structuredClone(found?.[1] ?? required(path))
}

/** Fields without which the schema takes no such item. */
function required(path: string): Tree {
  if (path.endsWith('topologySpreadConstraints[]')) {
    return { maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule' }
  }
  if (path.endsWith('preference') || path.endsWith('nodeSelectorTerms[]')) return {}
  if (/matchExpressions\[\]$|matchFields\[\]$/.test(path)) return { key: 'a', operator: 'In' }
  if (path.endsWith('podAffinityTerm')) return { topologyKey: 'a' }
  if (/pod(Anti)?Affinity\.required.*\[\]$/.test(path)) return { topologyKey: 'a' }
  if (/nodeAffinity\.preferred.*\[\]$/.test(path)) return { weight: 1, preference: {} }
  if (/pod(Anti)?Affinity\.preferred.*\[\]$/.test(path)) {
    return { weight: 1, podAffinityTerm: { topologyKey: 'a' } }
  }
  if (/(secret|configMap)KeyRef$/.test(path)) return { name: 'a', key: 'a' }
  return {}
}
