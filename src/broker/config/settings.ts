/**
 * The one table of settings: types, validation, `--help`, docs/settings.md and the answers to DescribeConfigs
 * all come from it. Names are Kafka's where Kafka has one; in code the same name is camelCase.
 */
import { groupSettings } from './group-settings.ts'
import { bool, choice, int, list, long, text, type Setting } from './setting.ts'

const kibibyte = 1024
const mebibyte = 1024 * kibibyte
const gibibyte = 1024 * mebibyte
const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

export type CleanupPolicy = 'delete' | 'compact' | 'compact,delete'

export const settingsTable = {
  // Who and where
  'node.id': int({
    default: 1,
    aliases: { 'broker.id': 1 },
    doc: 'Number of this broker, unique in the cluster. It is written into the data directory and may not change.',
  }),
  listeners: text({
    default: 'PLAINTEXT://127.0.0.1:9092',
    doc: 'Where to listen for clients: NAME://host:port, several separated by commas. Without a host: at every address. Port 0 takes a free one.',
  }),
  'advertised.listeners': text({
    default: '',
    doc: "What clients are told to connect to, by listener name. Empty: the listener itself; on loopback, the address that the client dialled; where it listens at every address, the machine's name.",
  }),
  'listener.security.protocol.map': text({
    default: 'PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
    doc: 'Security protocol of each listener, NAME:PROTOCOL, several separated by commas. Names that it does not have speak PLAINTEXT, which is all that is there yet.',
  }),
  'log.dirs': text({
    default: './data',
    aliases: { 'log.dir': 1 },
    doc: 'Data directory. One only: to use several disks, run several brokers.',
  }),
  'metadata.log.dir': text({
    default: '',
    doc: "Directory of the cluster's metadata log. Empty: the folder `metadata` in the data directory.",
  }),
  'http.address': text({
    default: '127.0.0.1:9404',
    doc: 'host:port of /metrics, /healthz and /readyz. Empty: no HTTP.',
  }),
  'data.path': choice(['auto', 'native', 'node'], {
    default: 'auto',
    doc: 'auto: the native addon where it was built, else the TypeScript fallback. native: refuse to start without the addon.',
  }),
  'log.level': choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info',
    doc: 'Least severe log lines that are written.',
  }),
  'metrics.group.series.max': int({
    default: 20_000,
    unit: 'count',
    doc: 'Most series of one metric by consumer group; more are left out and counted, and what further groups are sent counts for none. 0: none, consumer lag is not told.',
  }),

  // Topics
  'auto.create.topics.enable': bool({
    default: true,
    doc: 'A client that asks for the metadata of an unknown topic creates it, if the request allows it too.',
  }),
  'num.partitions': int({
    default: 4,
    unit: 'count',
    min: 1,
    max: 100_000,
    doc: 'Partitions of a topic that is created without a number.',
  }),
  'default.replication.factor': int({
    default: 1,
    unit: 'count',
    min: 1,
    max: 32_767,
    doc: 'Replicas of a partition whose topic is created without a number.',
  }),
  'min.insync.replicas': int({
    default: 1,
    unit: 'count',
    min: 1,
    max: 32_767,
    topic: 'min.insync.replicas',
    doc: 'Replicas that must hold a batch before acks=all is answered. Not set: max(1, min(default.replication.factor - 1, 2)).',
  }),
  'unclean.leader.election.enable': bool({
    default: false,
    topic: 'unclean.leader.election.enable',
    doc: 'A replica that is not in sync may become leader when no other is left, at the price of acknowledged records.',
  }),

  // Segments and indexes
  'log.segment.bytes': int({
    default: gibibyte,
    unit: 'bytes',
    min: kibibyte,
    topic: 'segment.bytes',
    doc: 'A segment that would grow beyond this is closed and the next begun.',
  }),
  'log.roll.ms': long({
    default: 7 * day,
    unit: 'ms',
    min: 1,
    topic: 'segment.ms',
    aliases: { 'log.roll.hours': hour },
    doc: 'A segment older than this is closed at the next append, so that retention can remove it.',
  }),
  'log.index.interval.bytes': int({
    default: 4 * kibibyte,
    unit: 'bytes',
    topic: 'index.interval.bytes',
    doc: 'Bytes of batches between two entries of the offset index.',
  }),
  'log.index.size.max.bytes': int({
    default: 10 * mebibyte,
    unit: 'bytes',
    min: kibibyte,
    topic: 'segment.index.bytes',
    doc: "Greatest size of a segment's index; a full index closes the segment.",
  }),

  // Retention and cleaning
  'log.retention.ms': long({
    default: 7 * day,
    unit: 'ms',
    min: -1,
    topic: 'retention.ms',
    aliases: { 'log.retention.minutes': minute, 'log.retention.hours': hour },
    doc: 'Segments whose newest record is older are removed. -1: never.',
  }),
  'log.retention.bytes': long({
    default: -1,
    unit: 'bytes',
    min: -1,
    topic: 'retention.bytes',
    doc: 'Oldest segments are removed while a partition keeps at least this much without them. -1: no limit.',
  }),
  'log.retention.check.interval.ms': long({
    default: 5 * minute,
    unit: 'ms',
    min: 1,
    doc: 'Time between two looks for segments to remove.',
  }),
  'log.cleanup.policy': list<CleanupPolicy>(['compact', 'delete'], {
    default: 'delete',
    topic: 'cleanup.policy',
    doc: 'delete: old segments go. compact: the last record of each key stays; accepted, and nothing is removed until compaction exists.',
  }),
  'log.cleaner.delete.retention.ms': long({
    default: day,
    unit: 'ms',
    topic: 'delete.retention.ms',
    doc: 'How long compaction keeps tombstones. Kept with the topic; without effect until compaction exists.',
  }),
  'log.cleaner.min.compaction.lag.ms': long({
    default: 0,
    unit: 'ms',
    topic: 'min.compaction.lag.ms',
    doc: 'Least age of a record that compaction may remove. Kept with the topic; without effect until compaction exists.',
  }),
  'log.cleaner.max.compaction.lag.ms': long({
    default: Number.MAX_SAFE_INTEGER,
    unit: 'ms',
    min: 1,
    topic: 'max.compaction.lag.ms',
    doc: 'Greatest age of a record that waits for compaction. Kept with the topic; without effect until compaction exists.',
  }),
  'log.segment.delete.delay.ms': long({
    default: minute,
    unit: 'ms',
    topic: 'file.delete.delay.ms',
    doc: 'Time between the removal of a segment from a log and the removal of its file.',
  }),

  // What may be appended
  'message.max.bytes': int({
    default: 1_048_588,
    unit: 'bytes',
    topic: 'max.message.bytes',
    doc: 'Greatest size of a batch, as the producer compressed it.',
  }),
  'log.message.timestamp.type': choice(['CreateTime', 'LogAppendTime'], {
    default: 'CreateTime',
    topic: 'message.timestamp.type',
    doc: "Whose clock stamps a record: the producer's or this broker's.",
  }),
  'log.message.timestamp.before.max.ms': long({
    default: Number.MAX_SAFE_INTEGER,
    unit: 'ms',
    topic: 'message.timestamp.before.max.ms',
    doc: "How far a producer's timestamp may lie in the past.",
  }),
  'log.message.timestamp.after.max.ms': long({
    default: hour,
    unit: 'ms',
    topic: 'message.timestamp.after.max.ms',
    doc: "How far a producer's timestamp may lie in the future.",
  }),
  'compression.type': choice(['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'], {
    default: 'producer',
    topic: 'compression.type',
    doc: 'Codec that batches are stored in. producer: as the producer compressed them. With any other, a batch that comes in another codec is opened and compressed again.',
  }),
  'producer.id.expiration.ms': long({
    default: day,
    unit: 'ms',
    min: 1,
    dynamic: true,
    doc: 'What is remembered of an idempotent producer is forgotten after so long without a batch.',
  }),
  'producer.id.count.max': int({
    default: 100_000,
    unit: 'count',
    min: 1,
    dynamic: true,
    doc: 'Idempotent producers remembered in one partition; beyond it the one that was silent the longest is forgotten.',
  }),

  // Flushing and write-back
  'flush.policy': choice(['interval', 'ack', 'os'], {
    default: 'interval',
    topic: 'flush.policy',
    doc: 'interval: flush in the background. ack: before a batch is acknowledged. os: leave it to the kernel.',
  }),
  'log.flush.interval.ms': long({
    default: second,
    unit: 'ms',
    min: 1,
    topic: 'flush.ms',
    doc: 'Age that unflushed bytes reach under flush.policy=interval before they are flushed.',
  }),
  'log.dirty.budget.bytes': long({
    default: 128 * mebibyte,
    unit: 'bytes',
    min: mebibyte,
    doc: 'Bytes written and not yet on the device, above which producers are not read.',
  }),
  'log.write.back.bytes': long({
    default: 8 * mebibyte,
    unit: 'bytes',
    min: 64 * kibibyte,
    doc: 'Write-back of a segment is started each time it has grown by this much.',
  }),
  'hot.window.bytes': long({
    default: 256 * mebibyte,
    unit: 'bytes',
    doc: 'Where the kernel cannot tell what is in the page cache: bytes appended lately that count as being there.',
  }),
  'num.recovery.threads.per.data.dir': int({
    default: 4,
    unit: 'count',
    min: 1,
    max: 1024,
    doc: 'Partitions that are recovered at the same time at start.',
  }),

  // Consumer groups and their offsets
  ...groupSettings,

  // Requests and connections
  'socket.request.max.bytes': int({
    default: 100 * mebibyte,
    unit: 'bytes',
    min: kibibyte,
    doc: 'A request that announces more closes its connection. In a small container the default is three quarters of queued.max.request.bytes.',
  }),
  'queued.max.request.bytes': long({
    default: 256 * mebibyte,
    unit: 'bytes',
    min: mebibyte,
    doc: 'Memory for requests, of all connections together. What does not fit waits in its socket; an eighth is kept for small requests. Where the memory of the process is limited (cgroup), the default is at most half of what the limit leaves beside 128 MiB.',
  }),
  'fetch.max.bytes': int({
    default: 57_671_680,
    unit: 'bytes',
    min: kibibyte,
    doc: 'Most that one Fetch answers with, whatever it asks for; a first batch that is larger still goes out whole.',
  }),
  'max.connections': int({
    default: 10_000,
    unit: 'connections',
    min: 1,
    dynamic: true,
    doc: 'Open connections; further ones are closed at once.',
  }),
  'max.connections.per.ip': int({
    default: 2 ** 31 - 1,
    unit: 'connections',
    min: 1,
    dynamic: true,
    doc: 'Open connections from one address; further ones are closed at once.',
  }),
  'connections.max.idle.ms': long({
    default: 10 * minute,
    unit: 'ms',
    min: -1,
    doc: 'A connection that neither asks nor is owed anything, or takes nothing of what it was sent, is closed after this long. -1: never.',
  }),
  'connections.frame.timeout.ms': long({
    default: 30 * second,
    unit: 'ms',
    min: 1,
    doc: 'A request that has begun to arrive must be complete within this time, or its connection is closed.',
  }),
  'connections.requests.in.flight.max': int({
    default: 64,
    unit: 'requests',
    min: 1,
    doc: 'Requests of one connection that are being answered, above which it is not read.',
  }),
  'connections.queued.output.bytes': long({
    default: 16 * mebibyte,
    unit: 'bytes',
    min: kibibyte,
    doc: 'Answers of one connection that the peer has not taken, above which it is not read.',
  }),
  'queued.max.output.bytes': long({
    default: 32 * mebibyte,
    unit: 'bytes',
    min: kibibyte,
    doc: 'Answers of all connections together that no peer has taken, above which only connections that took all of theirs are read.',
  }),
  'graceful.stop.timeout.ms': long({
    default: 10 * second,
    unit: 'ms',
    doc: 'How long a stopping broker waits for the answers of requests that it took.',
  }),

  // Known to tools that change them on any broker, librdkafka's test suite among them
  'background.threads': int({
    default: 10,
    unit: 'threads',
    min: 1,
    dynamic: true,
    doc: 'Without effect: nothing here runs in threads of this kind. It can be set because tools set it.',
  }),
  'sasl.kerberos.min.time.before.relogin': long({
    default: minute,
    unit: 'ms',
    dynamic: true,
    doc: 'Without effect: there is no Kerberos here. It can be set because tools set it.',
  }),
} as const

