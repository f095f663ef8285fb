import type { Because, Deviation } from './deviation.ts'

/** A scenario, a request of it, a field, what we have there and what Kafka has; see Deviation. */
type Line = readonly [
  scenario: string,
  request: string,
  field: string,
  ours: string,
  kafkas: string,
]

function all(because: Because, ...lines: readonly Line[]): Deviation[] {
  return lines.map(([scenario, request, field, ours, kafkas]) => {
    return { scenario, request, field, ours, kafkas, because }
  })
}

/** Rows of docs/compatibility.md, by their first cells. */
const row = (name: string): Because => ({ row: name })

const versionsAnswered =
  'A new broker | ApiVersions in every version | ApiVersions at the edges | Versions of the future | Every API key'

/** Record sets that Kafka takes and we do not: broken in ways that would come to light later. */
const taken = [
  'append time told by the client',
  'delete horizon',
  'a producer without epoch',
  'producer id *',
]

/** Record sets whose compressed records nobody looks into. */
const believed = [
  'count and last offset delta one less, under gzip',
  'garbage in place of records, under gzip',
  'garbage in place of gzip',
  'garbage in place of snappy',
  'garbage in place of lz4',
  'garbage in place of zstd',
]

/** Any of these, with more behind it. */
function any(names: readonly string[], behind = ''): string {
  return names.map(name => name + behind).join(' | ')
}

