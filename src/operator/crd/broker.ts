import { z } from 'zod'
import { topicNameClass } from '../../lib/topic-name.ts'
import { conditions, notLookedAt } from './condition.ts'
import {
  appliedConfigs,
  field,
  immutable,
  integer,
  listBy,
  port,
  text,
  wholeList,
  type Rule,
} from './field.ts'
import type { Manifest, Resource } from './object.ts'

/** Types of a LogBroker's conditions, and what each says while it is True. @internal */
export const brokerConditions = {
  Ready: 'The broker serves clients.',
  StorageBound:
    'Its claim is bound, and its volume has the size that is wanted. The reason WaitingForNode names the node that it lies on.',
  IdentityRecorded:
    'Its disk is the one that the operator recorded; the message says what to do where it is not.',
  ConfigApplied: 'It runs with the settings that are wanted.',
} as const

export type BrokerConditionType = keyof typeof brokerConditions

const incarnation = integer(1, 1_000_000)

const belongs =
  'it says whose broker this is: leave it, the operator makes another LogBroker for another place'

export const logBrokerSpec = field(
  z.object({
    clusterRef: field(z.object({ name: field(text(63), { text: 'Its name.' }) }), {
      text: 'The LogCluster, in the same namespace.',
      change: 'immutable',
      rules: [immutable('spec.clusterRef', belongs)],
    }),
    pool: field(text(63), {
      text: 'The pool.',
      change: 'immutable',
      rules: [immutable('spec.pool', belongs)],
    }),
    slot: field(integer(0, 9999), {
      text: 'Its place in the pool, from 0.',
      change: 'immutable',
      rules: [immutable('spec.slot', belongs)],
    }),
    brokerId: field(integer(0, 1_000_000), {
      text: 'Its node.id in Kafka.',
      change: 'immutable',
      rules: [immutable('spec.brokerId', belongs)],
    }),
    restartedAt: field(text(40).optional(), {
      text: 'A broker that started before this time is restarted, once per value; beside that of the LogCluster, the later counts.',
      change: 'restart',
      format: 'date-time',
    }),
    replace: field(
      z
        .object({
          incarnation: field(incarnation, {
            text: 'The incarnation whose disk is given up. Once it is replaced, nothing more happens.',
          }),
          dataLoss: field(z.enum(['Refuse', 'Accept']).default('Refuse'), {
            text: 'Accept: go on although partitions have no other copy and are lost. Refuse: name them in a condition and wait.',
          }),
        })
        .optional(),
      {
        text: "Gives the broker a new disk. `kubectl logcluster replace` writes it; it, `absence`, `acceptDataLoss`, `leadership` and `restartedAt` are the only parts of this object that are a person's.",
        change: 'restart',
      },
    ),
    leadership: field(z.enum(['Normal', 'Drained']).optional(), {
      text: 'Drained: the broker leads nothing that another in sync can lead, until this is Normal again or is removed. `kubectl logcluster drain` and `undrain` write it.',
      change: 'dynamic',
    }),
    absence: field(z.enum(['Awaited', 'Accepted']).optional(), {
      text: 'Accepted: while the broker is away, neither hibernation nor a change of passwords waits for it. Its copy is then older than the others until it is back. Awaited, or nothing: they wait.',
      change: 'none',
    }),
    acceptDataLoss: field(
      wholeList(
        field(text(260), {
          text: 'Topic and partition, such as `orders-0`.',
          rules: [
            {
              rule: `self.matches('^${topicNameClass}+-[0-9]+$')`,
              message:
                'spec.acceptDataLoss must name partitions as topic, dash and number, such as orders-0: take them from the condition that asks for it',
            },
          ],
        }),
        1000,
      ).optional(),
      {
        text: "Partitions whose only in-sync copy is on this broker's disk, and that may be lost with it: each is named, so that nobody gives up more than was told.",
        change: 'none',
      },
    ),
  }),
  {
    text: 'What is wanted. The operator writes it, but for `restartedAt`, `replace`, `leadership`, `absence` and `acceptDataLoss`.',
  },
)

const address = z.object({
  listener: field(text(63), { text: 'Of spec.listeners of its LogCluster.' }),
  host: field(text(253), { text: 'The host.' }),
  port: field(port, { text: 'The port.' }),
})

const volume = z.object({
  claim: field(text(253).optional(), { text: 'The claim.' }),
  persistentVolume: field(text(253).optional(), {
    text: 'The PersistentVolume that it is bound to.',
  }),
  requested: field(text(32).optional(), { text: 'What the claim asks for, a quantity.' }),
  size: field(text(32).optional(), { text: 'What the claim has, a quantity.' }),
})

