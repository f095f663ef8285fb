import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { brokerConditions } from '../src/operator/crd/broker.ts'
import { clusterConditions } from '../src/operator/crd/cluster-status.ts'
import type { ConditionTable } from '../src/operator/crd/condition.ts'
import {
  category,
  customResourceDefinition,
  definitions,
  schemaOf,
  type Definition,
} from '../src/operator/crd/definitions.ts'
import { fieldsOf, rulesOf, type Field } from '../src/operator/crd/fields.ts'
import { apiVersion, group } from '../src/operator/crd/object.ts'
import { withoutChanges, type Schema } from '../src/operator/crd/open-api.ts'
import { topicConditions } from '../src/operator/crd/topic.ts'

const origin = 'Written by `node tools/generate-docs.ts` from src/operator/crd: change it there.'

/** The files that the CRDs become: each as the chart has it, and one schema each for editors. */
export const crdFiles = definitions.flatMap(definition => [
  {
    path: `charts/logcluster/files/crds/${definition.plural}.yaml`,
    content: () =>
      `# ${origin}\n${stringify(customResourceDefinition(definition), { lineWidth: 0, aliasDuplicateObjects: false })}`,
  },
  {
    path: `docs/schemas/${definition.kind.toLowerCase()}.json`,
    content: () => `${JSON.stringify(editorSchema(definition), null, 2)}\n`,
  },
])

/** A JSON Schema for editors; what only a running API server can say is not in it. */
function editorSchema(definition: Definition): object {
  const schema = withoutChanges(schemaOf(definition))
  const { spec, metadata } = schema.properties!
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $comment: origin,
    description: schema.description,
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      apiVersion: { const: apiVersion },
      kind: { const: definition.kind },
      metadata,
      spec: withoutKubernetes(spec!),
    },
  }
}

function withoutKubernetes(schema: Schema): Schema {
  const kept = Object.entries(schema).filter(([key]) => !key.startsWith('x-kubernetes-'))
  const { properties, items, additionalProperties, ...rest } = Object.fromEntries(kept) as Schema
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, child]) => [name, withoutKubernetes(child)]),
      ),
    }),
    ...(items && { items: withoutKubernetes(items) }),
    ...(additionalProperties && { additionalProperties: withoutKubernetes(additionalProperties) }),
  }
}

function minimal(): string[] {
  const path = join(import.meta.dirname, '../examples/minimal.yaml')
  return readFileSync(path, 'utf8').trimEnd().split('\n')
}

const conditionTables: Readonly<Record<string, ConditionTable>> = {
  LogCluster: clusterConditions,
  LogTopic: topicConditions,
  LogBroker: brokerConditions,
}

/** Inside what is as in a pod of Kubernetes, whose documentation tells it better. */
export const isKubernetes = /\.template\.pod\.spec\.\w+[.[{]/

/** docs/crds.md, whole. */
export function crdsDocument(): string {
  return [
    '# LogCluster, LogTopic, LogBroker',
    '',
    `<!-- ${origin} -->`,
    '',
    `The objects that the operator knows: group \`${group}\`, version \`${apiVersion.split('/')[1]}\`. \`kubectl get ${category}\` lists all of them.`,
    'The least that makes a cluster, [examples/minimal.yaml](../examples/minimal.yaml):',
    '',
    '```yaml',
    ...minimal(),
    '```',
    '',
    'More, up to every field, are in [examples](../examples). [kubernetes.md](kubernetes.md) tells what the operator does with them, and the',
    'reasons of its conditions. Editors complete and check fields by the [schemas](schemas), as the first line above asks them to.',
    '',
    'What a change of a field means:',
    '',
    '| | |',
    '|---|---|',
    '| none | no broker notices |',
    '| dynamic | running brokers take it; of `spec.config`, what [settings.md](settings.md) says takes effect *at restart* restarts them |',
    '| restart | brokers are restarted, one after another |',
    '| immutable | the API server refuses it |',
    ...definitions.flatMap(documentOf),
    '',
  ].join('\n')
}

function documentOf(definition: Definition): string[] {
  const schema = schemaOf(definition)
  const fields = fieldsOf(schema)
  return [
    '',
    `## ${definition.kind}`,
    '',
    `${definition.text} Short name \`${definition.shortName}\`.`,
    '',
    '| field | type | default | a change | what it is |',
    '|---|---|---|---|---|',
    ...fields
      .filter(({ path }) => path.startsWith('spec.') && !isKubernetes.test(path))
      .map(specRow),
    '',
    '### Status',
    '',
    '| field | type | what it is |',
    '|---|---|---|',
    ...fields.filter(({ path }) => path.startsWith('status.')).map(statusRow),
    '',
    '### Conditions',
    '',
    '| type | while it is True |',
    '|---|---|',
    ...Object.entries(conditionTables[definition.kind]!).map(
      ([type, sentence]) => `| ${type} | ${sentence} |`,
    ),
    '',
    '### What is refused, and what it says',
    '',
    ...rulesOf(schema).map(({ rule }) => `- ${rule.message}`),
  ]
}

function specRow({ path, schema, isRequired, change }: Field): string {
  return tableRow([
    `\`${path}\``,
    typeText(schema),
    defaultText(schema, isRequired),
    change ?? '',
    schema.description ?? '',
  ])
}

function statusRow({ path, schema }: Field): string {
  return tableRow([`\`${path}\``, typeText(schema), schema.description ?? ''])
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function defaultText(schema: Schema, isRequired: boolean): string {
  if (isRequired) return '(required)'
  const { default: value } = schema
  if (value === undefined || isEmpty(value)) return ''
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function typeText(schema: Schema): string {
  if (schema.enum) return schema.enum.join(' or ')
  if (schema['x-kubernetes-int-or-string']) return 'quantity'
  if (schema['x-kubernetes-preserve-unknown-fields']) return 'scalars by name'
  if (schema.format === 'date-time') return 'time'
  if (schema.type === 'integer') return integerText(schema)
  if (schema.type === 'array') return listText(schema)
  if (schema.additionalProperties) return `${typeText(schema.additionalProperties)} by name`
  return schema.type === 'string' ? 'text' : (schema.type ?? '')
}

function integerText({ minimum, maximum }: Schema): string {
  return maximum === Number.MAX_SAFE_INTEGER ? 'integer' : `${minimum} to ${maximum}`
}

function listText({ items, 'x-kubernetes-list-map-keys': keys }: Schema): string {
  const what = items?.properties ? 'objects' : `${typeText(items ?? {})}s`
  return keys ? `${what} by \`${keys.join(', ')}\`` : `list of ${what}`
}
