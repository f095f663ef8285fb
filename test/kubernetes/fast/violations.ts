import type { LogBrokerManifest } from '../../../src/operator/crd/broker.ts'
import type { LogClusterManifest, LogClusterSpecInput } from '../../../src/operator/crd/cluster.ts'
import { apiVersion } from '../../../src/operator/crd/object.ts'
import type { LogTopicManifest } from '../../../src/operator/crd/topic.ts'

/** A JSON object, of which a violation changes what it likes. */
export type Loose = { [key: string]: any }

/** How a rule is violated once: what is made, or changed of what is there, and what the API server says then. */
export interface Violation {
  readonly on: 'LogCluster' | 'LogTopic' | 'LogBroker'
  /** Whether a new object is made or the one that is there is changed. */
  readonly when: 'created' | 'changed'
  readonly change: (object: Loose) => void
  /** The beginning of the rule's sentence, as far as it takes to tell it from the others. */
  readonly says: string
}

/** What is there while changes of it are refused; each field that a rule of change is about has a value. */
export const cluster: LogClusterManifest & { readonly spec: LogClusterSpecInput } = {
  apiVersion,
  kind: 'LogCluster',
  metadata: { name: 'orders' },
  spec: {
    clusterId: '8Jb3kPz1QmSx5rT0vW2yAg',
    listeners: [
      { name: 'internal', port: 9092 },
      { name: 'outside', port: 9094, expose: { type: 'NodePort' } },
    ],
    pools: [
      {
        name: 'main',
        storage: { volumes: [{ name: 'data', size: '10Gi', storageClassName: 'local' }] },
        template: { pod: { spec: { env: [{ name: 'NODE_OPTIONS', value: '' }] } } },
      },
    ],
  },
}

export const topic: LogTopicManifest = {
  apiVersion,
  kind: 'LogTopic',
  metadata: { name: 'payments' },
  spec: { clusterRef: { name: 'orders' }, topicName: 'payments.v1', partitions: 6 },
}

/** What the operator has told of each: rules of change look at it too. */
export const told: Readonly<Record<Violation['on'], object>> = {
  LogCluster: {},
  LogTopic: { partitions: 6 },
  LogBroker: { incarnation: 1 },
}

export const broker: LogBrokerManifest = {
  apiVersion,
  kind: 'LogBroker',
  metadata: { name: 'orders-main-0' },
  spec: { clusterRef: { name: 'orders' }, pool: 'main', slot: 0, brokerId: 0 },
}

const pool = (object: Loose): Loose => object['spec'].pools[0]
const volume = (object: Loose): Loose => pool(object)['storage'].volumes[0]
const listener = (object: Loose): Loose => object['spec'].listeners[0]

function ofNames(what: string, max: number, named: (object: Loose) => Loose): Violation[] {
  const at = { on: 'LogCluster', when: 'created' } as const
  return [
    {
      ...at,
      change: object => (named(object)['name'] = 'a'.repeat(max + 1)),
      says: `the name of a ${what} must have at most ${max}`,
    },
    {
      ...at,
      change: object => (named(object)['name'] = 'a--b'),
      says: `the name of a ${what} must be lower-case`,
    },
  ]
}

const ofClusters: Violation[] = [
  {
    on: 'LogCluster',
    when: 'created',
    change: object => (object['spec'].rebalance = { throttle: '0' }),
    says: 'spec.rebalance.throttle must be a quantity',
  },
  {
    on: 'LogCluster',
    when: 'created',
    change: object => (object['metadata'].name = 'a'.repeat(29)),
    says: 'metadata.name must have at most 28',
  },
  {
    on: 'LogCluster',
    when: 'created',
    change: object => (object['metadata'].name = 'orders.v1'),
    says: 'metadata.name must be lower-case',
  },
  {
    on: 'LogCluster',
    when: 'created',
    change: object => (object['spec'].version = 'registry/logcluster:1'),
    says: 'spec.version must be the tag',
  },
  {
    on: 'LogCluster',
    when: 'created',
    change: object => (object['spec'].image = { repository: 'registry.example/logcluster:0.1.0' }),
    says: 'spec.image.repository must be the name',
  },
  {
    on: 'LogCluster',
    when: 'created',
    change: object => (object['spec'].clusterId = 'short'),
    says: 'spec.clusterId must be 22 characters',
  },
  {
    on: 'LogCluster',
    when: 'changed',
    change: object => delete object['spec'].clusterId,
    says: 'spec.clusterId cannot change once it is set',
  },
  {
    on: 'LogCluster',
    when: 'created',
    change: object => (object['spec'].metrics = { monitor: { interval: '15 seconds' } }),
    says: 'metrics.monitor.interval must be a duration',
  },
]

