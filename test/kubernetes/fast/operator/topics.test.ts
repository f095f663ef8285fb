import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createTopics,
  deleteTopics,
  describeConfigs,
  metadata,
} from '../../../../src/broker/wire/messages/index.ts'
import { zeroUuid } from '../../../../src/lib/uuid.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { friend } from '../../../helpers/private-broker.ts'
import { startControlPlane } from '../../cluster.ts'
import { operatorOf, operatorUser, TopicWorld } from './topic-world.ts'
import { installCrds } from '../../crds.ts'

let plane: Awaited<ReturnType<typeof startControlPlane>>
let world: TopicWorld
/** Whose broker ends in its middle. */
let doomed: TopicWorld
let running: ReturnType<typeof operatorOf>

beforeAll(async () => {
  plane = await startControlPlane({
    controllers: ['namespace-controller'],
    // Pods need no account here: nobody runs them.
    apiServerArgs: ['--disable-admission-plugins=ServiceAccount'],
  })
  await installCrds(plane)
  world = await TopicWorld.make(plane, 'topics')
  doomed = await TopicWorld.make(plane, 'doomed')
  running = operatorOf(plane, [world, doomed])
  running.operator.start()
})

afterAll(async () => {
  await running?.[Symbol.asyncDispose]()
  await world?.broker[Symbol.asyncDispose]()
  await plane?.[Symbol.asyncDispose]()
  expect(running?.failures).toEqual([])
})

