import { z } from 'zod'
import type { logClusterStatus } from './cluster-status.ts'
import { field, kafkaConfig, listByName, text, textMap, type Rule } from './field.ts'
import { listener, tellBrokersApart } from './listener.ts'
import type { Manifest, Resource } from './object.ts'
import { disruption, placement, rack } from './placement.ts'
import { pool, poolsMax } from './pool.ts'
import { rebalance } from './rebalance.ts'

const image = z.object({
  repository: field(text(255).optional(), {
    text: "The image without its tag, which is `version`. The operator's own repository where it is not given.",
    rules: [
      {
        rule: "self.matches('^[a-z0-9]([-a-z0-9._/]|:[0-9]+/)*[a-z0-9]$')",
        message:
          'spec.image.repository must be the name of an image without tag and digest, such as registry.example/logcluster: the tag is spec.version',
      },
    ],
  }),
  pullPolicy: field(z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'), {
    text: 'When a node fetches the image.',
  }),
  pullSecrets: field(
    listByName(z.object({ name: field(text(253), { text: 'The Secret.' }) }), 8).optional(),
    { text: "Secrets of the registry, in the cluster's namespace." },
  ),
})

const metrics = z.object({
  monitor: field(
    z
      .object({
        type: field(z.enum(['None', 'Annotations', 'PodMonitor']).default('Annotations'), {
          text: 'Annotations: `prometheus.io/scrape` and its like at the Service of the brokers. PodMonitor: an object of the Prometheus operator, whose CRD must be there.',
        }),
        interval: field(text(16).default('15s'), {
          text: 'How often a PodMonitor is scraped, a duration of Prometheus.',
          rules: [
            {
              rule: "self.matches('^([0-9]+(ms|s|m|h))+$')",
              message:
                'metrics.monitor.interval must be a duration of Prometheus, such as 15s or 1m',
            },
          ],
        }),
        labels: field(textMap(32, 63).default({}), {
          text: 'Labels of the PodMonitor, by which a Prometheus selects it.',
        }),
      })
      .prefault({}),
    { text: 'How Prometheus finds the brokers.' },
  ),
})

const rulesOfSpec: readonly Rule[] = [
  {
    rule: "self.pools.map(pool, pool.brokers).sum() < 2 || self.listeners.all(each, !has(each.expose.advertised) || !has(each.expose.advertised.host) || each.expose.advertised.host.contains('{') || (has(each.expose.advertised.port) && each.expose.advertised.port.contains('{')))",
    message: `expose.advertised must tell brokers apart where there are several: ${tellBrokersApart}`,
  },
  {
    rule: '!has(oldSelf.clusterId) || (has(self.clusterId) && self.clusterId == oldSelf.clusterId)',
    message:
      'spec.clusterId cannot change once it is set, because disks carry it: give back the earlier one',
  },
]