const retiredVolume = z.object({
  incarnation: field(incarnation, { text: 'Whose disk it was.' }),
  claim: field(text(253), { text: 'The claim.' }),
  persistentVolume: field(text(253).optional(), { text: 'The PersistentVolume, which is kept.' }),
  node: field(text(253).optional(), { text: 'The node that it lies on.' }),
  directoryId: field(text(64).optional(), { text: 'The id of its data directory.' }),
  reason: field(text(128), { text: 'Why it was given up, one word.' }),
  retiredAt: field(text(40), { text: 'When.', format: 'date-time' }),
})

export const logBrokerStatus = field(
  z
    .object({
      observedGeneration: field(integer(0, Number.MAX_SAFE_INTEGER).optional(), {
        text: 'The generation of the spec that was looked at.',
      }),
      incarnation: field(incarnation.optional(), {
        text: 'Which disk in this place it is, from 1.',
      }),
      clusterId: field(text(64).optional(), { text: 'The id of the cluster that its disk is of.' }),
      directoryId: field(text(64).optional(), {
        text: 'The id of the data directory of this incarnation, once the operator recorded it.',
      }),
      node: field(text(253).optional(), { text: 'The node that its volume or its pod is on.' }),
      rack: field(text(63).optional(), { text: 'What it was told as its rack.' }),
      volume: field(volume.optional(), { text: 'Its volume.' }),
      addresses: field(listBy('listener', address, 8).optional(), {
        text: 'Where clients are told to find it, as far as that is known.',
      }),
      retiredVolumes: field(wholeList(retiredVolume, 32).optional(), {
        text: 'Volumes of earlier incarnations that are kept, the latest last.',
      }),
      diskLost: field(
        z
          .object({
            incarnation: field(incarnation, { text: 'Whose disk it is.' }),
            reason: field(z.enum(['NodeGone', 'NodeOutOfService', 'DiskFailed', 'Requested']), {
              text: 'What proved it: its Node was deleted, or has the out-of-service taint; writes to it failed; or `spec.replace` asked for it.',
            }),
            message: field(text(4096), { text: 'What was seen.' }),
            since: field(text(40), { text: 'When it was noted.', format: 'date-time' }),
          })
          .optional(),
        {
          text: 'A disk that is given up, from the moment that this is proven until the broker serves from its next one. Nothing that comes back meanwhile undoes it.',
        },
      ),
      catchUp: field(text(32).optional(), {
        text: 'What its replicas that are not in sync have still to copy, as the leaders of the partitions tell it: a quantity, of two digits. Not there below 1Mi.',
      }),
      appliedConfig: field(appliedConfigs().optional(), {
        text: 'The settings that were set on the running broker for `spec.config`, so that one that is removed there is reset.',
      }),
      restartedAt: field(text(40).optional(), {
        text: 'The `restartedAt` that was last carried out.',
        format: 'date-time',
      }),
      version: field(text(63).optional(), { text: 'The version that it runs.' }),
      image: field(text(512).optional(), { text: 'The image that it runs.' }),
      templateHash: field(text(64).optional(), {
        text: 'The hash of the pod template that its pod was made with.',
      }),
      startedAt: field(text(40).optional(), {
        text: 'When its process started.',
        format: 'date-time',
      }),
      cachestatSource: field(text(32).optional(), {
        text: 'What tells the broker whether a range is in memory: cachestat, mincore, window (what it wrote itself lately), or unknown.',
      }),
      quarantine: field(text(4096).optional(), {
        text: 'Why it changes no metadata; not there while it may.',
      }),
      columns: field(
        z
          .object({
            status: field(text(128).optional(), { text: 'What is going on, in a few words.' }),
          })
          .optional(),
        { text: 'What `kubectl get` prints. For people: it changes without notice.' },
      ),
      conditions: conditions(brokerConditions).optional(),
    })
    .default({ conditions: notLookedAt(brokerConditions) }),
  { text: 'What is.' },
)

export const logBrokerRules: readonly Rule[] = [
  {
    rule: '!has(self.spec.replace) || (has(self.status) && has(self.status.incarnation) && self.spec.replace.incarnation <= self.status.incarnation)',
    message:
      'spec.replace.incarnation must be an incarnation that the broker has or had: take the number in status.incarnation',
  },
]

/** The spec as it is written. */
type LogBrokerSpecInput = z.input<typeof logBrokerSpec>
/** The spec as the API server gives it, with its defaults. */
export type LogBrokerSpec = z.output<typeof logBrokerSpec>
export type LogBrokerStatus = z.output<typeof logBrokerStatus>

export type LogBroker = Resource<'LogBroker', LogBrokerSpec, LogBrokerStatus>
export type LogBrokerManifest = Manifest<'LogBroker', LogBrokerSpecInput>
