import type { Deviation } from './deviation.ts'

type Line = readonly [
  scenario: string,
  request: string,
  field: string,
  ours: string,
  kafkas: string,
]

/** By a row of docs/compatibility.md, told by its first cell. */
function by(row: string, ...lines: readonly Line[]): Deviation[] {
  return lines.map(([scenario, request, field, ours, kafkas]) => {
    return { scenario, request, field, ours, kafkas, because: { row } }
  })
}

/** What three brokers of ours answer differently than three nodes of Apache Kafka 4.3.1. */
export const severalDeviations: readonly Deviation[] = [
  ...by(
    'flush',
    [
      'Topics on several brokers',
      '*',
      '*.configs[flush.ms].value',
      '"1000"',
      '"9223372036854775807"',
    ],
    ['Topics on several brokers', '*', '*.configs[flush.policy]', '*', 'nothing'],
  ),
  ...by('`min.insync.replicas` and eligible leader replicas', [
    'Topics on several brokers',
    '*',
    '*.configs[min.insync.replicas]*',
    '*',
    '*',
  ]),
  ...by('answers of CreateTopics', [
    'Topics on several brokers',
    '*',
    'topics[*].topicId',
    '"AAAAAAAAAAAAAAAAAAAAAA"',
    '"<set>"',
  ]),
  ...by(
    'order of partitions',
    ['Elections', 'of no partition*', '* in order', '"-1, 2"', '"2, -1"'],
    ['Epochs of leaders', 'ListOffsets* | OffsetForLeaderEpoch* | Fetch*', '* in order', '*', '*'],
  ),
  ...by('ElectLeaders of a kind that there is not, in no partition', [
    'Elections',
    'of nothing, 2*',
    'errorCode',
    '42',
    '0',
  ]),
  ...by(
    "a consumer's fetch from a broker that follows",
    ['Epochs of leaders', 'Fetch*', 'responses[*].partitions[*].errorCode', '6', '0'],
    ['Epochs of leaders', 'Fetch*', 'responses[*].partitions[*].highWatermark', '-1', '0'],
    ['Epochs of leaders', 'Fetch*', 'responses[*].partitions[*].lastStableOffset', '-1', '0'],
    ['Epochs of leaders', 'Fetch*', 'responses[*].partitions[*].logStartOffset', '-1', '0'],
  ),
]
