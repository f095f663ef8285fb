import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeBatch } from '../../../src/broker/log/batch/batch.ts'
import { errorName } from '../../../src/broker/wire/errors.ts'
import { createTopics } from '../../../src/broker/wire/messages/index.ts'
import type { Pod } from '../../../src/operator/kubernetes/objects.ts'
import type { BrokerClient } from '../../helpers/broker-client.ts'
import { eventually } from '../../helpers/eventually.ts'
import { WireGroup } from '../../helpers/wire-groups.ts'
import { installChart } from './installed.ts'
import { Orders, pod } from './orders.ts'
import { describeOnNodes, sharedCluster } from './shared.ts'

const orders = new Orders('outage')
/** Ten minutes by `OUTAGE_SECONDS=600`. */
const outageSeconds = Number(process.env['OUTAGE_SECONDS'] ?? 90)

describeOnNodes('a broker whose metadata are in Kubernetes', () => {
  beforeAll(async () => {
    await installChart()
    await orders.make()
  })

  // With etcd gone back the controller that lets go of volumes is late: then one of nine stays behind until the nodes go.
  afterAll(() => orders.remove().catch((error: unknown) => console.warn(String(error))))

  test(
    'serves while no API server runs: clients connect, get producer ids, produce, read and commit, and nothing restarts',
    { timeout: (outageSeconds + 300) * 1_000 },
    async () => {
      const { plane } = sharedCluster()
      const topic = { topic: 'outage', partition: 0 }
      using client = await connect()
      await client.createTopics([{ name: topic.topic }])
      expect(await new WireGroup(client, 'outage').find()).toBe('NONE')
      const before = await restarts()
      await orders.truthfully(10_000, async () => {
        await plane.apiServer.stop()
        const end = performance.now() + outageSeconds * 1_000
        for (let offset = 0; performance.now() < end; offset++) {
          using fresh = await connect()
          const { errorCode } = await fresh.initProducerId()
          const produced = await fresh.produce(topic, records)
          const fetched = await fresh.fetch(topic, offset)
          expect([errorCode, produced.errorCode, fetched.errorCode]).toEqual([0, 0, 0])
          const group = new WireGroup(fresh, 'outage')
          expect(await group.commit([{ ...topic, offset: offset + 1 }])).toEqual(['NONE'])
          await sleep(100)
        }
        // The first one was idle for as long as that lasted, and brokers close who is (connections.max.idle.ms).
        using late = await connect()
        expect(await create(late, 'late')).toEqual([
          'REQUEST_TIMED_OUT',
          expect.stringMatching(/metadata store did not answer/),
        ])
        await plane.apiServer.start()
        const readyAtMs = performance.now()
        await untilReached()
        const reachedAtMs = performance.now()
        await eventually(
          'a topic that can be made again',
          () => create(late, 'after'),
          ([error]) => error === 'NONE' || error === 'TOPIC_ALREADY_EXISTS',
          recoveryMsMax,
        )
        const waits = [reachedAtMs - readyAtMs, performance.now() - reachedAtMs].map(Math.round)
        console.log('ms from /readyz to the Service, and on to a topic:', waits.join(', '))
      })
      expect(await restarts()).toBe(before)
    },
  )

  test(
    'whose ring went back in time with etcd is served on, says so, and forgets and formats nothing',
    { timeout: 420_000 },
    () =>
      orders.truthfullyAfter(120_000, async () => {
        const { plane } = sharedCluster()
        const late = { topic: 'late-topic', partition: 0 }
        using client = await connect()
        const backup = await plane.snapshotEtcd()
        expect(await create(client, late.topic)).toEqual(['NONE', null])
        expect((await client.produce(late, records)).errorCode).toBe(0)
        const issued = (await client.initProducerId()).producerId
        const identity = await orders.identity()
        const before = await restarts()
        await plane.restoreEtcd(backup)
        await eventually(
          'a sentence about the ring',
          async () => (await create(client, 'never'))[1] ?? '',
          message => message.includes('went back in time'),
        )
        // The operator may have lost its Lease, for the second time in this file: then kubelet waits before it starts it
        // once more, and that one waits until the Lease of the older state has run out.
        await orders.until('MetadataHealthy', 'False Quarantined', 240_000)
        expect((await client.produce(late, records)).errorCode).toBe(0)
        expect((await client.initProducerId()).producerId).toBeGreaterThan(Number(issued))
        expect([await restarts(), await orders.identity()]).toEqual([before, identity])
        // A new process stands on the broker's own copy.
        await orders.kubectl('delete', 'pod', pod)
        const again = await eventually('a client that finds the topic', async () => {
          const fresh = await connect().catch(() => null)
          const topics = await fresh?.metadata([late.topic]).catch(() => null)
          return topics?.topics[0]?.partitions[0]?.leaderId === 0 ? fresh : null
        })
        using fresh = again!
        expect((await fresh.fetch(late, 1)).highWatermark).toBe(2)
        expect(await orders.identity()).toEqual(identity)
      }),
  )
})

/** Of a broker whose way to the API server is open again: a request that waits for its end, a pause, and a busy machine. */
const recoveryMsMax = 20_000

const records = encodeBatch({ records: [{ value: 'an order' }] })

/** Longer than a broker waits for its metadata store. */
function connect(): Promise<BrokerClient> {
  return orders.connect(15_000)
}

/** Until the broker's node leads to the API server again: that is kube-proxy's time, and not the broker's. */
async function untilReached(): Promise<void> {
  const cluster = sharedCluster()
  const { spec } = await orders.read<Pod>('pod', pod)
  await cluster.untilApiServerIsReached([cluster.node(spec!.nodeName!)])
}

/** The error and its sentence. */
async function create(client: BrokerClient, name: string): Promise<[string, string | null]> {
  const wish = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  const asked = { topics: [wish], timeoutMs: 2_000, validateOnly: false }
  const [topic] = (await client.request(createTopics, 7, asked)).topics
  return [errorName(topic!.errorCode), topic!.errorMessage]
}

/** Changes with each pod, and each start of its container. */
async function restarts(): Promise<string> {
  const { metadata, status } = await orders.read<Pod>('pod', pod)
  return `${metadata.uid} ${status?.containerStatuses?.[0]?.restartCount}`
}
