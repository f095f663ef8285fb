import { expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import { simRandom } from '../../sim/random.ts'
import { Prng } from '../../src/lib/prng.ts'
import { BrokerError } from '../../src/operator/brokers/broker-error.ts'
import type { BrokerAccess, Brokers } from '../../src/operator/brokers/brokers.ts'
import type { LogTopic } from '../../src/operator/crd/topic.ts'
import type { Draft, Pod } from '../../src/operator/kubernetes/objects.ts'
import type { Parts } from '../../src/operator/parts.ts'
import { topicsReconciler } from '../../src/operator/topics/reconcile-topics.ts'
import { silentLogger } from '../helpers/silent-logger.ts'
import { at, created, minimal, type World } from './world.ts'

/** Brokers of which that at `silent` answers nobody. */
function brokersBut(silent: string): Brokers {
  const ask =
    <Answer>(answer: Answer) =>
    ({ host }: BrokerAccess): Promise<Answer> =>
      host === silent
        ? Promise.reject(new BrokerError('unreachable', `no answer from ${host}`))
        : Promise.resolve(answer)
  return {
    describeTopics: ask([null]),
    describeConfigs: ask([]),
    createTopics: ask([{ topicId: 'made' }]),
    deleteTopics: ask([
      { error: 'TOPIC_DELETION_DISABLED', message: 'delete.topic.enable is off.' },
    ]),
  } as unknown as Brokers
}

function topicsOf(world: World, brokers: Brokers): ReturnType<typeof topicsReconciler> {
  const cache = (kind: string) => world.api.cache(kind)
  const parts = {
    api: world.api,
    brokers,
    clock: new SimClock(),
    random: simRandom(new Prng(1)),
    logger: silentLogger,
    events: { tell: () => {} },
    version: '0.1.0',
    caches: {
      logClusters: cache('LogCluster'),
      logTopics: world.api.cache('LogTopic', each => `${each.metadata.namespace}/orders`),
      logBrokers: cache('LogBroker'),
      pods: cache('Pod'),
    },
  }
  return topicsReconciler(parts as unknown as Parts)
}

test.each([
  ['does not serve', false],
  ['is on a node that fell silent just now', true],
])('topics are made although the broker of the lowest slot %s', async (_, isReady) => {
  const [pool] = minimal.pools
  const world = await created({ ...minimal, pools: [{ ...pool!, brokers: 3 }] })
  const first = world.get<Pod>('Pod', 'orders-main-0-0')
  const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False' }]
  world.api.put({ ...first, status: { ...first.status, conditions } } as Pod)
  world.api.put({
    apiVersion: 'logcluster.dev/v1beta1',
    kind: 'LogTopic',
    metadata: { namespace: at.namespace, name: 'words' },
    spec: { clusterRef: { name: 'orders' }, config: {}, deletionPolicy: 'Retain' },
  } as unknown as Draft)
  await topicsOf(world, brokersBut(first.status!.podIP!))(at)
  expect(world.get<LogTopic>('LogTopic', 'words').status.topicId).toBe('made')
})

test('a LogTopic whose topic may not be deleted says so, and goes once the topic may stay', async () => {
  const world = await created()
  const known = { name: 'words', topicId: 'id', partitionCount: 1, replicationFactor: 1 }
  const brokers = {
    ...brokersBut(''),
    describeTopics: () => Promise.resolve([known]),
    describeConfigs: () => Promise.resolve([new Map()]),
  } as unknown as Brokers
  const name = { namespace: at.namespace, name: 'words' }
  const status = { topicId: 'id', clusterId: world.cluster.status.clusterId }
  const spec = { clusterRef: { name: 'orders' }, config: {}, deletionPolicy: 'Delete' }
  const metadata = { ...name, finalizers: ['logcluster.dev/topic'] }
  const apiVersion = 'logcluster.dev/v1beta1'
  world.api.put({ apiVersion, kind: 'LogTopic', metadata, spec, status } as unknown as Draft)
  world.api.remove('LogTopic', name)
  const pass = topicsOf(world, brokers)
  for (let round = 0; round < 2; round++) await pass(at)
  const topic = world.get<LogTopic>('LogTopic', 'words')
  expect(topic.status).toMatchObject(status)
  expect(topic.status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
    status: 'False',
    reason: 'DeleteRefused',
    message: expect.stringContaining(
      'delete.topic.enable is off. To let the LogTopic go',
    ) as string,
  })
  const { resourceVersion } = topic.metadata
  await pass(at)
  expect(world.get('LogTopic', 'words').metadata.resourceVersion).toBe(resourceVersion)
  world.api.put({ ...topic, spec: { ...topic.spec, deletionPolicy: 'Retain' } } as LogTopic)
  await pass(at)
  expect(world.has('LogTopic', 'words')).toBe(false)
})
