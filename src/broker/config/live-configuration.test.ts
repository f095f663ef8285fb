import { describe, expect, test } from 'vitest'
import { describeBrokerConfigs, describeCommonConfigs, describeTopicConfigs } from './describe.ts'
import { groupConfigProblem } from './group-config.ts'
import { configSource, LiveConfiguration } from './live-configuration.ts'
import { isDynamic } from './setting.ts'
import { defaultSettings, isSettingName, settingNames, settingOf } from './settings.ts'
import { topicConfigNames, topicConfigOf } from './topic-config-table.ts'

type Given = Readonly<Record<string, string>>

function started(given: Given = {}): LiveConfiguration {
  const settings = defaultSettings({ logRetentionMs: 5, messageMaxBytes: 1000 })
  return new LiveConfiguration({ settings, given: new Map(Object.entries(given)) })
}

function take(configuration: LiveConfiguration, own: Given, common: Given = {}) {
  const maps = { own: new Map(Object.entries(own)), common: new Map(Object.entries(common)) }
  return configuration.take(maps)
}

function row(rows: ReturnType<typeof describeBrokerConfigs>, name: string) {
  return rows.find(each => each.name === name)
}

describe('settings of a broker that runs', () => {
  test('are seen to change by whoever keeps them', () => {
    const configuration = started()
    const { settings } = configuration
    expect(settings.logRetentionMs).toBe(5)
    const change = take(configuration, { 'max.connections': '7' }, { 'log.retention.ms': '9' })
    expect(change).toEqual({
      changed: { 'log.retention.ms': 9, 'max.connections': 7 },
      unusable: [],
    })
    expect(settings).toMatchObject({ logRetentionMs: 9, maxConnections: 7, messageMaxBytes: 1000 })
    take(configuration, {})
    expect(settings).toMatchObject({ logRetentionMs: 5, maxConnections: 10_000 })
  })

  test('of one broker stand over those of all', () => {
    const configuration = started()
    take(configuration, { 'log.retention.ms': '1' }, { 'log.retention.ms': '2' })
    expect(configuration.settings.logRetentionMs).toBe(1)
    take(configuration, {}, { 'log.retention.ms': '2' })
    expect(configuration.settings.logRetentionMs).toBe(2)
  })

  test('do not change where nothing new is told', () => {
    const configuration = started()
    const dynamic = { own: new Map(), common: new Map() }
    expect(configuration.take(dynamic)).not.toBe(null)
    expect(configuration.take(dynamic)).toBe(null)
  })

  test('ignore what they cannot be, and tell it', () => {
    const configuration = started()
    const change = take(configuration, { 'log.retention.ms': 'x', 'node.id': '9', other: '1' })
    expect(change).toEqual({
      changed: {},
      unusable: ['log.retention.ms=x', 'node.id=9', 'other=1'],
    })
    expect(configuration.settings).toMatchObject({ logRetentionMs: 5, nodeId: 1 })
  })

  test('are not in force where nobody reads them, nor told to be', () => {
    const configuration = started()
    const change = take(
      configuration,
      { 'hibernation.freeze.enable': 'true', 'cordoned.log.dirs': '*' },
      { 'leadership.drain.enable': 'true', 'min.insync.replicas': '2' },
    )
    expect(change).toEqual({
      changed: { 'cordoned.log.dirs': '*', 'min.insync.replicas': 2 },
      unusable: ['leadership.drain.enable=true', 'hibernation.freeze.enable=true'],
    })
    const names = describeBrokerConfigs(configuration).map(({ name }) => name)
    expect(names).not.toContain('hibernation.freeze.enable')
    expect(describeCommonConfigs(configuration).map(({ name }) => name)).toEqual([
      'min.insync.replicas',
    ])
  })
})

test('a topic may keep nothing (retention.ms=0), a broker may not have all of them do so', () => {
  const configuration = started()
  const change = take(configuration, {}, { 'log.retention.ms': '0' })
  expect(change?.unusable).toEqual(['log.retention.ms=0'])
  expect(configuration.topicConfig(new Map()).retentionMs).toBe(5)
  const overrides = new Map([['retention.ms', '0']])
  expect(configuration.problemOfTopic(overrides)).toBe(null)
  expect(configuration.topicConfig(overrides).retentionMs).toBe(0)
})

test('the partitions of a topic share what they go by, until a setting changes', () => {
  const configuration = started()
  const overrides = new Map([['segment.ms', '7']])
  const before = configuration.topicConfig(overrides)
  expect(before).toMatchObject({ segmentMs: 7, retentionMs: 5 })
  expect(configuration.topicConfig(overrides)).toBe(before)
  take(configuration, { 'log.retention.ms': '9' })
  expect(configuration.topicConfig(overrides)).toMatchObject({ segmentMs: 7, retentionMs: 9 })
})

