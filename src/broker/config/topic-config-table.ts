/**
 * The configs of a topic: Kafka's names, each with the broker's setting that stands beneath it. One row says
 * everything: validation, defaults, what a log goes by, docs/settings.md and the answers to DescribeConfigs come
 * from here.
 */
import {
  anyOf,
  bool,
  choice,
  double,
  int,
  list,
  long,
  longMax,
  type Items,
  type Setting,
  type SettingValue,
} from './setting.ts'
import { day, gibibyte, hour, kibibyte, mebibyte, minute, second } from './units.ts'

export type CleanupPolicy = '' | 'delete' | 'compact' | 'compact,delete'

/** Which replicas a throttle is for. */
const throttled: Items = {
  text: '* for all, or PARTITION:BROKER, several separated by commas',
  isSet: false,
  // Empty items are none, as in Kafka.
  wrongOf: items => {
    if (items.join('') === '*') return undefined
    return items.find(item => !/^(?:\d+:\d+)?$/.test(item))
  },
}

export const topicConfigTable = {
  // Copies
  'min.insync.replicas': int({
    broker: 'min.insync.replicas',
    default: 1,
    unit: 'count',
    min: 1,
    effect: 'at once',
    doc: 'Replicas that must hold a batch before acks=all is answered. Of a topic, or of all brokers while they run. Where neither is given: one less than the topic has replicas, at least 1 and at most 2.',
  }),
  'unclean.leader.election.enable': bool({
    broker: 'unclean.leader.election.enable',
    default: false,
    effect: 'at once',
    doc: 'A replica that is not in sync may become leader when no other is left, at the price of acknowledged records. Of a topic, or of all brokers while they run.',
  }),

  // Segments and indexes
  'segment.bytes': int({
    broker: 'log.segment.bytes',
    default: gibibyte,
    unit: 'bytes',
    min: mebibyte,
    effect: 'at once',
    doc: 'A segment that would grow beyond this is closed and the next begun.',
  }),
  'internal.segment.bytes': int({
    broker: null,
    default: 0,
    unit: 'bytes',
    min: -Infinity,
    effect: 'at once',
    described: 'where given',
    doc: 'Stands in for segment.bytes where it is more than 0, and may be smaller: for tests.',
  }),
  'segment.ms': long({
    broker: 'log.roll.ms',
    default: 7 * day,
    unit: 'ms',
    min: 1,
    effect: 'at once',
    aliases: { 'log.roll.hours': hour },
    doc: 'A segment is closed where a batch is more than this later than its first one, by their newest timestamps, so that retention can remove it. By the clock where the first one has none.',
  }),
  'segment.jitter.ms': long({
    broker: 'log.roll.jitter.ms',
    default: 0,
    unit: 'ms',
    effect: 'for new segments',
    aliases: { 'log.roll.jitter.hours': hour },
    doc: 'A segment is closed by its age up to this much earlier, by chance, so that not all of them are at once.',
  }),
  preallocate: bool({
    broker: 'log.preallocate',
    default: false,
    effect: 'for new segments',
    doc: 'A new segment gets its place on the device at once (fallocate(2)), and what it did not need is given back when it is closed. Only with the native addon.',
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
    min: 4,
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
    brokerExcept: [0],
    aliases: { 'log.retention.minutes': minute, 'log.retention.hours': hour },
    doc: "Segments whose newest record is older are removed. -1: never. 0, nothing stays, is for single topics: the broker's setting may not be that.",
  }),
  'retention.bytes': long({
    broker: 'log.retention.bytes',
    default: -1,
    unit: 'bytes',
    min: -Infinity,
    effect: 'at once',
    doc: 'Oldest segments are removed while a partition keeps at least this much without them. Below 0: no limit.',
  }),
  'cleanup.policy': list(anyOf(['compact', 'delete']), {
    broker: 'log.cleanup.policy',
    default: 'delete' as CleanupPolicy,
    effect: 'at once',
    doc: 'delete: old segments go. compact: the last record of each key stays. Both can be given. Empty: everything stays.',
  }),
  'min.cleanable.dirty.ratio': double({
    broker: 'log.cleaner.min.cleanable.ratio',
    default: 0.5,
    max: 1,
    effect: 'at once',
    doc: 'A log is compacted when more than this share of its closed segments was appended since it was last.',
  }),
  'delete.retention.ms': long({
    broker: 'log.cleaner.delete.retention.ms',
    default: day,
    unit: 'ms',
    effect: 'at once',
    doc: 'How long compaction keeps tombstones, from the first run that comes to them.',
  }),
  'min.compaction.lag.ms': long({
    broker: 'log.cleaner.min.compaction.lag.ms',
    default: 0,
    unit: 'ms',
    effect: 'at once',
    doc: 'Segments with a record younger than this are not compacted.',
  }),
  'max.compaction.lag.ms': long({
    broker: 'log.cleaner.max.compaction.lag.ms',
    default: longMax,
    unit: 'ms',
    min: 1,
    effect: 'at once',
    doc: 'A log with a record that waits for longer is compacted, however little of it is dirty; for that, segments of compacted topics become no older than this either.',
  }),
  'file.delete.delay.ms': long({
    broker: 'log.segment.delete.delay.ms',
    default: minute,
    unit: 'ms',
    effect: 'at once',
    doc: 'Time between the removal of a segment from a log and the removal of its file.',
  }),

  // Tiered storage, which is not there: so that tools which give a topic all of its configs can give these
  'remote.storage.enable': bool({
    broker: null,
    default: false,
    effect: 'never',
    doc: 'Closed segments are copied to tiered storage. There is none here: true is refused, as in Kafka where it is off.',
  }),
  'remote.log.copy.disable': bool({
    broker: null,
    default: false,
    effect: 'never',
    doc: 'Nothing more is copied to tiered storage. There is no tiered storage here.',
  }),
  'remote.log.delete.on.disable': bool({
    broker: null,
    default: false,
    effect: 'never',
    doc: 'What was copied is removed when tiered storage is turned off. There is none here.',
  }),
  'local.retention.ms': long({
    broker: 'log.local.retention.ms',
    default: -2,
    unit: 'ms',
    min: -2,
    effect: 'never',
    doc: 'How long segments stay on the disk beside tiered storage; -2: as long as retention.ms. There is no tiered storage here.',
  }),
  'local.retention.bytes': long({
    broker: 'log.local.retention.bytes',
    default: -2,
    unit: 'bytes',
    min: -2,
    effect: 'never',
    doc: 'How much stays on the disk beside tiered storage; -2: as much as retention.bytes. There is no tiered storage here.',
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
  'compression.gzip.level': int({
    broker: 'compression.gzip.level',
    default: -1,
    min: -1,
    max: 9,
    except: [0],
    effect: 'at once',
    doc: 'Level at which batches are compressed with gzip where compression.type wants it. -1: its default, 6.',
  }),
  'compression.zstd.level': int({
    broker: 'compression.zstd.level',
    default: 3,
    min: -131_072,
    max: 22,
    effect: 'at once',
    doc: 'Level at which batches are compressed with zstd where compression.type wants it.',
  }),
  'compression.lz4.level': int({
    broker: 'compression.lz4.level',
    default: 9,
    min: 1,
    max: 17,
    effect: 'never',
    doc: 'Level at which batches are compressed with LZ4. The LZ4 used here has one level.',
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
    isDefaultOurs: true,
    unit: 'ms',
    effect: 'at once',
    doc: 'Age that unflushed bytes reach under flush.policy=interval before they are flushed.',
  }),
  'flush.messages': long({
    broker: 'log.flush.interval.messages',
    default: longMax,
    unit: 'records',
    min: 1,
    effect: 'at once',
    doc: 'A log is flushed in the background when so many records of it are not. 1: as flush.policy=ack, each batch is flushed before it is acknowledged.',
  }),

  // Copies under way
  'leader.replication.throttled.replicas': list<string>(throttled, {
    broker: null,
    default: '',
    effect: 'at once',
    doc: "Replicas whose followers read no faster than their leader's leader.replication.throttled.rate, as long as they are not in sync.",
  }),
  'follower.replication.throttled.replicas': list<string>(throttled, {
    broker: null,
    default: '',
    effect: 'at once',
    doc: "Replicas that read no faster than their broker's follower.replication.throttled.rate, as long as they are not in sync.",
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
  Object.values(topicConfigTable).flatMap((setting: Setting) => {
    const { broker, except, brokerExcept } = setting
    return broker === null ? [] : [[broker, { ...setting, except: [...except, ...brokerExcept] }]]
  }),
) as unknown as {
  readonly [Name in TopicConfigName as Table[Name]['broker'] & BrokerName]: Table[Name]
}
