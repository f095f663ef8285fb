import { int, long, short } from './setting.ts'
import { mebibyte, minute, second } from './units.ts'

/** The rows of the table of settings that consumer groups and their offsets go by. Names and defaults are Kafka's. */
export const groupSettings = {
  'group.initial.rebalance.delay.ms': int({
    default: 3 * second,
    unit: 'ms',
    effect: 'at restart',
    doc: 'How long the first rebalance of an empty group waits for more members, again whenever one comes. 0: not at all.',
  }),
  'group.min.session.timeout.ms': int({
    default: 6 * second,
    unit: 'ms',
    min: 1,
    effect: 'at restart',
    doc: 'Shortest session timeout that a member of a group may ask for.',
  }),
  'group.max.session.timeout.ms': int({
    default: 30 * minute,
    unit: 'ms',
    min: 1,
    effect: 'at restart',
    doc: 'Longest session timeout that a member of a group may ask for.',
  }),
  'group.max.size': int({
    default: 2 ** 31 - 1,
    unit: 'count',
    min: 1,
    effect: 'at restart',
    doc: 'Members that a group may have; further ones are refused.',
  }),
  'offsets.topic.num.partitions': int({
    default: 50,
    unit: 'count',
    min: 1,
    max: 100_000,
    effect: 'at restart',
    doc: 'Partitions of `__consumer_offsets`, when it is created. They tell which group is kept where, so they never change.',
  }),
  'offsets.topic.replication.factor': short({
    default: 3,
    unit: 'count',
    min: 1,
    effect: 'at restart',
    doc: 'Replicas of `__consumer_offsets`, when it is created, and of the other internal topics; in a cluster with fewer brokers, one on each. It is not created before so many brokers are registered (cluster.size).',
  }),
  'offsets.topic.segment.bytes': int({
    default: mebibyte,
    unit: 'bytes',
    min: mebibyte,
    effect: 'at restart',
    doc: "Segment size of `__consumer_offsets`, when it is created. What lies in each partition's active segment was not compacted yet, and all of it is read at a start.",
  }),
  'offsets.retention.minutes': int({
    default: 7 * 24 * 60,
    unit: 'minutes',
    min: 1,
    effect: 'at restart',
    doc: 'How long the offsets of a group are kept after its last member left, and those of consumers without a group after their commit.',
  }),
  'offsets.retention.check.interval.ms': long({
    default: 10 * minute,
    unit: 'ms',
    min: 1,
    effect: 'at restart',
    doc: 'Time between two looks for offsets that have expired.',
  }),
  'offset.metadata.max.bytes': int({
    default: 4096,
    unit: 'bytes',
    effect: 'at restart',
    doc: 'Longest text that a consumer may commit with an offset.',
  }),
  'offsets.commit.timeout.ms': int({
    default: 5 * second,
    unit: 'ms',
    min: 1,
    effect: 'at restart',
    doc: 'How long a commit, or the state of a group, waits for the in-sync replicas before the client is told to try again.',
  }),
} as const