describe('what is wrong with settings for a broker that runs', () => {
  test.each([
    ['log.retention.ms', '60000', null],
    ['log.cleanup.policy', 'compact,delete', null],
    ['node.id', '2', /^INVALID_REQUEST node.id cannot be changed while the broker runs/],
    ['log.retention.hours', '2', /^INVALID_REQUEST .* change log.retention.ms$/],
    ['log.retention.mss', '2', /^INVALID_CONFIG .*did you mean log.retention.ms\?/],
    [
      'ssl.protocol',
      'x',
      /^INVALID_CONFIG ssl.protocol is Kafka's, and none here: there is no TLS/,
    ],
    ['log.cleaner.enable', 'false', /^INVALID_REQUEST log.cleaner.enable cannot be changed/],
    ['log.cleaner.backoff.ms', '5', null],
    ['log.retention.ms', 'long', /^INVALID_CONFIG log.retention.ms must be a whole number/],
    ['log.retention.ms', '0', /^INVALID_CONFIG log.retention.ms must be at least -1 ms, not 0/],
    ['log.retention.ms', '-1', null],
    [
      'log.local.retention.ms',
      '6',
      /^INVALID_CONFIG .* is 6 and more than log.retention.ms, which/,
    ],
    ['log.local.retention.ms', '-1', /^INVALID_CONFIG .* is -1 and more than log.retention.ms/],
    ['log.local.retention.ms', '5', null],
    ['log.local.retention.bytes', '-1', null],
    ['num.replica.fetchers', '64', /^INVALID_CONFIG num.replica.fetchers must be 1 to 16/],
    ['num.replica.fetchers', '0', /^INVALID_CONFIG num.replica.fetchers must be 1 to 16/],
    ['message.max.bytes', '104857601', /^INVALID_CONFIG message.max.bytes is more than socket/],
  ])('%s=%s', (name, value, expected) => {
    const problem = started().problemOf(new Map([[name, value]]))
    const said = problem === null ? null : `${problem.error} ${problem.message}`
    if (expected === null) expect(said).toBe(null)
    else expect(said).toMatch(expected)
  })
})

/** A controller with less memory than the one before, or of another version, takes over what was stored. */
describe('what was stored before', () => {
  const stored = {
    'message.max.bytes': '104857601',
    'max.connections': 'many',
    'no.such': '1',
    'node.id': '2',
  }
  const problem = (given: Given, before: Given = stored): string | undefined =>
    started().problemOf(
      new Map(Object.entries({ ...before, ...given })),
      new Set(Object.keys(given)),
    )?.message

  test('is in the way of no change of another setting, and of no removal', () => {
    expect(problem({ 'log.retention.ms': '1' })).toBe(undefined)
    expect(problem({})).toBe(undefined)
  })

  test('is in the way of what is wrong itself', () => {
    expect(problem({ 'message.max.bytes': '104857602' })).toMatch(/more than socket/)
    expect(problem({ 'max.connections': '0' })).toMatch(/max.connections must be/)
    expect(problem({ 'no.such': '2' })).toMatch(/no setting/)
    expect(problem({ 'message.max.bytes': '1000' })).toBe(undefined)
  })

  test("is in the way of no change of a topic's other configs", () => {
    const configuration = started()
    take(configuration, {}, { 'log.cleaner.max.compaction.lag.ms': '5' })
    const of = (given: Given) =>
      configuration.problemOfTopic(
        new Map(Object.entries({ 'min.compaction.lag.ms': '9', 'no.such': '1', ...given })),
        new Set(Object.keys(given)),
      )
    expect(of({ 'retention.ms': '1' })).toBe(null)
    expect(of({})).toBe(null)
    expect(of({ 'min.compaction.lag.ms': '8' })).toMatch(/more than max.compaction.lag.ms/)
    expect(of({ 'max.compaction.lag.ms': '8' })).toMatch(/more than max.compaction.lag.ms/)
    expect(of({ 'no.such': '2' })).toMatch(/no topic config/)
  })

  test("is in the way of no change of a group's other configs", () => {
    const configs = new Map([
      ['no.such', '1'],
      ['consumer.session.timeout.ms', '50000'],
    ])
    expect(groupConfigProblem(configs, new Set(['consumer.session.timeout.ms']))).toBe(null)
    expect(groupConfigProblem(configs)).toMatch(/no group config no.such/)
  })
})