/** A topic as the broker has it, past the operator. */
async function seen(name: string) {
  const client = await friend(world.broker)
  try {
    const { topics } = await client.request(metadata, {
      topics: [{ name, topicId: zeroUuid }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    return { id: topics[0]!.topicId, partitions: topics[0]!.partitions.length }
  } finally {
    client.close()
  }
}

async function configOf(name: string, key: string): Promise<string | null | undefined> {
  const client = await friend(world.broker)
  try {
    const resource = { resourceType: 2, resourceName: name, configurationKeys: [key] }
    const { results } = await client.request(describeConfigs, {
      resources: [resource],
      includeSynonyms: false,
      includeDocumentation: false,
    })
    return results[0]!.configs[0]?.value
  } finally {
    client.close()
  }
}

async function make(name: string, numPartitions: number): Promise<void> {
  const client = await friend(world.broker)
  await client.request(createTopics, {
    topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 5000,
    validateOnly: false,
  })
  client.close()
}

async function destroy(name: string): Promise<void> {
  const client = await friend(world.broker)
  const { id } = await seen(name)
  await client.request(deleteTopics, {
    topics: [{ name: null, topicId: id }],
    topicNames: [],
    timeoutMs: 5000,
  })
  client.close()
}

const ready = (name: string, is = 'True AsWanted'): Promise<string> =>
  eventually(
    `${name} is ${is}`,
    () => world.condition(name),
    condition => condition === is,
  )

/** A word on the LogCluster, which makes the operator look. */
let touches = 0
function touch(): Promise<unknown> {
  return world.kubectl(['annotate', 'logcluster', 'orders', '--overwrite', `touched=${touches++}`])
}

describe('a LogTopic', () => {
  test('becomes a topic, grows, and gets and loses configs', async () => {
    await world.topic('words', {
      partitions: 3,
      config: { 'retention.ms': 60_000, 'cleanup.policy': 'compact' },
    })
    await ready('words')
    const made = await seen('words')
    const { status } = await world.read('words')
    expect(made.partitions).toBe(3)
    expect(status).toMatchObject({
      topicName: 'words',
      topicId: made.id,
      partitions: 3,
      appliedConfig: { 'retention.ms': '60000', 'cleanup.policy': 'compact' },
    })
    expect(await configOf('words', 'cleanup.policy')).toBe('compact')
    await world.topic('words', { partitions: 5, config: { 'retention.ms': 60_000 } })
    await eventually(
      'it has grown',
      () => world.read('words'),
      it => it.status.partitions === 5,
    )
    expect(await seen('words')).toEqual({ id: made.id, partitions: 5 })
    expect(await configOf('words', 'cleanup.policy')).toBe('delete')
    expect(await configOf('words', 'retention.ms')).toBe('60000')
    await eventually(
      'its story is told',
      () => world.events('words'),
      reasons => reasons.includes('TopicCreated') && reasons.includes('TopicChanged'),
    )
  })

  test('that asks for a config that is none says which, and is made once it is mended', async () => {
    await world.topic('typo', { config: { 'retention.mss': 1 } })
    await ready('typo', 'False ConfigRefused')
    const { status } = await world.read('typo')
    expect(status.conditions?.[0]?.message).toContain('retention.ms')
    await world.topic('typo', { config: { 'retention.ms': 1 } })
    await ready('typo')
  })

  test('that asks for more replicas than there are brokers says so, and that it has what is wanted again', async () => {
    await world.topic('copies', { partitions: 2, replicationFactor: 1 })
    await ready('copies')
    await world.topic('copies', { partitions: 2, replicationFactor: 3 })
    await ready('copies', 'False TooFewBrokers')
    expect(await world.condition('copies', 'ConfigApplied')).toBe('True Applied')
    expect((await world.read('copies')).status.replicationFactor).toBe(1)
    await world.topic('copies', { partitions: 2, replicationFactor: 1 })
    await ready('copies')
  })

  test('adopts a topic that was there, and says so', async () => {
    await make('old', 4)
    await world.topic('old', { partitions: 2 })
    await ready('old', 'False PartitionsOnlyGrow')
    expect((await world.read('old')).status.topicId).toBe((await seen('old')).id)
    await eventually(
      'it is told',
      () => world.events('old'),
      it => it.includes('TopicAdopted'),
    )
    await world.topic('old', { partitions: 4 })
    await ready('old')
  })

  test('touches no other topic that takes the name of its own', async () => {
    await world.topic('stolen', { deletionPolicy: 'Delete' })
    await ready('stolen')
    await destroy('stolen')
    await touch()
    await ready('stolen', 'False TopicMissing')
    await make('stolen', 7)
    const other = await seen('stolen')
    await touch()
    await ready('stolen', 'False Conflict')
    await world.kubectl(['delete', 'logtopic', 'stolen', '--timeout=60s'])
    expect(await seen('stolen')).toEqual(other)
  })

  test('is second to one that was before it', async () => {
    await world.topic('first', { topicName: 'shared', partitions: 2 })
    await ready('first')
    await world.topic('second', { topicName: 'shared', partitions: 9, deletionPolicy: 'Delete' })
    await ready('second', 'False Conflict')
    await world.kubectl(['delete', 'logtopic', 'second', '--timeout=60s'])
    expect((await seen('shared')).partitions).toBe(2)
  })

  test('goes with its topic or without it, as its policy says', async () => {
    await world.topic('kept')
    await world.topic('dropped', { deletionPolicy: 'Delete' })
    await ready('kept')
    await ready('dropped')
    const kept = await seen('kept')
    await world.kubectl(['delete', 'logtopic', 'kept', 'dropped', '--timeout=60s'])
    expect(await seen('kept')).toEqual(kept)
    expect((await seen('dropped')).id).toBe(zeroUuid)
  })

  test('costs one question a pass, however many there are, and no write where nothing changed', async () => {
    const names = Array.from({ length: 30 }, (_, at) => `many-${at}`)
    await Promise.all(
      names.map(name => world.topic(name, { config: { 'segment.bytes': 1048576 } })),
    )
    for (const name of names) await ready(name)
    const settled = async () => {
      const before = running.calls.length
      await touch()
      await eventually(
        'a pass',
        () => running.calls.length,
        count => count >= before + 2,
      )
      return running.calls.slice(before)
    }
    await settled()
    const mark = plane.audit.mark()
    expect(await settled()).toEqual(['describeTopics', 'describeConfigs'])
    expect(await settled()).toEqual(['describeTopics', 'describeConfigs'])
    const writes = plane.audit
      .since(mark)
      .filter(({ user, verb }) => user.username === operatorUser && isWrite(verb))
      .filter(({ objectRef }) => objectRef?.resource !== 'leases')
    expect(writes.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([])
  })
})

test('a namespace goes although the broker that its topics wait for is gone', async () => {
  await doomed.topic('hangs', { deletionPolicy: 'Delete' })
  await eventually(
    'it is ready',
    () => doomed.condition('hangs'),
    is => is === 'True AsWanted',
  )
  expect((await doomed.read('hangs')).metadata.finalizers).toEqual(['logcluster.dev/topic'])
  await doomed.broker[Symbol.asyncDispose]()
  // The LogCluster is held back by a stranger, so that its own going is no help.
  const held = JSON.stringify({ metadata: { finalizers: ['example.com/held'] } })
  await doomed.kubectl(['patch', 'logcluster', 'orders', '--type=merge', '-p', held])
  await doomed.kubectl(['delete', 'logtopic', 'hangs', '--wait=false'])
  await eventually(
    'it waits',
    () => doomed.read('hangs'),
    it => it.metadata.deletionTimestamp !== undefined,
  )
  await plane.kubectl(['delete', 'namespace', 'doomed', '--wait=false'])
  await eventually(
    'it is let go',
    () => doomed.kubectl(['get', 'logtopics', '-o', 'name']),
    ({ stdout }) => stdout.trim() === '',
  )
})

function isWrite(verb: string): boolean {
  return !['get', 'list', 'watch'].includes(verb)
}
