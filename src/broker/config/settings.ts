/**
 * The front door of the room: the one table of the broker's settings. Types, validation, `--help`, docs/settings.md and the answers to
 * DescribeConfigs all come from it. Names are Kafka's where Kafka has one; in code the same name is camelCase.
 */
import { cleanerSettings } from './cleaner-settings.ts'
import { groupSettings } from './group-settings.ts'
import { failedLoginDelayMs } from './failed-login.ts'
import { kubernetesSettings } from './kubernetes-settings.ts'
import { privateSettings } from './private-settings.ts'
import { replicationSettings } from './replication-settings.ts'
import { bool, choice, int, list, long, text, type Setting } from './setting.ts'
import { toolSettings } from './tool-settings.ts'
import { settingsBeneathTopics } from './topic-config-table.ts'
import { day, kibibyte, mebibyte, minute, second } from './units.ts'

const settingsTable = {
  // Who and where
  'node.id': int({
    default: 1,
    aliases: { 'broker.id': 1 },
    effect: 'at restart',
    doc: 'Number of this broker, unique in the cluster. It is written into the data directory and may not change.',
  }),
  listeners: list<string>(null, {
    default: 'PLAINTEXT://127.0.0.1:9092',
    effect: 'at restart',
    doc: 'Where to listen for clients: NAME://host:port, several separated by commas. Without a host: at every address. Port 0 takes a free one.',
  }),
  'advertised.listeners': list<string>(null, {
    default: '',
    effect: 'at restart',
    doc: "What clients are told to connect to, by listener name. Empty: the listener itself; on loopback, the address that the client dialled; where it listens at every address, the machine's name.",
  }),
  'broker.rack': text({
    default: '',
    isDefaultOurs: true,
    effect: 'at restart',
    doc: 'What may fail together with this broker: a rack, a zone. Replicas of a partition are placed in as many racks as there are. Empty: nobody said.',
  }),
  'broker.rack.file': text({
    default: '',
    effect: 'at restart',
    described: 'where given',
    doc: 'File with the value of broker.rack, for who learns it only once a broker has its place: it is not registered before the file holds a line. Empty: broker.rack counts.',
  }),
  'listener.security.protocol.map': text({
    default: 'PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
    effect: 'at restart',
    doc: 'Security protocol of each listener, NAME:PROTOCOL, several separated by commas. Names that it does not have speak PLAINTEXT, which is all that is there yet.',
  }),
  'log.dirs': list<string>(null, {
    default: './data',
    aliases: { 'log.dir': 1 },
    effect: 'at restart',
    doc: 'Data directory. One only: to use several disks, run several brokers.',
  }),
  'metadata.log.dir': text({
    default: '',
    effect: 'at restart',
    doc: "Directory of the cluster's metadata log, for one broker. Empty: the folder `metadata` in the data directory.",
  }),
  'metadata.dir': text({
    default: '',
    effect: 'at restart',
    described: 'where given',
    doc: "Directory of the cluster's metadata log that several brokers of one machine share, on a local disk: so they form a cluster. Empty: this broker is alone, and metadata.log.dir counts.",
  }),
  'http.address': text({
    default: '127.0.0.1:9404',
    effect: 'at restart',
    doc: 'host:port of /metrics, /healthz, /readyz and /v1/status (docs/http.md). Empty: no HTTP.',
  }),
  'data.path': choice(['auto', 'native', 'node'], {
    default: 'auto',
    effect: 'at restart',
    doc: 'auto: the native addon where it was built, else the TypeScript fallback. native: refuse to start without the addon.',
  }),
  'log.level': choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info',
    effect: 'at restart',
    doc: 'Least severe log lines that are written.',
  }),
  'metrics.group.series.max': int({
    default: 20_000,
    unit: 'count',
    effect: 'at restart',
    doc: 'Most series of one metric by consumer group; more are left out and counted, and what further groups are sent counts for none. 0: none, consumer lag is not told.',
  }),

  // Topics
  'auto.create.topics.enable': bool({
    default: true,
    effect: 'at restart',
    doc: 'A client that asks for the metadata of an unknown topic creates it, if the request allows it too.',
  }),
  'delete.topic.enable': bool({
    default: true,
    effect: 'at restart',
    doc: 'Clients can delete topics. false: DeleteTopics is refused with TOPIC_DELETION_DISABLED.',
  }),
  'num.partitions': int({
    default: 4,
    unit: 'count',
    min: 1,
    max: 100_000,
    effect: 'at restart',
    doc: 'Partitions of a topic that is created without a number.',
  }),
  'cluster.size': int({
    default: 0,
    unit: 'count',
    min: 0,
    max: 32_767,
    effect: 'at restart',
    doc: 'How many brokers the cluster is declared to have: internal topics wait for them, since their replicas are placed once (offsets.topic.replication.factor). 0: as many as are registered.',
  }),
  'default.replication.factor': int({
    default: 1,
    unit: 'count',
    min: 1,
    max: 32_767,
    effect: 'at restart',
    doc: 'Replicas of a partition whose topic is created without a number.',
  }),

  // Logs: what topics can override, and what they cannot
  ...settingsBeneathTopics,
  'log.retention.check.interval.ms': long({
    default: 5 * minute,
    unit: 'ms',
    min: 1,
    effect: 'at restart',
    doc: 'Time between two looks for segments to remove.',
  }),

  // Compaction
  ...cleanerSettings,

  'producer.id.expiration.ms': int({
    default: day,
    unit: 'ms',
    min: 1,
    effect: 'at once',
    doc: 'What is remembered of an idempotent producer is forgotten after so long without a batch.',
  }),
  'producer.id.count.max': int({
    default: 100_000,
    unit: 'count',
    min: 1,
    effect: 'at once',
    doc: 'Idempotent producers remembered in one partition; beyond it the one that was silent the longest is forgotten.',
  }),
  'log.dirty.budget.bytes': long({
    default: 128 * mebibyte,
    unit: 'bytes',
    min: mebibyte,
    effect: 'at restart',
    doc: 'Bytes written and not yet on the device, above which producers are not read.',
  }),
  'log.write.back.bytes': long({
    default: 8 * mebibyte,
    unit: 'bytes',
    min: 64 * kibibyte,
    effect: 'at restart',
    doc: 'Write-back of a segment is started each time it has grown by this much.',
  }),
  'hot.window.bytes': long({
    default: 256 * mebibyte,
    unit: 'bytes',
    effect: 'at restart',
    doc: 'Bytes appended lately that count as being in the page cache where the kernel cannot tell, and that are never given back to it behind a reader.',
  }),
  'log.drop.behind.enable': bool({
    default: true,
    effect: 'at restart',
    doc: 'What a reader of old data has read from the device, and no other reader comes to soon, is given back to the kernel, so that it does not push out of the page cache what others read.',
  }),
  'num.cold.reads.per.data.dir': int({
    default: 4,
    unit: 'count',
    min: 1,
    max: 8,
    effect: 'at restart',
    doc: 'Reads of what is not in the page cache that are at the device at the same time, of all connections together. What waits is served evenly by consumer group, readers without one by client id and host.',
  }),
  'num.recovery.threads.per.data.dir': int({
    default: 4,
    unit: 'count',
    min: 1,
    max: 1024,
    effect: 'at restart',
    doc: 'Partitions that are recovered at the same time at start.',
  }),

  // Consumer groups and their offsets
  ...groupSettings,

  // Requests and connections
  'socket.request.max.bytes': int({
    default: 100 * mebibyte,
    unit: 'bytes',
    min: kibibyte,
    effect: 'at restart',
    doc: 'A request that announces more closes its connection. In a small container the default is three quarters of queued.max.request.bytes.',
  }),
  'queued.max.request.bytes': long({
    default: 256 * mebibyte,
    unit: 'bytes',
    min: mebibyte,
    effect: 'at restart',
    doc: 'Memory for requests, of all connections together. What does not fit waits in its socket; an eighth is kept for small requests. Where the memory of the process is limited (cgroup), the default is at most half of what the limit leaves beside 128 MiB.',
  }),
  'fetch.max.bytes': int({
    default: 57_671_680,
    unit: 'bytes',
    min: kibibyte,
    effect: 'at restart',
    doc: 'Most that one Fetch answers with, whatever it asks for; a first batch that is larger still goes out whole.',
  }),
  'max.incremental.fetch.session.cache.slots': int({
    default: 1000,
    unit: 'count',
    effect: 'at restart',
    doc: 'Sessions of fetches that are remembered at the same time; who finds no room is answered in full, as without sessions.',
  }),
  'max.connections': int({
    default: 10_000,
    unit: 'connections',
    min: 1,
    effect: 'at once',
    doc: 'Open connections; further ones are closed at once. Where it is lowered, those that are open stay.',
  }),
  'max.connections.per.ip': int({
    default: 2 ** 31 - 1,
    unit: 'connections',
    min: 1,
    effect: 'at once',
    doc: 'Open connections from one address; further ones are closed at once.',
  }),
  'connections.max.idle.ms': long({
    default: 10 * minute,
    unit: 'ms',
    min: -1,
    except: [[0, failedLoginDelayMs]],
    effect: 'at restart',
    doc: 'A connection that neither asks nor is owed anything, or takes nothing of what it was sent, is closed after this long. -1: never. More than the 100 ms after which a failed login is answered.',
  }),
  'connections.frame.timeout.ms': long({
    default: 30 * second,
    unit: 'ms',
    min: 1,
    effect: 'at restart',
    doc: 'A request that has begun to arrive must be complete within this time, or its connection is closed; within four times this where it is not read for want of request memory.',
  }),
  'connections.requests.in.flight.max': int({
    default: 64,
    unit: 'requests',
    min: 1,
    effect: 'at restart',
    doc: 'Requests of one connection that are being answered, above which it is not read.',
  }),
  'connections.queued.output.bytes': long({
    default: 16 * mebibyte,
    unit: 'bytes',
    min: kibibyte,
    effect: 'at restart',
    doc: 'Answers of one connection that the peer has not taken, above which it is not read.',
  }),
  'queued.max.output.bytes': long({
    default: 32 * mebibyte,
    unit: 'bytes',
    min: kibibyte,
    effect: 'at restart',
    doc: 'Answers of all connections together that no peer has taken, above which only connections that took all of theirs are read.',
  }),
  'graceful.stop.timeout.ms': long({
    default: 10 * second,
    unit: 'ms',
    effect: 'at restart',
    doc: 'How long a stopping broker waits for the answers of requests that it took.',
  }),

  // Copies in other brokers
  ...replicationSettings,

  // In Kubernetes
  ...kubernetesSettings,

  // Under an operator
  ...privateSettings,

  // Known to tools
  ...toolSettings,
} as const

