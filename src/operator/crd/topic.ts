import { z } from 'zod'
import {
  internalTopicNames,
  reservedTopicName,
  topicNameClass,
  topicNameLengthMax,
} from '../../lib/topic-name.ts'
import { conditions, notLookedAt } from './condition.ts'
import { appliedConfigs, field, immutable, integer, kafkaConfig, text, type Rule } from './field.ts'
import type { Manifest, Resource } from './object.ts'

/** Types of a LogTopic's conditions, and what each says while it is True. @internal */
export const topicConditions = {
  Ready:
    'The topic is there as it is wanted. The reason Conflict says that the name belongs to another topic.',
  ConfigApplied: 'The topic has all of `spec.config`.',
} as const

export type TopicConditionType = keyof typeof topicConditions

const notOurs = [...internalTopicNames, reservedTopicName]

const neverKafkas = {
  rule: `!(self in [${notOurs.map(name => `'${name}'`).join(', ')}])`,
  message:
    'spec.topicName cannot be that of an internal topic, which brokers make and keep: choose another name',
}

export const logTopicSpec = field(
  z.object({
    clusterRef: field(z.object({ name: field(text(63), { text: 'Its name.' }) }), {
      text: 'The LogCluster, in the same namespace.',
      change: 'immutable',
      rules: [
        immutable(
          'spec.clusterRef',
          'the topic lies in that cluster: delete this LogTopic and make one for the other cluster',
        ),
      ],
    }),
    topicName: field(text(253).optional(), {
      text: "The topic's name at the brokers; `metadata.name` where it is not given.",
      change: 'immutable',
      rules: [
        {
          rule: `self.size() <= ${topicNameLengthMax}`,
          message: `spec.topicName must have at most ${topicNameLengthMax} characters: choose a shorter one`,
        },
        {
          rule: `self.matches('^${topicNameClass}+$') && self != '.' && self != '..'`,
          message:
            "spec.topicName must be letters, digits, dots, underscores and dashes, and not '.' or '..': choose another one",
        },
        neverKafkas,
      ],
    }),
    partitions: field(integer(1, 20_000).optional(), {
      text: "How many partitions. The broker's num.partitions where it is not given and the topic is made. Of a topic that is there it only becomes more; what it was not given can be taken back.",
      change: 'dynamic',
    }),
    replicationFactor: field(integer(1, 16).optional(), {
      text: "How many brokers have each partition. The broker's default.replication.factor where it is not given and the topic is made. Of a topic that is there it may become more or less: replicas are copied or given up, the condition Ready tells how far that is, and until the new ones are complete acks=all needs what it needed before.",
      change: 'dynamic',
    }),
    config: field(kafkaConfig().default({}), {
      text: "Kafka's configs of topics, by name. A config that is removed here returns to the broker's value; one that others set and that never stood here stays.",
      change: 'dynamic',
    }),
    deletionPolicy: field(z.enum(['Retain', 'Delete']).default('Retain'), {
      text: 'What becomes of the topic when the LogTopic is deleted.',
      change: 'none',
    }),
  }),
  {
    text: 'What is wanted.',
    rules: [
      {
        rule: 'has(self.topicName) == has(oldSelf.topicName) && (!has(self.topicName) || self.topicName == oldSelf.topicName)',
        message:
          'spec.topicName cannot change, because a topic keeps its name: delete this LogTopic and make another one',
      },
    ],
  },
)

export const logTopicStatus = field(
  z
    .object({
      observedGeneration: field(integer(0, Number.MAX_SAFE_INTEGER).optional(), {
        text: 'The generation of the spec that was looked at.',
      }),
      topicName: field(text(253).optional(), { text: "The topic's name at the brokers." }),
      clusterId: field(text(64).optional(), {
        text: 'The id of the cluster in which the topic is. In another cluster of the same name it is yet to be made.',
      }),
      topicId: field(text(64).optional(), {
        text: 'The id that the topic had when it was made or adopted. Another one under its name is a conflict.',
      }),
      partitions: field(integer(0, 1_000_000).optional(), { text: 'How many partitions it has.' }),
      replicationFactor: field(integer(0, 1000).optional(), {
        text: 'How many brokers have each partition. While `spec.replicationFactor` is another it is the earlier number, until all partitions have the other one.',
      }),
      appliedConfig: field(appliedConfigs().optional(), {
        text: 'The configs that were set for `spec.config`, so that one that is removed there is reset.',
      }),
      conditions: conditions(topicConditions).optional(),
    })
    .default({ conditions: notLookedAt(topicConditions) }),
  { text: 'What is.' },
)

/** No fewer than were wanted or, where the topic has not got all of those, than it has: what was never made holds no record. */
const isPartitionCountKept =
  'has(self.spec.partitions) && (self.spec.partitions >= oldSelf.spec.partitions || self.spec.partitions >= self.status.partitions)'

/** Rules that look at more than the spec. */
export const logTopicRules: readonly Rule[] = [
  {
    rule: `has(self.spec.topicName) || self.metadata.name.size() <= ${topicNameLengthMax}`,
    message: `metadata.name must have at most ${topicNameLengthMax} characters where it is the name of the topic: choose a shorter one, or set spec.topicName`,
  },
  {
    rule: `!has(self.status) || !has(self.status.partitions) || !has(oldSelf.spec.partitions) || (${isPartitionCountKept})`,
    message:
      'spec.partitions cannot be less than the topic has, which is in status.partitions, because a partition holds records: give back that number, or make another topic',
  },
]

/** The spec as a user writes it. */
export type LogTopicSpecInput = z.input<typeof logTopicSpec>
/** The spec as the API server gives it, with its defaults. */
export type LogTopicSpec = z.output<typeof logTopicSpec>
export type LogTopicStatus = z.output<typeof logTopicStatus>

export type LogTopic = Resource<'LogTopic', LogTopicSpec, LogTopicStatus>
export type LogTopicManifest = Manifest<'LogTopic', LogTopicSpecInput>