export type SettingName = keyof typeof settingsTable

/** `log.segment.bytes` as `logSegmentBytes`. */
export type Camel<Name extends string> = Name extends `${infer Head}.${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name

/** The value of every setting, checked and frozen. */
export type Settings = {
  readonly [Name in SettingName as Camel<Name>]: (typeof settingsTable)[Name] extends Setting<
    infer T
  >
    ? T
    : never
}

/** A configuration as it was loaded: the values, and which of them somebody gave. */
export interface Configuration {
  readonly settings: Settings
  readonly given: ReadonlySet<SettingName>
}

export const settingNames = Object.keys(settingsTable) as readonly SettingName[]

/** The row of `name`, without the type of its value. */
export function settingOf(name: SettingName): Setting {
  return settingsTable[name]
}

export function camel<Name extends string>(name: Name): Camel<Name> {
  return name.replace(/\.(.)/g, (_, letter: string) => letter.toUpperCase()) as Camel<Name>
}

/** The defaults, with `changes`: for tests and embedded use. Not checked. */
export function defaultSettings(changes: Partial<Settings> = {}): Settings {
  const values = Object.fromEntries(
    settingNames.map(name => [camel(name), settingOf(name).default]),
  )
  return Object.freeze({ ...values, ...changes }) as Settings
}