const ofListeners: Violation[] = [
  ...ofNames('listener', 10, listener),
  {
    on: 'LogCluster',
    when: 'changed',
    change: object => (listener(object)['name'] = 'private'),
    says: 'the name of a listener cannot be private',
  },
  {
    on: 'LogCluster',
    when: 'changed',
    change: object => (listener(object)['port'] = 9404),
    says: 'the port of a listener cannot be 9091',
  },
  {
    on: 'LogCluster',
    when: 'changed',
    change: object => (listener(object)['port'] = 9094),
    says: 'spec.listeners must have different ports',
  },
  {
    on: 'LogCluster',
    when: 'changed',
    change: object => (listener(object)['expose'] = { nodePort: { bootstrapPort: 31_000 } }),
    says: 'expose.nodePort belongs to a listener of type NodePort',
  },
  ...['Broker.example', '{node}.example', '$(HOST_IP)'].map((host): Violation => ({
    on: 'LogCluster',
    when: 'changed',
    change: object => (listener(object)['expose'] = { advertised: { host } }),
    says: 'expose.advertised.host must be lower-case',
  })),
  ...['0', '65000', '{brokerId}', '{9100+pool}'].map((port): Violation => ({
    on: 'LogCluster',
    when: 'changed',
    change: object => (listener(object)['expose'] = { advertised: { port } }),
    says: 'expose.advertised.port must be a number',
  })),
  {
    on: 'LogCluster',
    when: 'changed',
    change: object => (listener(object)['expose'] = { advertised: { port: '{nodePort}' } }),
    says: 'expose.advertised.port can be {nodePort} where',
  },
  {
    on: 'LogCluster',
    when: 'changed',
    change: object => {
      listener(object)['expose'] = { advertised: { host: 'kafka.example', port: '9100' } }
      pool(object)['brokers'] = 3
    },
    says: 'expose.advertised must tell brokers apart',
  },
]

const ofPools: Violation[] = [
  ...ofNames('pool', 12, pool),
  {
    on: 'LogCluster',
    when: 'created',
    change: object => (pool(object)['brokers'] = 0),
    says: 'spec.pools must have one broker at least',
  },
]

const ofDisruption: Violation[] = [
  {
    on: 'LogCluster',
    when: 'changed',
    change: object => (object['spec'].rack = { nodeLabel: 'my rack' }),
    says: 'rack.nodeLabel must be the key of a label',
  },
  {
    on: 'LogCluster',
    when: 'changed',
    change: object => (object['spec'].disruption = { nodeGracePeriod: '5 minutes' }),
    says: 'disruption.nodeGracePeriod must be a whole number of seconds',
  },
]

const ofVolumes: Violation[] = [
  ...ofNames('volume', 12, volume),
  {
    on: 'LogCluster',
    when: 'changed',
    change: object => pool(object)['storage'].volumes.push({ ...volume(object), name: 'second' }),
    says: 'storage.volumes must have exactly one volume',
  },
  {
    on: 'LogCluster',
    when: 'changed',
    change: object => (volume(object)['name'] = 'other'),
    says: 'a volume cannot be removed or renamed',
  },
  ...['ten', '0', '-1Gi'].map((size): Violation => ({
    on: 'LogCluster',
    when: 'created',
    change: object => (volume(object)['size'] = size),
    says: 'the size of a volume must be a quantity',
  })),
  ...['9Gi', 1_000_000].map((size): Violation => ({
    on: 'LogCluster',
    when: 'changed',
    change: object => (volume(object)['size'] = size),
    says: 'the size of a volume can only grow',
  })),
  {
    on: 'LogCluster',
    when: 'changed',
    change: object => (volume(object)['storageClassName'] = 'network'),
    says: 'storageClassName of a volume cannot change',
  },
  {
    on: 'LogCluster',
    when: 'changed',
    change: object => delete volume(object)['storageClassName'],
    says: 'storageClassName of a volume cannot change',
  },
]