describe('the listing', () => {
  test('of a topic tells value, source and synonyms in the order of their strength', () => {
    const configuration = started({ 'log.retention.ms': '5' })
    take(configuration, { 'log.retention.ms': '3' }, { 'log.retention.ms': ' 4' })
    const rows = describeTopicConfigs(configuration, new Map([['retention.ms', '7']]))
    const always = topicConfigNames.filter(name => topicConfigOf(name).described === 'always')
    expect(rows.map(({ name }) => name)).toEqual(always)
    expect(row(rows, 'retention.ms')).toMatchObject({
      value: '7',
      source: configSource.topic,
      isDefault: false,
      isReadOnly: false,
      type: 5,
      synonyms: [
        { name: 'retention.ms', value: '7', source: 1 },
        { name: 'log.retention.ms', value: '3', source: 2 },
        { name: 'log.retention.ms', value: '4', source: 3 },
        { name: 'log.retention.ms', value: '5', source: 4 },
        { name: 'log.retention.hours', value: '168', source: 5 },
      ],
    })
    expect(row(rows, 'max.compaction.lag.ms')).toMatchObject({
      value: '9223372036854775807',
      isDefault: true,
    })
  })

  test('of a topic without overrides has the values in force at the broker', () => {
    const configuration = started()
    take(configuration, {}, { 'log.retention.ms': '4' })
    const rows = describeTopicConfigs(configuration, new Map())
    expect(row(rows, 'retention.ms')).toMatchObject({ value: '4', source: 3, isDefault: false })
  })

  test('of a broker has every setting with its sentence, read only where it cannot change', () => {
    const rows = describeBrokerConfigs(started())
    const aliases = settingNames.flatMap(name => Object.keys(settingOf(name).aliases))
    const always = settingNames.filter(name => settingOf(name).described === 'always')
    expect(rows.map(({ name }) => name)).toEqual([...always, ...aliases].toSorted())
    for (const { name, isReadOnly, isDefault, documentation } of rows) {
      const isLive = isSettingName(name) && isDynamic(settingOf(name))
      expect([name, isReadOnly]).toEqual([name, !isLive])
      expect(isDefault).toBe(true)
      expect(documentation.length).toBeGreaterThan(10)
    }
    expect(row(rows, 'node.id')?.isReadOnly).toBe(true)
    expect(row(rows, 'log.retention.ms')?.isReadOnly).toBe(false)
  })

  test('of a broker tells a value where it was given: by that name, and no other', () => {
    const of = (given: Given, own: Given = {}) => {
      const configuration = started(given)
      take(configuration, own)
      const rows = describeBrokerConfigs(configuration)
      return (name: string) => {
        const { value, source, synonyms } = row(rows, name)!
        return [value, source, ...synonyms.map(each => `${each.name} ${each.value} ${each.source}`)]
      }
    }
    const none = of({})
    expect(none('log.retention.ms')).toEqual([null, 5])
    expect(none('log.retention.minutes')).toEqual([null, 5])
    expect(none('log.retention.hours')).toEqual(['168', 5, 'log.retention.hours 168 5'])
    expect(none('log.flush.interval.ms')).toEqual(['1000', 5])
    expect(none('broker.id')).toEqual(['1', 5, 'broker.id 1 5'])
    const hours = of({ 'log.retention.hours': '2', 'broker.id': '1' })
    expect(hours('log.retention.ms')).toEqual([null, 5])
    expect(hours('log.retention.hours').slice(0, 3)).toEqual(['2', 4, 'log.retention.hours 2 4'])
    expect(hours('node.id').slice(0, 2)).toEqual(['1', 4])
    const both = of({ 'log.retention.hours': '2' }, { 'log.retention.ms': '9007199254740993' })
    expect(both('log.retention.ms')).toEqual([
      '9007199254740993',
      2,
      'log.retention.ms 9007199254740993 2',
      'log.retention.hours 2 4',
      'log.retention.hours 168 5',
    ])
  })

  test('says of what is without effect that it is', () => {
    const rows = describeBrokerConfigs(started())
    expect(row(rows, 'num.io.threads')?.documentation).toMatch(/one event loop.* without effect/)
    expect(row(rows, 'log.retention.ms')?.documentation).not.toMatch(/without effect/)
  })

  test('has a throttle only where it is given', () => {
    const name = 'leader.replication.throttled.rate'
    const configuration = started()
    expect(row(describeBrokerConfigs(configuration), name)).toBe(undefined)
    take(configuration, { [name]: '7' })
    expect(row(describeBrokerConfigs(configuration), name)).toMatchObject({
      value: '7',
      synonyms: [{ name, value: '7', source: 2 }],
    })
  })

  test('of all brokers has what was set for all, and nothing else', () => {
    const configuration = started()
    take(configuration, { 'log.retention.ms': '3' }, { 'log.retention.ms': '4' })
    expect(describeCommonConfigs(configuration)).toMatchObject([
      {
        name: 'log.retention.ms',
        value: '4',
        source: 3,
        synonyms: [{ name: 'log.retention.ms', value: '4', source: 3 }],
      },
    ])
  })
})

test('a list beneath an override is what would be in force without it', () => {
  const configuration = started()
  const policy = 'log.cleanup.policy'
  take(configuration, { [policy]: 'compact' }, { [policy]: 'delete,compact' })
  expect(configuration.listBeneath('topic', 'cleanup.policy')).toBe('compact')
  expect(configuration.listBeneath('own', policy)).toBe('delete,compact')
  expect(configuration.listBeneath('common', policy)).toBe('delete')
  expect(configuration.listBeneath('topic', 'retention.ms')).toBe(null)
  expect(configuration.listBeneath('own', 'no.such')).toBe(null)
})
