import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeBatch } from '../../../src/broker/log/batch/batch.ts'
import { errorName } from '../../../src/broker/wire/errors.ts'
import { createTopics } from '../../../src/broker/wire/messages/index.ts'
import type { BrokerClient } from '../../helpers/broker-client.ts'
import { eventually } from '../../helpers/eventually.ts'
import { longMs, Several } from './several.ts'
import { describeOnNodes, sharedCluster } from './shared.ts'

const orders = new Several('older-etcd')
/** Longer than a broker waits for its controller. */
const answerMsMax = 15_000
const issued = new Set<unknown>()
const records = encodeBatch({ records: [{ value: 'an order' }] })

describeOnNodes('three brokers under load whose etcd is restored to an older state', () => {
  beforeAll(() => orders.begin())

  afterAll(() => orders.remove().catch((error: unknown) => console.warn(String(error))), longMs)

  test(
    'serve on, say so, forget, format and issue nothing twice, and go on by themselves when the newer state is back',
    { timeout: 4 * longMs },
    () =>
      orders.truthfullyAfter(30_000, async () => {
        const { plane } = sharedCluster()
        const older = await plane.snapshotEtcd()
        await makeLate('late-topic')
        await issueProducerIds()
        const [identities, before] = [await orders.identities(), await orders.starts()]
        const newer = await plane.snapshotEtcd()
        await plane.restoreEtcd(older)
        await quarantined()
        expect(await produceTo('late-topic')).toBe('NONE')
        await issueProducerIds()
        expect([await orders.identities(), await orders.starts()]).toEqual([identities, before])
        await plane.restoreEtcd(newer)
        await whole()
        expect(await orders.identities()).toEqual(identities)
        await issueProducerIds()
        expect(await produceTo('late-topic')).toBe('NONE')
      }),
  )

  test(
    'have all of it again from their disks where the older state has to stay',
    { timeout: 4 * longMs },
    () =>
      orders.truthfullyAfter(longMs, async () => {
        const { plane } = sharedCluster()
        const { clusterId } = (await orders.cluster()).status
        const older = await plane.snapshotEtcd()
        await makeLate('later-topic')
        await issueProducerIds()
        const identities = await orders.identities()
        await plane.restoreEtcd(older)
        await quarantined()
        // Nobody could fence it, so that a new process does not go on where the one before was.
        // It waits up to a minute for a controller that could take over what it leads.
        await orders.kubectl('delete', 'pod', 'orders-main-1-0', '--wait=false')
        await eventually(
          'a broker that refuses to start',
          () => lastWords('orders-main-1-0'),
          said => said.includes('went back in time'),
          longMs,
        )
        expect(await orders.identities()).toEqual(identities)
        // As docs/runbooks/LogClusterMetadataQuarantined.md has it.
        await orders.kubectl('delete', 'logcluster', 'orders', '--wait=false')
        await eventually(
          'the end of the brokers',
          () => orders.pods(),
          pods => pods.length === 0,
          longMs,
        )
        await orders.kubectl('delete', 'configmaps,leases', '-l', ofMetadata)
        await orders.apply()
        await whole()
        expect((await orders.cluster()).status.clusterId).toBe(clusterId)
        expect(await orders.identities()).toEqual(identities)
        await issueProducerIds()
        expect(await produceTo('later-topic')).toBe('NONE')
        expect(await produceTo('late-topic')).toBe('NONE')
      }),
  )
})

const ofCluster = 'logcluster.dev/cluster=orders'
const ofMetadata = `${ofCluster},app.kubernetes.io/component=metadata`

/** Known to who is older no more. */
async function makeLate(name: string): Promise<void> {
  using client = await orders.connect(answerMsMax)
  expect(await create(client, name)).toEqual(['NONE', null])
  await eventually(
    'a leader',
    () => produceTo(name),
    error => error === 'NONE',
  )
}

/** With acks=all, at whoever leads it. */
async function produceTo(topic: string): Promise<string> {
  using client = await orders.connectToLeader(topic)
  if (client === null) return 'nobody leads it'
  return errorName((await client.produce({ topic, partition: 0 }, records)).errorCode)
}

/** Of whichever brokers answer, so that each has asked for more where it may; none of them was issued before. */
async function issueProducerIds(): Promise<void> {
  for (let times = 0; times < 20; times++) {
    using client = await orders.connect(answerMsMax)
    const { errorCode, producerId } = await client.initProducerId()
    // A broker that has issued all that it was given waits for its controller.
    if (errorCode !== 0) continue
    expect(issued).not.toContain(producerId)
    issued.add(producerId)
  }
}

/** The error and its sentence. */
async function create(client: BrokerClient, name: string): Promise<[string, string | null]> {
  const wish = { name, numPartitions: 1, replicationFactor: 3, assignments: [], configs: [] }
  const asked = { topics: [wish], timeoutMs: 2_000, validateOnly: false }
  const [topic] = (await client.request(createTopics, 7, asked)).topics
  return [errorName(topic!.errorCode), topic!.errorMessage]
}

/** Who asks for a change is told why there is none, and so is who asks Kubernetes. */
async function quarantined(): Promise<void> {
  await eventually(
    'a sentence about the ring',
    async () => {
      using client = await orders.connect(answerMsMax)
      return (await create(client, 'never'))[1] ?? ''
    },
    message => message.includes('went back in time'),
    longMs,
  )
  await orders.until('MetadataHealthy', 'False Quarantined', longMs)
}

/** Topics can be made again, and nothing is left to do. */
async function whole(): Promise<void> {
  await eventually(
    'a topic that can be made again',
    async () => {
      try {
        using client = await orders.connect(answerMsMax)
        return (await create(client, 'after'))[0]
      } catch (error) {
        // A Service that was made anew has no name yet.
        return String(error)
      }
    },
    error => error === 'NONE' || error === 'TOPIC_ALREADY_EXISTS',
    longMs,
  )
  await orders.until('Stable', 'True Stable', longMs)
  await orders.untilReplicated()
}

/** With which its last process ended. */
async function lastWords(pod: string): Promise<string> {
  const { status } = (await orders.pods()).find(({ metadata }) => metadata.name === pod) ?? {}
  return JSON.stringify(status?.containerStatuses ?? null)
}