const ofPods: Violation[] = [
  ...(['cpu', 'memory'] as const).flatMap(what => [
    ...(['requests', 'limits'] as const).map((which): Violation => ({
      on: 'LogCluster',
      when: 'created',
      change: object => (pool(object)['resources'] = { [which]: { [what]: 'much' } }),
      says: `${what} of ${which} must be a quantity`,
    })),
    {
      on: 'LogCluster',
      when: 'created',
      change: (object: Loose) => (pool(object)['resources'] = { limits: { [what]: '1m' } }),
      says: `resources.limits.${what} must not be below`,
    } as const,
  ]),
  ...(['labels', 'annotations'] as const).flatMap(which =>
    ['logcluster', 'logcluster.dev/cluster', 'app.kubernetes.io/name'].map((key): Violation => ({
      on: 'LogCluster',
      when: 'created',
      change: object => (pool(object)['template'].pod.metadata = { [which]: { [key]: 'a' } }),
      says: `${which} of pods cannot be`,
    })),
  ),
  ...['LOGCLUSTER_NODE_ID', 'HOST_IP'].map((name): Violation => ({
    on: 'LogCluster',
    when: 'created',
    change: object => (pool(object)['template'].pod.spec.env[0].name = name),
    says: 'env cannot set HOST_IP',
  })),
]

const ofTopics: Violation[] = [
  {
    on: 'LogTopic',
    when: 'changed',
    change: object => (object['spec'].clusterRef.name = 'other'),
    says: 'spec.clusterRef cannot change, because the topic',
  },
  {
    on: 'LogTopic',
    when: 'created',
    change: object => (object['spec'].topicName = 'a'.repeat(250)),
    says: 'spec.topicName must have at most 249',
  },
  ...['with space', '..', 'a/b'].map((name): Violation => ({
    on: 'LogTopic',
    when: 'created',
    change: object => (object['spec'].topicName = name),
    says: 'spec.topicName must be letters',
  })),
  {
    on: 'LogTopic',
    when: 'created',
    change: object => (object['spec'].topicName = '__consumer_offsets'),
    says: 'spec.topicName cannot be that of an internal topic',
  },
  {
    on: 'LogTopic',
    when: 'created',
    change: object => {
      object['metadata'].name = 'a'.repeat(250)
      delete object['spec'].topicName
    },
    says: 'metadata.name must have at most 249',
  },
  ...['other', undefined].map((name): Violation => ({
    on: 'LogTopic',
    when: 'changed',
    change: object => (object['spec'].topicName = name),
    says: 'spec.topicName cannot change',
  })),
  ...[5, undefined].map((partitions): Violation => ({
    on: 'LogTopic',
    when: 'changed',
    change: object => (object['spec'].partitions = partitions),
    says: 'spec.partitions cannot be less',
  })),
]

const ofBrokers: Violation[] = [
  ...Object.entries({ clusterRef: { name: 'other' }, pool: 'other', slot: 1, brokerId: 1 }).map(
    ([name, value]): Violation => ({
      on: 'LogBroker',
      when: 'changed',
      change: object => (object['spec'][name] = value),
      says: `spec.${name} cannot change, because it says whose broker`,
    }),
  ),
  {
    on: 'LogBroker',
    when: 'changed',
    change: object => (object['spec'].replace = { incarnation: 2 }),
    says: 'spec.replace.incarnation must be an incarnation',
  },
  {
    on: 'LogBroker',
    when: 'changed',
    change: object => (object['spec'].acceptDataLoss = ['orders-0', 'payments']),
    says: 'spec.acceptDataLoss must name partitions',
  },
]

export const violations: readonly Violation[] = [
  ...ofClusters,
  ...ofListeners,
  ...ofPools,
  ...ofDisruption,
  ...ofVolumes,
  ...ofPods,
  ...ofTopics,
  ...ofBrokers,
]
