/** What is asked of each config of a topic: the edges of its range and of its form. */

const values = (list: string): string[] => list.split('|')

const wholes = values('|x|1.5|0x10|1_000| 7 |+7|-3|-2|-1|0|1|2')
const longs = [
  ...wholes,
  '2147483648',
  '9007199254740993',
  '9223372036854775806',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775808',
  '-9223372036854775809',
]
const ints = [...wholes, '2147483647', '2147483648', '-2147483648', '-2147483649']
const doubles = values(
  '|x|0|0.0|0.5|.5|1|1.0|1.1|-0.1|5.|1e-1|1E-5|0.5d| 0.25 |0.001|0.0001|0.12345678901234568|NaN|Infinity',
)
const booleans = values('true|false|TRUE|False| true ||yes|1')
const throttled = values(
  '|*| * |*,*|*,0:1|0:1|0:1,1:2|0:1, 1:2|0:1,0:1|0:1,|*,|,|0|x|0:|:1|-1:1|0:x|0:1:2|0-1:2|none',
)
const policies = values(
  '| |,|delete|compact|compact,delete|delete,compact|delete,delete| delete , compact |delete,|delete,purge|purge|none|DELETE|delete;compact',
)

export const wishes: Readonly<Record<string, readonly string[]>> = {
  'cleanup.policy': policies,
  'compression.gzip.level': [...ints, '9', '10'],
  'compression.lz4.level': [...ints, '17', '18'],
  'compression.type': values('producer|uncompressed|gzip|snappy|lz4|zstd| gzip |GZIP|none||brotli'),
  'compression.zstd.level': [...ints, '22', '23', '-131072', '-131073'],
  'delete.retention.ms': longs,
  'file.delete.delay.ms': longs,
  'flush.messages': longs,
  'flush.ms': longs,
  'follower.replication.throttled.replicas': throttled,
  'index.interval.bytes': ints,
  'internal.segment.bytes': ['', 'x', '-3', '-1', '0', '1', '2147483647', '2147483648'],
  'leader.replication.throttled.replicas': throttled,
  'local.retention.bytes': longs,
  'local.retention.ms': longs,
  'max.compaction.lag.ms': longs,
  'max.message.bytes': ints,
  'message.timestamp.after.max.ms': longs,
  'message.timestamp.before.max.ms': longs,
  'message.timestamp.type': ['CreateTime', 'LogAppendTime', ' CreateTime ', 'createtime', ''],
  'min.cleanable.dirty.ratio': doubles,
  'min.compaction.lag.ms': longs,
  'min.insync.replicas': ints,
  preallocate: booleans,
  'remote.log.copy.disable': booleans,
  'remote.log.delete.on.disable': booleans,
  'remote.storage.enable': booleans,
  'retention.bytes': longs,
  'retention.ms': longs,
  'segment.bytes': [...ints, '1048575', '1048576'],
  'segment.index.bytes': [...ints, '3', '4'],
  'segment.jitter.ms': longs,
  'segment.ms': longs,
  'unclean.leader.election.enable': booleans,
  // What older versions had, and what nobody has.
  'message.format.version': ['3.0'],
  'message.downconversion.enable': ['true'],
  'message.timestamp.difference.max.ms': ['1'],
  'no.such.config': ['1'],
}

/** Configs that are looked at together. */
export const wishesTogether: readonly Readonly<Record<string, string>>[] = [
  { 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '9' },
  { 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '10' },
  { 'local.retention.ms': '5', 'retention.ms': '4' },
  { 'local.retention.ms': '5', 'retention.ms': '-1' },
  { 'local.retention.ms': '-1', 'retention.ms': '5' },
  { 'local.retention.bytes': '5', 'retention.bytes': '4' },
  { 'segment.bytes': '1048576', 'max.message.bytes': '2000000' },
  { 'segment.ms': '5', 'segment.jitter.ms': '6' },
  { 'remote.storage.enable': 'true', 'cleanup.policy': 'compact' },
  { 'remote.storage.enable': 'false', 'remote.log.copy.disable': 'true' },
  { 'remote.storage.enable': 'false', 'remote.log.delete.on.disable': 'true' },
  { 'cleanup.policy': '', 'retention.ms': '5' },
  { 'segment.bytes': '1048576', 'internal.segment.bytes': '2000' },
]

/** Edits of lists, one after the other: 0 sets, 1 takes away, 2 appends, 3 subtracts. */
export const listEdits: readonly (readonly [
  name: string,
  operation: number,
  value: string | null,
])[] = [
  ['cleanup.policy', 2, 'compact'],
  ['cleanup.policy', 2, 'compact'],
  ['cleanup.policy', 3, 'delete'],
  ['cleanup.policy', 3, 'compact'],
  ['cleanup.policy', 3, 'purge'],
  ['cleanup.policy', 2, 'purge'],
  ['cleanup.policy', 2, 'delete'],
  ['cleanup.policy', 1, null],
  ['leader.replication.throttled.replicas', 2, '0:1'],
  ['leader.replication.throttled.replicas', 2, '1:1'],
  ['leader.replication.throttled.replicas', 3, '0:1'],
  ['leader.replication.throttled.replicas', 3, '1:1'],
  ['leader.replication.throttled.replicas', 1, null],
  ['retention.ms', 2, '5'],
]