export const logClusterSpec = field(
  z.object({
    version: field(text(63).optional(), {
      text: "The broker's version, which is the tag of its image. Where it is not given, the operator takes its own, records it in `status.version` and stays with it.",
      change: 'restart',
      rules: [
        {
          rule: "self.matches('^[A-Za-z0-9_][-A-Za-z0-9_.]*$')",
          message: 'spec.version must be the tag of an image, such as 0.1.0',
        },
      ],
    }),
    image: field(image.prefault({}), { text: 'Where the image comes from.', change: 'restart' }),
    state: field(z.enum(['Running', 'Hibernated']).default('Running'), {
      text: 'Hibernated: no broker runs, and all volumes stay. Several brokers refuse writes first, and then stop together with the same in-sync sets.',
      change: 'restart',
    }),
    reconciliation: field(z.enum(['Active', 'Paused']).default('Active'), {
      text: 'Paused: the operator changes nothing, and keeps telling the status.',
      change: 'none',
    }),
    clusterId: field(text(64).optional(), {
      text: "The cluster's id, to adopt volumes that were kept: 22 characters of base64url, as `status.clusterId` had it. A new one is drawn where it is not given.",
      change: 'immutable',
      rules: [
        {
          rule: "self.matches('^[A-Za-z0-9_-]{22}$')",
          message:
            'spec.clusterId must be 22 characters of base64url, as status.clusterId of the earlier cluster was: copy it, or leave it out for a new cluster',
        },
      ],
    }),
    restartedAt: field(text(40).optional(), {
      text: 'Brokers that started before this time are restarted, one after another, once per value.',
      change: 'restart',
      format: 'date-time',
    }),
    passwordsRotatedAt: field(text(40).optional(), {
      text: 'The passwords with which brokers and operator log in to each other are changed, once per value, without a restart and without a refused connection. A new LogCluster has new ones anyway.',
      change: 'none',
      format: 'date-time',
    }),
    listeners: field(
      listByName(listener, 8)
        .min(1)
        .prefault([{ name: 'internal', port: 9092 }]),
      {
        text: "Where clients connect. The operator's and the brokers' own way in is none of these.",
        change: 'restart',
        rules: [
          {
            rule: 'self.all(one, self.exists_one(other, other.port == one.port))',
            message: 'spec.listeners must have different ports: give each listener one of its own',
          },
        ],
      },
    ),
    config: field(kafkaConfig().default({}), {
      text: "Kafka's settings for all brokers, by name. Those that running brokers can take are set without a restart, others restart brokers; unknown ones are told in the condition ConfigApplied. docs/settings.md says of each when it takes effect.",
      change: 'dynamic',
    }),
    pools: field(listByName(pool, poolsMax), {
      text: 'Groups of brokers that are alike. Together they are the cluster, and have one broker at least.',
      change: 'none',
      rules: [
        {
          rule: 'self.exists(pool, pool.brokers > 0)',
          message:
            'spec.pools must have one broker at least: set brokers of a pool to 1 or more; spec.state: Hibernated stops all of them',
        },
      ],
    }),
    rack: field(rack.optional(), {
      text: 'What may fail together with a broker: replicas of a partition are placed in as many racks as there are. The operator reads it at the node and tells the broker, which needs no right for it, and which waits until it is told.',
      change: 'restart',
    }),
    placement: field(placement.prefault({}), {
      text: 'How brokers keep apart from one another. It counts for pods that are made after it: none is restarted for it, and one with a local volume stays where that lies.',
      change: 'none',
    }),
    disruption: field(disruption.prefault({}), {
      text: 'What is done where a broker is lost.',
      change: 'none',
    }),
    rebalance: field(rebalance.prefault({}), {
      text: 'How replicas are moved when brokers come and go.',
      change: 'none',
    }),
    metrics: field(metrics.prefault({}), { text: 'Metrics.', change: 'none' }),
  }),
  { text: 'What is wanted.', rules: rulesOfSpec },
)

/** A larger size that no volume was given: it is taken back where it was written. */
const isExpansionRefused =
  "(has(self.status) && has(self.status.conditions) && self.status.conditions.exists(each, each.reason == 'ExpansionRefused'))"

/** Of a pool that was `old`: what is no quantity is told by another rule. */
const isShrunk = ['pool', 'old']
  .map(each => `isQuantity(string(${each}.storage.volumes[0].size))`)
  .concat(
    'quantity(string(pool.storage.volumes[0].size)).isLessThan(quantity(string(old.storage.volumes[0].size)))',
  )
  .join(' && ')

/** Rules that look at more than the spec. */
export const logClusterRules: readonly Rule[] = [
  {
    rule: 'self.metadata.name.size() <= 28',
    message:
      'metadata.name must have at most 28 characters, because names of objects are made with it: choose a shorter one',
  },
  {
    rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    message:
      'metadata.name must be lower-case letters, digits and dashes, without dots, begin with a letter and not end with a dash, because it becomes the name of a Service: choose another one',
  },
  {
    rule: '!has(self.spec.clusterId) || !has(self.status) || !has(self.status.clusterId) || self.spec.clusterId == self.status.clusterId',
    message:
      'spec.clusterId must be the id that the cluster has, which is in status.clusterId: remove it, or make a new LogCluster to adopt other volumes',
  },
  {
    rule: `${isExpansionRefused} || oldSelf.spec.pools.all(old, !self.spec.pools.exists(pool, pool.name == old.name && ${isShrunk}))`,
    message:
      'the size of a volume can only grow, because a file system in use cannot shrink, unless a condition says ExpansionRefused of the larger one: give back the earlier size, or move to a new LogCluster',
  },
]

/** The spec as a user writes it. */
export type LogClusterSpecInput = z.input<typeof logClusterSpec>
/** The spec as the API server gives it, with its defaults. */
export type LogClusterSpec = z.output<typeof logClusterSpec>
export type LogClusterStatus = z.output<typeof logClusterStatus>
export type ListenerSpec = LogClusterSpec['listeners'][number]
export type PoolSpec = LogClusterSpec['pools'][number]

export type LogCluster = Resource<'LogCluster', LogClusterSpec, LogClusterStatus>
export type LogClusterManifest = Manifest<'LogCluster', LogClusterSpecInput>
