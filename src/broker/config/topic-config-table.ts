/**
 * The configs of a topic: Kafka's names, each with the broker's setting that stands beneath it. One row says
 * everything: validation, defaults, what a log goes by, docs/settings.md and the answers to DescribeConfigs come
 * from here.
 */
import {
  anyOf,
  bool,
  choice,
  int,
  list,
  long,
  longMax,
  type Setting,
  type SettingValue,
} from './setting.ts'
import { day, gibibyte, hour, kibibyte, mebibyte, minute, second } from './units.ts'

export type CleanupPolicy = 'delete' | 'compact' | 'compact,delete'

export const topicConfigTable = {
  // Copies
  'min.insync.replicas': int({
    broker: 'min.insync.replicas',
    default: 1,
    unit: 'count',
    min: 1,
    max: 32_767,
    effect: 'at once',
    doc: 'Replicas that must hold a batch before acks=all is answered. Not set: max(1, min(default.replication.factor - 1, 2)).',
  }),
  'unclean.leader.election.enable': bool({
    broker: 'unclean.leader.election.enable',
    default: false,
    effect: 'at once',
    doc: 'A replica that is not in sync may become leader when no other is left, at the price of acknowledged records.',
  }),

  // Segments and indexes
  'segment.bytes': int({
    broker: 'log.segment.bytes',
    default: gibibyte,
    unit: 'bytes',
    min: kibibyte,
    effect: 'at once',
    doc: 'A segment that would grow beyond this is closed and the next begun.',
  }),
  'segment.ms': long({
    broker: 'log.roll.ms',
    default: 7 * day,
    unit: 'ms',
    min: 1,
    effect: 'at once',
    aliases: { 'log.roll.hours': hour },
    doc: 'A segment older than this is closed at the next append, so that retention can remove it.',
  }),
  'index.interval.bytes': int({
    broker: 'log.index.interval.bytes',
    default: 4 * kibibyte,
    unit: 'bytes',
    effect: 'at once',
    doc: 'Bytes of batches between two entries of the offset index.',
  }),
  'segment.index.bytes': int({
    broker: 'log.index.size.max.bytes',
    default: 10 * mebibyte,
    unit: 'bytes',
    min: kibibyte,
    effect: 'at once',
    doc: "Greatest size of a segment's index; a full index closes the segment.",
  }),

  // Retention and cleaning
  'retention.ms': long({
    broker: 'log.retention.ms',
    default: 7 * day,
    unit: 'ms',
    min: -1,
    effect: 'at once',
    aliases: { 'log.retention.minutes': minute, 'log.retention.hours': hour },
    doc: 'Segments whose newest record is older are removed. -1: never.',
  }),
  'retention.bytes': long({
    broker: 'log.retention.bytes',
    default: -1,
    unit: 'bytes',
    min: -1,
    effect: 'at once',
    doc: 'Oldest segments are removed while a partition keeps at least this much without them. -1: no limit.',
  }),
  'cleanup.policy': list(anyOf(['compact', 'delete']), {
    broker: 'log.cleanup.policy',
    default: 'delete' as CleanupPolicy,
    effect: 'at once',
    doc: 'delete: old segments go. compact: the last record of each key stays; accepted, and nothing is removed until compaction exists.',
  }),
  'delete.retention.ms': long({
    broker: 'log.cleaner.delete.retention.ms',
    default: day,
    unit: 'ms',
    effect: 'never',
    doc: 'How long compaction keeps tombstones. Kept with the topic; without effect until compaction exists.',
  }),
  'min.compaction.lag.ms': long({
    broker: 'log.cleaner.min.compaction.lag.ms',
    default: 0,
    unit: 'ms',
    effect: 'never',
    doc: 'Least age of a record that compaction may remove. Kept with the topic; without effect until compaction exists.',
  }),
  'max.compaction.lag.ms': long({
    broker: 'log.cleaner.max.compaction.lag.ms',
    default: longMax,
    unit: 'ms',
    min: 1,
    effect: 'never',
    doc: 'Greatest age of a record that waits for compaction. Kept with the topic; without effect until compaction exists.',
  }),
  'file.delete.delay.ms': long({
    broker: 'log.segment.delete.delay.ms',
    default: minute,
    unit: 'ms',
    effect: 'at once',
    doc: 'Time between the removal of a segment from a log and the removal of its file.',
  }),

  // What may be appended
  'max.message.bytes': int({
    broker: 'message.max.bytes',
    default: 1_048_588,
    unit: 'bytes',
    effect: 'at once',
    doc: 'Greatest size of a batch, as the producer compressed it.',
  }),
  'message.timestamp.type': choice(['CreateTime', 'LogAppendTime'], {
    broker: 'log.message.timestamp.type',
    default: 'CreateTime',
    effect: 'at once',
    doc: "Whose clock stamps a record: the producer's or this broker's.",
  }),
  'message.timestamp.before.max.ms': long({
    broker: 'log.message.timestamp.before.max.ms',
    default: longMax,
    unit: 'ms',
    effect: 'at once',
    doc: "How far a producer's timestamp may lie in the past.",
  }),
  'message.timestamp.after.max.ms': long({
    broker: 'log.message.timestamp.after.max.ms',
    default: hour,
    unit: 'ms',
    effect: 'at once',
    doc: "How far a producer's timestamp may lie in the future.",
  }),
  'compression.type': choice(['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'], {
    broker: 'compression.type',
    default: 'producer',
    effect: 'at once',
    doc: 'Codec that batches are stored in. producer: as the producer compressed them. With any other, a batch that comes in another codec is opened and compressed again.',
  }),

  // Flushing
  'flush.policy': choice(['interval', 'ack', 'os'], {
    broker: 'flush.policy',
    default: 'interval',
    effect: 'at once',
    doc: 'interval: flush in the background. ack: before a batch is acknowledged. os: leave it to the kernel.',
  }),
  'flush.ms': long({
    broker: 'log.flush.interval.ms',
    default: second,
    unit: 'ms',
    min: 1,
    effect: 'at once',
    doc: 'Age that unflushed bytes reach under flush.policy=interval before they are flushed.',
  }),
} as const

export type TopicConfigName = keyof typeof topicConfigTable

export const topicConfigNames = Object.keys(topicConfigTable).toSorted() as TopicConfigName[]

export function isTopicConfigName(name: string): name is TopicConfigName {
  return Object.hasOwn(topicConfigTable, name)
}

/** The row of `name`, without the type of its value. */
export function topicConfigOf(name: TopicConfigName): Setting<SettingValue, BrokerName | null> {
  return topicConfigTable[name]
}

type Table = typeof topicConfigTable
type BrokerName = Exclude<Table[TopicConfigName]['broker'], null>

/** The settings of the broker that stand beneath configs of topics. */
export const settingsBeneathTopics = Object.fromEntries(
  Object.values(topicConfigTable).map(setting => [setting.broker, setting]),
) as {
  readonly [Name in TopicConfigName as Table[Name]['broker'] & BrokerName]: Table[Name]
}
