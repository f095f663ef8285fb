import { expect, test } from 'vitest'
import { wantedSettings } from './settings.ts'

test('dynamic settings are told from those that need a restart, under the name and in the unit that brokers know', () => {
  const found = wantedSettings({
    'log.retention.hours': 168,
    'log.level': 'debug',
    'auto.create.topics.enable': false,
  })
  expect(found).toEqual({
    kind: 'settings',
    fixed: new Map([
      ['auto.create.topics.enable', 'false'],
      ['log.level', 'debug'],
    ]),
    dynamic: new Map([['log.retention.ms', '604800000']]),
  })
})

test('what the metadata log decides is dynamic, and in no file of a broker', () => {
  const config = { 'min.insync.replicas': 2, 'unclean.leader.election.enable': true }
  expect(wantedSettings(config)).toEqual({
    kind: 'settings',
    fixed: new Map(),
    dynamic: new Map([
      ['min.insync.replicas', '2'],
      ['unclean.leader.election.enable', 'true'],
    ]),
  })
})

test('the order in which they were written means nothing', () => {
  const one = wantedSettings({ 'log.level': 'info', 'num.partitions': 3 })
  const other = wantedSettings({ 'num.partitions': 3, 'log.level': 'info' })
  expect(JSON.stringify(one)).toBe(JSON.stringify(other))
})

test.for([
  [
    { 'log.retention.hour': 1 },
    'there is no setting log.retention.hour; did you mean log.retention.hours?',
  ],
  [{ 'ssl.keystore.location': 'x' }, "ssl.keystore.location is Kafka's, and none here"],
  [{ 'num.partitions': 'many' }, 'num.partitions must be a whole number'],
  [{ 'broker.id': 3 }, 'broker.id is set by the operator: leave it out'],
  [{ listeners: 'PLAINTEXT://:9092' }, 'listeners is set by the operator: leave it out'],
  [{ 'cordoned.log.dirs': '*' }, 'cordoned.log.dirs is set by the operator: leave it out'],
  [{ 'message.max.bytes': null }, 'message.max.bytes must be text, a number, true or false'],
  [{ 'message.max.bytes': 200_000_000 }, 'message.max.bytes is more than socket.request.max.bytes'],
] as const)('%o is refused with a sentence', ([config, sentence]) => {
  const found = wantedSettings(config)
  expect(found.kind === 'problems' && found.problems.join()).toContain(sentence)
})