export type SettingName = keyof typeof settingsTable

/** `log.segment.bytes` as `logSegmentBytes`. */
export type Camel<Name extends string> = Name extends `${infer Head}.${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name

/** The values of a table of settings, by their names in code. */
export type ValuesOf<Table extends Readonly<Record<string, Setting>>> = {
  readonly [Name in keyof Table & string as Camel<Name>]: Table[Name] extends Setting<infer T>
    ? T
    : never
}

/** The value of every setting, checked and frozen. */
export type Settings = ValuesOf<typeof settingsTable>

/** A configuration as it was loaded: the values, and the texts of those that somebody gave, by the name it was given. */
export interface Configuration {
  readonly settings: Settings
  readonly given: ReadonlyMap<string, string>
}

export const settingNames = Object.keys(settingsTable) as readonly SettingName[]

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settingsTable, name)
}

/** The row of `name`, without the type of its value. */
export function settingOf(name: SettingName): Setting {
  return settingsTable[name]
}

export function camel<Name extends string>(name: Name): Camel<Name> {
  return name.replace(/\.(.)/g, (_, letter: string) => letter.toUpperCase()) as Camel<Name>
}

/** The defaults, with `changes`. Not checked. @internal */
export function defaultSettings(changes: Partial<Settings> = {}): Settings {
  const values = Object.fromEntries(
    settingNames.map(name => [camel(name), settingOf(name).default]),
  )
  return Object.freeze({ ...values, ...changes }) as Settings
}