/** Everything that we answer differently than Apache Kafka 4.3.1. */
export const deviations: readonly Deviation[] = [
  ...all(
    row('Every API that Apache Kafka 4.3.1 lists'),
    [versionsAnswered, '*', 'apiKeys[*]', 'nothing', '{"apiKey":*'],
    ['Every API key', '*', '', '"closed"', '"answered"'],
  ),
  ...all(
    row('features'),
    [versionsAnswered, '*', 'supportedFeatures[*]', 'nothing', '*'],
    [versionsAnswered, '*', 'finalizedFeatures[*]', 'nothing', '*'],
    ['Features', '*', 'errorCode', '95', '0'],
  ),
  ...all(
    row('the quorum of the metadata'),
    ['A new broker | DescribeQuorum *', '*', 'nodes[1].listeners[PLAINTEXT]', '*', 'nothing'],
    ['A new broker | DescribeQuorum *', '*', 'nodes[1].listeners[CONTROLLER]', 'nothing', '*'],
  ),
  ...all(row('ids that no session of Kafka can have'), [
    'Fetch at the edges',
    'v18 sessionId = -2147483648 | v18 sessionId = 2147483647',
    'errorCode | sessionId | responses[*]',
    '*',
    '*',
  ]),
  ...all(
    row('requests in the name of a broker'),
    ['Ids that no topic has', 'by a follower that is none', 'errorCode', '31', '0'],
    ['Ids that no topic has', 'by a follower that is none', 'responses[0]', 'nothing', '*'],
    ['Fetch at the edges', '* replicaId = *', '*.errorCode', '31', '6'],
    ['ListOffsets at the edges', '* replicaId = *', '*.errorCode', '31', '0'],
    ['ListOffsets at the edges', '* replicaId = *', '*[0].*', '-1', '*'],
    ['OffsetForLeaderEpoch at the edges', '* replicaId = *', '*.errorCode', '31', '0'],
    ['OffsetForLeaderEpoch at the edges', '* replicaId = *', '*[0].*', '-1', '*'],
  ),
  ...all(row('segment size of `__consumer_offsets`'), [
    'Offsets by name',
    'its configs',
    'results[__consumer_offsets].configs[segment.bytes].*',
    '"1048576"',
    '"104857600"',
  ]),
  ...all(
    row('default partitions of an auto-created topic'),
    ['Topics made by Metadata', '*', 'topics[*].partitions[*]', '{*', 'nothing'],
    ['Metadata at the edges', 'v13 topics = null', 'topics[*].partitions[*]', '{*', 'nothing'],
    ['Topics by numbers | CreateTopics at the edges', '*', 'topics[*].numPartitions', '4', '1'],
    ['Configs of a new broker', '*', 'results[1].configs[num.partitions]*', '"4"', '"1"'],
  ),
  ...all(
    row('flush'),
    ['*', '*', '*.configs[flush.ms].value', '"1000"', '"9223372036854775807"'],
    ['*', '*', '*.configs[flush.policy]', '*', 'nothing'],
  ),
  ...all(
    row('client quotas'),
    ['AlterClientQuotas * | Quotas', '*', 'entries[*].errorCode', '44', '0 | 42'],
    ['AlterClientQuotas * | Quotas', '*', 'entries[*]', '{"errorCode":44,*', 'nothing'],
    ['AlterClientQuotas * | Quotas', '*', 'entries[*].entity[*]', '*', 'nothing'],
  ),
  ...all(
    row('transactions'),
    ['Produce at the edges', '* transactionalId = *', '*[0].errorCode', '53', '0'],
    ['Produce at the edges', '* transactionalId = *', '*[0].baseOffset', '-1', '0'],
    ['Produce at the edges', 'v13 transactionalId = *', '*[0].logStartOffset', '-1', '0'],
  ),
  ...all(row('a fetch that names a partition that is not there'), [
    'Fetches that wait',
    'beside a partition that is not there',
    'responses*',
    '2 | nothing | "fetches-that-wait-others, *',
    '3 | {* | "fetches-that-wait-topic, *',
  ]),
  ...all(row('where the answer of a fetch ends'), [
    'Limits of a fetch | Shares of a fetch | Fetches that do not wait',
    '*',
    '*.records.cutBytes',
    '0',
    '*',
  ]),
  ...all(row('Metadata of a topic with neither a name nor an id'), [
    'Metadata at the edges',
    'v13 topics[0].name = null',
    '*',
    '*',
    '*',
  ]),
  ...all(row('changing broker settings'), [
    'Resources that have configs',
    'broker 1, * | all brokers, *',
    'responses[*].errorCode',
    '40',
    '0 | 42',
  ]),
  ...all(row('configs of groups'), [
    'Resources that have configs',
    'a group',
    'results[*].configs[*]',
    'nothing',
    '*',
  ]),
  ...all(
    row('loggers of brokers'),
    ['Resources that have configs', 'loggers of broker 1', 'results[*].errorCode', '42', '0'],
    [
      'Resources that have configs',
      'a logger*, incrementally',
      'responses[*].errorCode',
      '42',
      '40',
    ],
  ),
  ...all(row('`max.connections`'), [
    'Resources that have configs | Configs of a new broker',
    '*',
    '*.configs[max.connections]*',
    '"10000"',
    '"2147483647"',
  ]),
  ...all(row('CreatePartitions of an internal topic'), [
    'More partitions',
    'of offsets',
    'results[*].errorCode',
    '37',
    '0',
  ]),
  ...all(
    row('compressed batches of ordinary topics'),
    ['Record sets*', any(believed), '*.errorCode', '0', '87 | -1'],
    ['Record sets*', any(believed), '*.baseOffset | *.logAppendTimeMs', '0 | "<set>"', '-1'],
    [
      'Record sets*',
      any(believed, ': fetched'),
      '*.highWatermark | *.lastStableOffset',
      '2 | 3',
      '0',
    ],
    ['Record sets*', any(believed, ': fetched'), '*.batches[*]', '{*', 'nothing'],
    ['Times of records*', 'maximum *, under gzip: *', '*.maxTimestamp', '*', '1700000001000'],
    [
      'Times of records*',
      'maximum *, under gzip: *',
      '*.timestamp | *.offset | *.leaderEpoch',
      '-1',
      '1700000001000 | 1 | 0',
    ],
  ),
  ...all(row('offset deltas of records'), [
    'Record sets*',
    'offset deltas *',
    '*',
    '87 | -1 | 0 | {* | nothing',
    '0 | 2 | "<set>" | {* | nothing',
  ]),
  ...all(
    row('batches that no client writes'),
    ['Record sets*', any(taken), '*.errorCode', '87 | 32', '0'],
    ['Record sets*', any(taken), '*.baseOffset | *.logAppendTimeMs', '-1', '0 | "<set>"'],
    ['Record sets*', any(taken), '*.recordErrors[*]', 'nothing', '*'],
    ['Record sets*', any(taken, ': fetched'), '*.highWatermark | *.lastStableOffset', '0', '3'],
    ['Record sets*', any(taken, ': fetched'), '*.batches[*]', 'nothing', '{*'],
  ),
  ...all(
    row('errors without a name in Kafka'),
    ['Record sets*', 'length 2^31-1 | codec *', '*.errorCode', '87 | 76', '-1'],
    ['Record sets for a compacted topic', 'garbage in place of *', '*.errorCode', '87', '-1'],
  ),
  ...all(row('a timestamp close to -2^63'), ['Times of records', '-2^63*', '*', '*', '*']),
  ...all(row('a corrupt batch among others'), [
    'Several partitions',
    'some right, some wrong',
    '*',
    '0 | 3',
    '2 | -1',
  ]),
  ...all(row('`min.insync.replicas` and eligible leader replicas'), [
    '*',
    '*',
    '*.configs[min.insync.replicas]*',
    '*',
    '*',
  ]),
  ...all(row('answers of CreateTopics'), [
    'Topics by * | CreateTopics at the edges | Configs that topics keep',
    '*',
    'topics[*]*',
    '*',
    '*',
  ]),
  ...all(
    row('mistakes that Kafka has no code for'),
    ['More partitions | CreatePartitions at the edges', '*', 'results[*].errorCode', '37', '-1'],
    [
      'Changes of topic configs | IncrementalAlterConfigs at the edges',
      '*',
      '*.errorCode',
      '42',
      '-1',
    ],
    ['CreateDelegationToken at the edges', '*', 'errorCode', '64', '-1'],
  ),
  ...all(row('metrics subscriptions of clients'), [
    'Resources that have configs',
    'metrics of clients*',
    '*',
    '*',
    '*',
  ]),
  ...all(row('configs of groups'), [
    'Resources that have configs',
    'a group',
    '*.synonyms[*]',
    '*',
    '*',
  ]),
  ...all(row('`min.insync.replicas` and eligible leader replicas'), [
    'Resources that have configs',
    'all brokers, one that tools set, all at once',
    '*',
    '0',
    '40',
  ]),
  ...all(row('configs of brokers'), ['Configs of a new broker', '*', '*', '*', '*']),
  ...all(
    row('cursors of DescribeTopicPartitions'),
    ['DescribeTopicPartitions at the edges', '* cursor.* | * topics[0].name = *', '*', '*', '*'],
    ['Topics page by page', 'from *', '*', '*', '*'],
  ),
  ...all(
    row('numbers in ACL requests that name nothing'),
    ['*Acls at the edges', '*', '', '*', '"closed"'],
    ['Every API key', '29 DescribeAcls *', '', '*', '"closed"'],
  ),
  ...all(row('AlterReplicaLogDirs of a topic name that is too long'), [
    'AlterReplicaLogDirs at the edges',
    '* a name of 250',
    '*.errorCode',
    '57',
    '17',
  ]),
  ...all(row('credentials that are changed twice, or have no salt'), [
    'AlterUserScramCredentials at the edges | Users and credentials',
    '*',
    'results[*].errorCode',
    '92 | 93',
    '91 | 0 | -1',
  ]),
  ...all(
    row('what is asked for more than once in a request'),
    ['OffsetFetch at the edges', '*groups has one twice', 'groups[1]', 'nothing', '{*'],
    ['OffsetFetch at the edges', '*topics has one twice', '*topics[1]', 'nothing', '{*'],
    [
      'OffsetFetch at the edges',
      '*partitionIndexes has one twice | *partitionIndexes[0] = 1',
      '*.partitions[*',
      '*',
      '*',
    ],
    ['DescribeGroups at the edges', '*groups has one twice', 'groups[1]', 'nothing', '{*'],
    ['DescribeProducers at the edges', '* topics has one twice', 'topics[1]', 'nothing', '{*'],
    [
      'DescribeProducers at the edges',
      '*partitionIndexes has one twice',
      '*.partitions[1]',
      'nothing',
      '{*',
    ],
    [
      'DescribeConfigs at the edges | Resources that have configs',
      '* resources has one twice | one twice',
      'results[1]',
      'nothing',
      '{*',
    ],
  ),
]
