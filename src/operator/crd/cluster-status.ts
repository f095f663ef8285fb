import { z } from 'zod'
import { conditions, notLookedAt } from './condition.ts'
import { brokersOfPoolMax, poolsMax } from './pool.ts'
import { field, integer, listByName, text, wholeList } from './field.ts'

/** Types of a LogCluster's conditions, and what each says while it is True. @internal */
export const clusterConditions = {
  Ready: 'Clients are served.',
  Progressing: 'The operator is at work; the reason names the operation.',
  Degraded: 'Something needs a person, though clients may be served; the message says what to do.',
  StorageHealthy: 'Volumes are bound, there, and of the size that is wanted.',
  MetadataHealthy: 'The metadata log in Kubernetes can be read and written.',
  ConfigApplied: 'All brokers run with `spec.config`.',
  Paused: 'Nothing is changed, because `spec.reconciliation` is Paused.',
  Stable: 'Ready, this generation of the spec is wholly realised, and nothing is Degraded.',
} as const

export type ClusterConditionType = keyof typeof clusterConditions

const brokerCount = integer(0, poolsMax * brokersOfPoolMax)

/** Of the text that clients are given as bootstrap server: whole addresses only, as many as fit. */
export const bootstrapLengthMax = 512

const listenerStatus = z.object({
  name: field(text(63), { text: 'Its name.' }),
  bootstrap: field(text(bootstrapLengthMax), {
    text: 'What clients are given as bootstrap server: addresses with ports, separated by commas, as many as there is room for.',
  }),
})

const planEntry = z.object({
  broker: field(text(253), { text: 'The LogBroker.' }),
  action: field(z.enum(['Restart', 'Drain']), {
    text: 'Restart: its pod is made anew. Drain: it leads nothing for now, because its node is being drained or `spec.leadership` says so.',
  }),
  state: field(z.enum(['Waiting', 'Draining', 'Drained', 'Restarting']), {
    text: 'How far it is. Draining: it hands over what it leads.',
  }),
  message: field(text(1024), { text: 'Why, or what it waits for.' }),
  partitions: field(wholeList(text(260), 20).optional(), {
    text: 'Partitions that are in the way, because too few other replicas are in sync: the first twenty.',
  }),
})

export const logClusterStatus = field(
  z
    .object({
      observedGeneration: field(integer(0, Number.MAX_SAFE_INTEGER).optional(), {
        text: 'The generation of the spec that was looked at.',
      }),
      clusterId: field(text(64).optional(), {
        text: "The cluster's id. It is there once the metadata log is.",
      }),
      oldestOperator: field(text(63).optional(), {
        text: 'The oldest version of the operator that understands what is written of this cluster. An older one touches nothing and says so in `Degraded`.',
      }),
      version: field(text(63).optional(), { text: 'The version that brokers run or are to run.' }),
      image: field(text(512).optional(), { text: 'The image that brokers run or are to run.' }),
      brokers: field(brokerCount.optional(), { text: 'How many brokers are wanted.' }),
      readyBrokers: field(brokerCount.optional(), { text: 'How many brokers serve.' }),
      listeners: field(listByName(listenerStatus, 8).optional(), {
        text: 'Where clients connect.',
      }),
      plan: field(wholeList(planEntry, 1000).optional(), {
        text: 'What is going to happen to brokers, the next one first, and a thousand at most; not there while nothing is.',
      }),
      rebalance: field(
        z
          .object({
            reason: field(z.enum(['BrokersLeave', 'BrokersArrive', 'InternalTopics', 'Asked']), {
              text: "BrokersLeave: their replicas go to the others. BrokersArrive: they are given their share. InternalTopics: they are given as many replicas as are declared. Asked: by a LogTopic, or by somebody with Kafka's tools.",
            }),
            moving: field(integer(0, 10_000_000), {
              text: 'Partitions that are on their way, whoever asked for it.',
            }),
            waiting: field(integer(0, 10_000_000), { text: 'Partitions that have still to move.' }),
            catchUp: field(text(32).optional(), {
              text: 'What all replicas that are not in sync have still to copy, as the leaders of the partitions tell it: a quantity, of two digits. What has still to begin is not in it. Not there below 1Mi.',
            }),
          })
          .optional(),
        { text: 'Replicas that move from broker to broker; not there while none do.' },
      ),
      columns: field(
        z
          .object({
            brokers: field(text(16).optional(), {
              text: 'Ready and wanted brokers, such as `1/1`.',
            }),
            status: field(text(128).optional(), { text: 'What is going on, in a few words.' }),
          })
          .optional(),
        { text: 'What `kubectl get` prints. For people: it changes without notice.' },
      ),
      conditions: conditions(clusterConditions).optional(),
    })
    .default({ conditions: notLookedAt(clusterConditions) }),
  { text: 'What is.' },
)
