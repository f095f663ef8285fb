import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import { incrementalAlterConfigs, offsetCommit } from '../../src/broker/wire/messages/index.ts'
import { runExport } from '../../src/cli/document/commands.ts'
import { parseDocument } from '../../src/cli/document/document.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import { BrokerCluster, withCluster } from '../helpers/broker-cluster.ts'
import { askCoordinator } from '../helpers/cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { replicaBytes } from '../helpers/replica-bytes.ts'

const topic = 'kept'
const brokerConfigs = 4

/** Of all brokers. */
async function freeze(client: BrokerClient, isWanted: boolean): Promise<void> {
  const config = isWanted
    ? { configOperation: 0, value: 'true' }
    : { configOperation: 1, value: null }
  const configs = [{ name: 'hibernation.freeze.enable', ...config }]
  const resources = [{ resourceType: brokerConfigs, resourceName: '', configs }]
  const { responses } = await client.request(incrementalAlterConfigs, 1, {
    resources,
    validateOnly: false,
  })
  expect(responses[0]).toMatchObject({ errorCode: 0 })
}

async function state(client: BrokerClient) {
  const { topics } = await client.metadata([topic])
  return topics[0]?.partitions[0]
}

const inOrder = (ids: readonly number[] = []): readonly number[] => ids.toSorted((a, b) => a - b)

/** Produces one record where the partition is led; the name of the error. */
async function produce(cluster: BrokerCluster, by: BrokerClient, value: string, acks: -1 | 1) {
  const leader = (await state(by))?.leaderId ?? -1
  if (leader < 0) return 'no leader'
  const client = await cluster.connect(leader)
  const batch = encodeBatch({ records: [{ key: 'k', value }] })
  return errorName((await client.produce({ topic, partition: 0 }, batch, acks)).errorCode)
}

async function commit(cluster: BrokerCluster, by: BrokerClient): Promise<string> {
  const found = await askCoordinator(by, 'readers')
  if (typeof found === 'string') return found
  const partition = {
    partitionIndex: 0,
    committedOffset: 1,
    committedLeaderEpoch: -1,
    committedMetadata: '',
  }
  const client = await cluster.connect(found.id)
  const answer = await client.request(offsetCommit, 8, {
    groupId: 'readers',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [{ name: topic, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions: [partition] }],
  })
  return errorName(answer.topics[0]!.partitions[0]!.errorCode)
}

test('three brokers that are frozen stop together and come back with the same in-sync set and the same log', async () => {
  await withCluster(await BrokerCluster.start(3), async cluster => {
    const first = await cluster.connect(0)
    const all = [0, 1, 2]
    await eventually(
      'three brokers',
      () => first.metadata(),
      ({ brokers }) => brokers.length === 3,
    )
    await first.createTopics([{ name: topic, partitions: 1, replicas: 3 }])
    await eventually(
      'an acknowledgement',
      () => produce(cluster, first, 'of all', -1),
      error => error === 'NONE',
    )
    await eventually(
      'a committed offset',
      () => commit(cluster, first),
      error => error === 'NONE',
    )
    await eventually(
      'all in sync',
      () => state(first),
      found => String(inOrder(found?.isrNodes)) === String(all),
    )
    // Of this one only its leader says that it is there.
    expect(await produce(cluster, first, 'of one', 1)).toBe('NONE')

    // Whoever coordinates the group: each broker is asked for its own.
    const lines: string[] = []
    const say = (line: string): void => void lines.push(line)
    const code = await runExport([`127.0.0.1:${cluster.broker(1).port}`], { out: say, err: say })
    expect([code, parseDocument(lines.join('\n'))]).toMatchObject([
      0,
      {
        topics: [{ name: topic, partitions: 1, replicationFactor: 3 }],
        groups: [{ group: 'readers', offsets: [{ topic, partition: 0, offset: 1 }] }],
      },
    ])

    await freeze(first, true)
    // Who leads may hear of it after us, and take some: only the last one is refused.
    let attempts = 0
    await eventually(
      'a refusal',
      () => produce(cluster, first, `too late ${++attempts}`, 1),
      error => error === 'NOT_ENOUGH_REPLICAS',
    )
    await eventually(
      'a refusal of the coordinator',
      () => commit(cluster, first),
      error => error === 'COORDINATOR_NOT_AVAILABLE',
    )
    await eventually(
      'the same logs',
      () => cluster.brokers.map(broker => replicaBytes(broker, `${topic}-0`)),
      ([log, ...others]) => log!.includes('of one') && others.every(other => other.equals(log!)),
    )
    await Promise.all(cluster.brokers.map(broker => broker.stop()))

    // Whoever is first leads, and the others are in sync although they are not there.
    await cluster.broker(2).start()
    const woken = await cluster.connect(2)
    const alone = await eventually(
      'a leader',
      () => state(woken),
      found => found?.leaderId === 2,
    )
    expect(inOrder(alone?.isrNodes)).toEqual(all)
    expect(await produce(cluster, woken, 'too early', -1)).toBe('NOT_ENOUGH_REPLICAS')

    await Promise.all([0, 1].map(id => cluster.broker(id).start()))
    // As the operator waits: each may lead, and is in every in-sync set.
    await eventually(
      'all are ready',
      async () => {
        const asked = cluster.brokers.map(({ http }) => fetch(`http://${http}/readyz`))
        return (await Promise.all(asked)).map(({ status }) => status)
      },
      statuses => statuses.every(status => status === 200),
    )
    expect(inOrder((await state(woken))?.isrNodes)).toEqual(all)
    await freeze(woken, false)
    await eventually(
      'writes again',
      () => produce(cluster, woken, 'of all again', -1),
      error => error === 'NONE',
    )
    expect(inOrder((await state(woken))?.isrNodes)).toEqual(all)
    const logs = await eventually(
      'the same logs again',
      () => cluster.brokers.map(broker => replicaBytes(broker, `${topic}-0`)),
      ([log, ...others]) =>
        log!.includes('of all again') && others.every(other => other.equals(log!)),
    )
    expect(['of all', 'of one'].map(value => logs[0]!.includes(value))).toEqual([true, true])
    expect([`too late ${attempts}`, 'too early'].some(value => logs[0]!.includes(value))).toBe(
      false,
    )
  })
}, 180_000)
