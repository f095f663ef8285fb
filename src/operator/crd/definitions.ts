import type { z } from 'zod'
import { logBrokerRules, logBrokerSpec, logBrokerStatus } from './broker.ts'
import { logClusterStatus } from './cluster-status.ts'
import { logClusterRules, logClusterSpec } from './cluster.ts'
import type { Rule } from './field.ts'
import { group, version } from './object.ts'
import { openApiOf, withoutChanges, type Schema } from './open-api.ts'
import { logTopicRules, logTopicSpec, logTopicStatus } from './topic.ts'

interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date'
  readonly jsonPath: string
  /** 1: only with `kubectl get -o wide`. */
  readonly priority?: 1
}

/**
 * The front door of the room: one kind of objects. Types, CRDs, their CEL rules, defaults, pages and schemas are made of this one source, so
 * that what the API server refuses, what a page says and what the operator reads cannot differ.
 */
export interface Definition {
  readonly kind: string
  readonly plural: string
  readonly shortName: string
  readonly text: string
  readonly spec: z.ZodType
  readonly status: z.ZodType
  readonly rules: readonly Rule[]
  readonly columns: readonly Column[]
}

const age: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

function conditionColumn(
  name: string,
  type: string,
  what: 'status' | 'reason' | 'message',
): Column {
  return { name, type: 'string', jsonPath: `.status.conditions[?(@.type=="${type}")].${what}` }
}

function text(name: string, jsonPath: string): Column {
  return { name, type: 'string', jsonPath }
}

function wide(column: Column): Column {
  return { ...column, priority: 1 }
}

/** The category: `kubectl get lc-all` lists all kinds. None of them may be called like it. */
export const category = 'lc-all'

export const definitions: readonly Definition[] = [
  {
    kind: 'LogCluster',
    plural: 'logclusters',
    shortName: 'lc',
    text: 'A cluster of brokers that speak the Kafka protocol.',
    spec: logClusterSpec,
    status: logClusterStatus,
    rules: logClusterRules,
    columns: [
      conditionColumn('Ready', 'Ready', 'status'),
      text('Brokers', '.status.columns.brokers'),
      text('Version', '.status.version'),
      text('Status', '.status.columns.status'),
      wide(text('Bootstrap', '.status.listeners[0].bootstrap')),
      wide(text('Cluster-Id', '.status.clusterId')),
      wide(conditionColumn('Message', 'Ready', 'message')),
      age,
    ],
  },
  {
    kind: 'LogTopic',
    plural: 'logtopics',
    shortName: 'lt',
    text: 'A topic of a LogCluster.',
    spec: logTopicSpec,
    status: logTopicStatus,
    rules: logTopicRules,
    columns: [
      text('Cluster', '.spec.clusterRef.name'),
      { name: 'Partitions', type: 'integer', jsonPath: '.status.partitions' },
      conditionColumn('Ready', 'Ready', 'status'),
      conditionColumn('Status', 'Ready', 'reason'),
      wide(text('Topic', '.status.topicName')),
      wide(text('Topic-Id', '.status.topicId')),
      wide(conditionColumn('Message', 'Ready', 'message')),
      age,
    ],
  },
  {
    kind: 'LogBroker',
    plural: 'logbrokers',
    shortName: 'lb',
    text: 'One broker of a LogCluster. The operator makes it; only `spec.restartedAt` and `spec.replace` are for people.',
    spec: logBrokerSpec,
    status: logBrokerStatus,
    rules: logBrokerRules,
    columns: [
      text('Cluster', '.spec.clusterRef.name'),
      { name: 'Id', type: 'integer', jsonPath: '.spec.brokerId' },
      conditionColumn('Ready', 'Ready', 'status'),
      text('Node', '.status.node'),
      text('Version', '.status.version'),
      text('Status', '.status.columns.status'),
      wide({ name: 'Incarnation', type: 'integer', jsonPath: '.status.incarnation' }),
      wide(text('Claim', '.status.volume.claim')),
      wide(text('Size', '.status.volume.size')),
      wide(conditionColumn('Message', 'Ready', 'message')),
      age,
    ],
  },
]

/** The schema of a whole object of `definition`, with each field's `change`. */
export function schemaOf(definition: Definition): Schema {
  const { text: description, spec, status, rules } = definition
  return {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: openApiOf(spec),
      status: openApiOf(status),
    },
    'x-kubernetes-validations': [...rules],
  }
}

/** The CustomResourceDefinition of `definition`, as it is applied. */
export function customResourceDefinition(definition: Definition): object {
  const { kind, plural, shortName, columns } = definition
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: [category],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          additionalPrinterColumns: columns,
          subresources: { status: {} },
          schema: { openAPIV3Schema: withoutChanges(schemaOf(definition)) },
        },
      ],
    },
  }
}
