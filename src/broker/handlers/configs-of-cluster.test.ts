import { expect, test } from 'vitest'
import { threeBrokers } from '../../../test/metadata/controller-world.ts'
import { describeTopicConfigs } from '../config/describe.ts'
import { LiveConfiguration } from '../config/live-configuration.ts'
import { load } from '../config/load.ts'
import { configsOfCluster } from './configs-of-cluster.ts'

/** As a broker tells a topic of three replicas that was started with settings that the others were not given. */
function told(topic: Readonly<Record<string, string>>, common: Readonly<Record<string, string>>) {
  const args = ['min.insync.replicas=1', 'unclean.leader.election.enable=false'].flatMap(
    setting => ['--set', setting],
  )
  const loaded = load({ args, environment: {}, readFile: () => '', version: '0' })
  if (loaded.kind !== 'configuration') throw new Error('no configuration')
  const configuration = new LiveConfiguration(loaded.configuration)
  configuration.take({ own: new Map(), common: new Map(Object.entries(common)) })
  const ofCluster = configsOfCluster(threeBrokers().image.topicByName('t'))
  const rows = describeTopicConfigs(configuration, new Map(Object.entries(topic)), ofCluster)
  return ['min.insync.replicas', 'unclean.leader.election.enable'].map(name =>
    rows.find(row => row.name === name)!.synonyms.map(({ value, source }) => `${value} ${source}`),
  )
}

test('what the controller goes by is told of a topic, and not what one broker was started with', () => {
  expect(told({}, {})).toEqual([['2 5'], ['false 5']])
})

test('a default stays one, whatever stands over it', () => {
  const topic = { 'min.insync.replicas': '3', 'unclean.leader.election.enable': 'TRUE' }
  expect(told(topic, {})).toEqual([
    ['3 1', '2 5'],
    ['true 1', 'false 5'],
  ])
  const common = { 'min.insync.replicas': '1', 'unclean.leader.election.enable': 'true' }
  expect(told({}, common)).toEqual([
    ['1 3', '2 5'],
    ['true 3', 'false 5'],
  ])
})
