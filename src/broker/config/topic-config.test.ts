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
  ['segment.bytes', '1', 'segment.bytes must be 1024 to'],
  ['cleanup.policy', 'purge', "must be any of compact, delete, separated by commas, and 'purge'"],
  ['cleanup.policy', '', "and '' is not"],
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
