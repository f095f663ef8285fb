import {
  logClusterSpec,
  type LogCluster,
  type LogClusterSpec,
  type LogClusterSpecInput,
} from '../../src/operator/crd/cluster.ts'
import { apiVersion } from '../../src/operator/crd/object.ts'
import { names } from '../../src/operator/desired/names.ts'
import type { BrokerPod } from '../../src/operator/desired/pod-template.ts'
import { exposed } from '../../src/operator/desired/services.ts'
import { wantedSettings } from '../../src/operator/desired/settings.ts'
import { imageOf } from '../../src/operator/plan/broker-view.ts'
import { at, minimal } from './world.ts'

/** A cluster that is born, as the API server would give it. */
function clusterWith(spec: LogClusterSpec): LogCluster {
  return {
    apiVersion,
    kind: 'LogCluster',
    metadata: {
      ...at,
      uid: '6f1c2a52-3c0e-4b7e-9d5e-0c8f0b7a1d11',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-11-27T12:00:00Z',
    },
    spec,
    status: { clusterId: 'bxwqUjwOS36dXgyPC3odEQ', version: '0.1.0' },
  }
}

/** Its first broker. */
export function brokerPod(of: { readonly spec: LogClusterSpec }): BrokerPod {
  return brokerPods(of)[0]!
}

/** All of them, in order. */
export function brokerPods({ spec }: { readonly spec: LogClusterSpec }): BrokerPod[] {
  const places = spec.pools.flatMap(pool =>
    Array.from({ length: pool.brokers }, (_, slot) => ({ pool, slot })),
  )
  return places.map((place, brokerId) => podAt(spec, { ...place, brokerId }))
}

interface Place {
  readonly pool: LogClusterSpec['pools'][number]
  readonly slot: number
  readonly brokerId: number
}

function podAt(spec: LogClusterSpec, { pool, slot, brokerId }: Place): BrokerPod {
  const cluster = clusterWith(spec)
  const settings = wantedSettings(spec.config)
  if (settings.kind !== 'settings') throw new Error(settings.problems.join())
  const defaults = { repository: 'localhost/logcluster', version: '0.1.0' }
  return {
    cluster,
    pool,
    fixed: settings.fixed,
    broker: {
      name: names.broker(cluster.metadata.name, pool.name, slot),
      pool: pool.name,
      slot,
      brokerId,
      ...(spec.rack === undefined ? {} : { rack: 'zone-a' }),
      incarnation: 1,
      clusterId: cluster.status.clusterId!,
      image: imageOf({ cluster, defaults }).image,
      nodePorts: new Map(exposed(cluster).map(({ name }) => [name, 31_095])),
      restartedAt: spec.restartedAt ?? '',
    },
  }
}

/** Specs whose objects are held as golden files, by the name of the file. */
export const cases: Readonly<Record<string, LogClusterSpecInput>> = {
  minimal,
  'node-port': {
    ...minimal,
    listeners: [
      { name: 'internal', port: 9092 },
      {
        name: 'outside',
        port: 9094,
        expose: { type: 'NodePort', nodePort: { bootstrapPort: 31_094 } },
      },
    ],
  },
  settings: {
    ...minimal,
    config: {
      'log.retention.hours': 168,
      'auto.create.topics.enable': false,
      'log.level': 'debug',
      'log.cleaner.io.buffer.load.factor': 0.5,
      'offsets.topic.num.partitions': 10,
    },
  },
  hibernated: { ...minimal, state: 'Hibernated' },
  'three-brokers': {
    ...minimal,
    rack: { nodeLabel: 'topology.kubernetes.io/zone' },
    config: { 'min.insync.replicas': 2, 'num.network.threads': 4 },
    pools: [{ ...minimal.pools[0]!, brokers: 3 }],
  },
  'two-pools': {
    ...minimal,
    placement: { host: 'Preferred', zone: 'Preferred' },
    listeners: [
      { name: 'internal', port: 9092 },
      {
        name: 'outside',
        port: 9094,
        expose: { type: 'NodePort', nodePort: { bootstrapPort: 31_094 } },
      },
    ],
    pools: [
      { ...minimal.pools[0]!, brokers: 2 },
      {
        ...minimal.pools[0]!,
        name: 'more',
        brokers: 1,
        resources: { requests: { memory: '4Gi' } },
      },
    ],
  },
  everything: {
    ...minimal,
    image: {
      repository: 'registry.example/logcluster',
      pullPolicy: 'Always',
      pullSecrets: [{ name: 'regcred' }],
    },
    restartedAt: '2026-11-22T10:00:00Z',
    metrics: {
      monitor: { type: 'PodMonitor', interval: '30s', labels: { release: 'prometheus' } },
    },
    pools: [
      {
        name: 'main',
        storage: { volumes: [{ name: 'data', size: '100Gi', storageClassName: 'local-nvme' }] },
        resources: { requests: { cpu: 1, memory: '4Gi' }, limits: { memory: '16Gi' } },
        template: {
          pod: {
            metadata: { labels: { team: 'payments' }, annotations: { 'example.org/owner': 'us' } },
            spec: {
              nodeSelector: { 'node.example.org/disk': 'nvme' },
              tolerations: [{ key: 'dedicated', operator: 'Exists' }],
              priorityClassName: 'high',
              env: [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=512' }],
              topologySpreadConstraints: [
                { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' },
              ],
            },
          },
        },
      },
    ],
  },
}

/** A case with the defaults of the schema. */
export function specOf(name: string): LogClusterSpec {
  return logClusterSpec.parse(cases[name])
}
