/**
 * What is run, and what Apache Kafka 4.3.1 does with it: librdkafka 2.15.1's tests, each alone, against one
 * Kafka broker that creates topics by itself with 4 partitions and does not delay a group's first rebalance.
 */
export interface PlannedTest {
  /** The number, and what is run of it or how where that is not all of it as usual. */
  readonly id: string
  /** Four digits: what the runner's TESTS selects by. */
  readonly number: string
  /** Only subtests whose name contains this; null for all. */
  readonly subtest: string | null
  readonly scenario: Scenario
  readonly mode: Mode
  /** What Apache Kafka did in the same setting; null where nobody tried. */
  readonly apache: 'pass' | 'fail' | null
  /** Why it is not in our bar, whatever comes of it; null if it must pass. */
  readonly beyondBar: string | null
}

/**
 * `noautocreate`: tests that need a broker which creates no topic unless told to. `delayed`: those that need one which
 * waits before a group's first rebalance as long as Kafka does unless told otherwise; report.ts says why.
 */
export type Scenario = 'default' | 'noautocreate' | 'delayed'

/**
 * `full`: without `-Q`, for tests that have no quick form and are empty with it. `sockem`: with the runner's own
 * layer of bad sockets, for tests that are nothing without it.
 */
type Mode = 'quick' | 'full' | 'sockem'

/** Why a test that one broker cannot pass is beyond its bar; three can. */
export const ofThree = 'asks for a topic with 3 replicas'

/** All that is run, in order of the numbers. */
export function plannedTests(): PlannedTest[] {
  const whole = numbers.map(number => planned(number))
  const admin = adminSubtests.map(subtest => ({
    ...planned('0081', subtest),
    apache: 'pass' as const,
    beyondBar: null,
  }))
  const noAutoCreate = ['0045', '0107', '0111'].map(number => ({
    ...planned(number, null, 'noautocreate'),
    mode: 'full' as const,
    apache: null,
    beyondBar: number === '0045' ? 'needs KAFKA_PATH' : ofThree,
  }))
  const full = fullNumbers.map(number => ({
    ...planned(number),
    id: `${number} full`,
    mode: 'full' as const,
    apache: null,
  }))
  const sockem = sockemNumbers.map(number => ({
    ...planned(number),
    id: `${number} sockem`,
    mode: 'sockem' as const,
    apache: null,
  }))
  return [...whole, ...admin, ...noAutoCreate, ...full, ...sockem]
    .map(test => (delayedIds.has(test.id) ? { ...test, scenario: 'delayed' as const } : test))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** Those of `quickIds`, by id. */
export function quickTests(): PlannedTest[] {
  const byId = new Map(plannedTests().map(test => [test.id, test]))
  return quickIds.map(id => {
    const test = byId.get(id)
    if (test === undefined) throw new Error(`no test ${id} in the plan`)
    return test
  })
}

function planned(
  number: string,
  subtest: string | null = null,
  scenario: Scenario = 'default',
): PlannedTest {
  const how = subtest ?? (scenario === 'default' ? null : scenario)
  const id = how === null ? number : `${number} ${how}`
  return {
    id,
    number,
    subtest,
    scenario,
    mode: 'quick',
    apache: notOnKafka.has(number) ? 'fail' : 'pass',
    beyondBar: beyondBar(number),
  }
}

function beyondBar(number: string): string | null {
  if (number >= '0155') return 'share groups'
  if (['0098', '0103', '0129'].includes(number)) return 'transactions'
  return notOnKafka.get(number) ?? null
}

/** What not even Kafka passes in this setting, and why. */
const notOnKafka: ReadonlyMap<string, string> = new Map([
  ['0052', 'needs KAFKA_PATH'],
  ['0077', 'needs KAFKA_PATH'],
  ['0081', 'its ACL part needs an authorizer; by subtest below'],
  ['0103', 'creates a topic with replication factor 3'],
  ['0109', 'needs KAFKA_PATH'],
  ['0115', 'needs KAFKA_PATH'],
  ['0119', 'needs KAFKA_PATH'],
])

/** What takes for granted that two members which come one right after the other are in one generation. */
const delayedIds: ReadonlySet<string> = new Set(['0089 full', '0113 full', '0118'])

const numbers = `
  0000 0001 0002 0003 0004 0005 0006 0007 0008 0011 0012 0013 0014 0015 0016 0017 0018 0019 0020 0021 0022
  0025 0026 0028 0029 0030 0031 0033 0034 0035 0036 0037 0038 0039 0040 0041 0042 0043 0044 0045 0046 0047
  0048 0049 0050 0051 0052 0053 0054 0055 0056 0057 0058 0059 0060 0061 0062 0063 0064 0065 0066 0067 0068
  0069 0070 0073 0074 0075 0076 0077 0078 0079 0081 0082 0083 0084 0085 0086 0088 0089 0090 0091 0092 0093
  0094 0095 0097 0098 0099 0100 0101 0102 0103 0106 0107 0109 0110 0111 0112 0113 0114 0115 0116 0118 0119
  0120 0121 0122 0123 0124 0125 0126 0127 0128 0129 0130 0131 0132 0133 0134 0135 0136 0137 0140 0142 0149
  0151 0152 0153 0170 0171 0172 0173 0174 0175 0176 0177 0178 0179 0180 0181 0184 0185 0186 0190
`
  .trim()
  .split(/\s+/)

/** What has no quick form and finds here what it needs; 0061 would too, but for its part about transactions. */
const fullNumbers: readonly string[] =
  '0018 0019 0026 0045 0050 0082 0089 0102 0113 0122 0132'.split(' ')

const sockemNumbers: readonly string[] = '0049 0068 0075 0076 0088 0094'.split(' ')

/** All of 0081 but CreateAcls, DescribeAcls and DeleteAcls. */
const adminSubtests = `
  CreateTopics DeleteTopics CreatePartitions AlterConfigs IncrementalAlterConfigs DescribeConfigs
  DeleteRecords ListConsumerGroups DescribeConsumerGroups DescribeTopics DescribeCluster DeleteGroups
  DeleteConsumerGroupOffsets ListOffsets AlterConsumerGroupOffsets ListConsumerGroupOffsets
  UserScramCredentials unclean_destroy
`
  .trim()
  .split(/\s+/)

/**
 * Quick and telling, a little more than a minute together: order, sizes and partitions (0001 0002 0003 0005), acks
 * (0008), batches (0011 0012), nulls and headers (0013 0073), time and watermarks (0022 0031 0054), resets (0034),
 * fetches of parts (0036), clients that go away in the middle (0020 0064 0065), partitions that come while in use
 * (0044), topics that cannot be (0057), the cluster's id (0063), idempotence (0090), commits with their text (0030
 * 0099 0130 0140), groups (0019 0040 0056 0060 0113 0132 0137), and administration.
 */
const quickIds: readonly string[] = [
  ...'0001 0002 0003 0005 0008 0011 0012 0013 0020 0022 0030 0031 0034 0036 0040 0044 0054'.split(
    ' ',
  ),
  ...'0056 0057 0060 0063 0064 0065 0073 0090 0099 0113 0130 0137 0140'.split(' '),
  '0019 full',
  '0132 full',
  '0081 AlterConfigs',
  '0081 CreatePartitions',
  '0081 DeleteRecords',
  '0081 IncrementalAlterConfigs',
]
