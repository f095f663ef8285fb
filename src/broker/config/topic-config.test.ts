import { expect, test } from 'vitest'
import { defaultSettings } from './settings.ts'
import { topicConfig, validateTopicConfigs } from './topic-config.ts'

const none: ReadonlyMap<string, string> = new Map()

test('a topic without overrides has the values of the broker', () => {
  const config = topicConfig(defaultSettings({ logSegmentBytes: 4096 }), none)
  expect(config).toMatchObject({
    segmentBytes: 4096,
    retentionMs: 604_800_000,
    cleanupPolicy: 'delete',
    maxMessageBytes: 1_048_588,
    producerIdExpirationMs: 86_400_000,
  })
})

test('overrides win, and a list comes out sorted', () => {
  const overrides = new Map([
    ['cleanup.policy', 'delete, compact'],
    ['retention.ms', '-1'],
    ['max.message.bytes', '10'],
    ['min.insync.replicas', 'many'],
  ])
  expect(topicConfig(defaultSettings(), overrides)).toMatchObject({
    cleanupPolicy: 'compact,delete',
    retentionMs: -1,
    maxMessageBytes: 10,
    minInsyncReplicas: 1,
  })
})

test('without a setting of the broker beneath it, a config has the default of its row', () => {
  const config = topicConfig(defaultSettings({ logPreallocate: true }), none)
  expect(config).toMatchObject({
    preallocate: true,
    remoteStorageEnable: false,
    localRetentionMs: -2,
  })
})

test('internal.segment.bytes stands in for segment.bytes', () => {
  const of = (...overrides: [string, string][]) =>
    topicConfig(defaultSettings(), new Map(overrides)).segmentBytes
  expect(of(['internal.segment.bytes', '1000'])).toBe(1000)
  expect(of(['internal.segment.bytes', '0'], ['segment.bytes', '2000000'])).toBe(2_000_000)
})

test('flush.messages=1 is a flush before each acknowledgement, whatever the policy', () => {
  const of = (...overrides: [string, string][]) =>
    topicConfig(defaultSettings(), new Map(overrides)).flushPolicy
  expect(of(['flush.messages', '1'], ['flush.policy', 'os'])).toBe('ack')
  expect(of(['flush.messages', '2'], ['flush.policy', 'os'])).toBe('os')
})

test('good wishes have no problems', () => {
  const wishes = [
    { name: 'compression.type', value: 'lz4' },
    { name: 'delete.retention.ms', value: '900' },
    { name: 'retention.bytes', value: '-1' },
    { name: 'message.timestamp.before.max.ms', value: '9223372036854775807' },
  ]
  expect(validateTopicConfigs(wishes)).toEqual([])
})

test.each([
  ['retention.mss', '1', 'there is no topic config retention.mss; did you mean retention.ms?'],
  ['dummy.doesntexist', 'no', 'there is no topic config dummy.doesntexist'],
  ['retention.ms', null, 'retention.ms needs a value'],
  ['segment.bytes', '1048575', 'segment.bytes must be 1048576 to'],
  [
    'cleanup.policy',
    'purge',
    "must be any of compact, delete, separated by commas, or none, and 'purge'",
  ],
  ['cleanup.policy', 'delete,', "and '' is not"],
  ['compression.gzip.level', '0', 'must be -1 to 9, not 0, and 0 is outside'],
  ['min.cleanable.dirty.ratio', '1.1', 'must be 0 to 1, and 1.1 is outside'],
  ['min.cleanable.dirty.ratio', 'half', "must be a number (0 to 1), and 'half' is none"],
  [
    'leader.replication.throttled.replicas',
    '0',
    "must be * for all, or PARTITION:BROKER, several separated by commas, and '0' is not",
  ],
  ['remote.storage.enable', 'true', 'there is no tiered storage here'],
  ['unclean.leader.election.enable', 'yes', 'must be true or false'],
])('%s=%s is refused', (name, value, message) => {
  const [problem, ...more] = validateTopicConfigs([{ name, value }])
  expect(more).toEqual([])
  expect(problem).toEqual({ name, message: expect.stringContaining(message) })
})

test('a config that is given twice is refused', () => {
  const wish = { name: 'retention.ms', value: '1' }
  expect(validateTopicConfigs([wish, wish])).toHaveLength(1)
})
