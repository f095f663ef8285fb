import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sleep } from '../../../src/env/clock.ts'
import { realClock } from '../../../src/env/real/clock.ts'
import { encodeBatch } from '../../../src/broker/log/batch/batch.ts'
import { errorName } from '../../../src/broker/wire/errors.ts'
import { createTopics } from '../../../src/broker/wire/messages/index.ts'
import { utf8 } from '../../../src/lib/bytes.ts'
import { BrokerClient } from '../../helpers/broker-client.ts'
import { withBroker } from '../../helpers/broker.ts'
import { eventually } from '../../helpers/eventually.ts'
import { WireGroup } from '../../helpers/wire-groups.ts'
import { startControlPlane } from '../cluster.ts'
import { RealRing } from '../ring.ts'
import { sharedControlPlane } from './shared.ts'

const partition = { topic: 'orders', partition: 0 }
const records = encodeBatch({ records: [{ key: null, value: utf8('an order') }] })

test('a broker whose metadata are in Kubernetes serves through an outage of the API; only topics cannot change', async () => {
  const plane = sharedControlPlane()
  await plane.kubectl(['create', 'namespace', 'outage'])
  const { link } = await plane.openLink()
  await using _ = link
  const ring = await RealRing.make(plane, 'outage', 'orders', { url: link.url })
  await withBroker({ settings: ring.settings }, async broker => {
    using client = await BrokerClient.connect(broker.port)
    const { topics } = await client.createTopics([{ name: partition.topic }])
    expect(topics).toMatchObject([{ errorCode: 0 }])
    expect((await client.produce(partition, records)).errorCode).toBe(0)
    const group = new WireGroup(client, 'group')
    expect(await group.find()).toBe('NONE')
    const member = await group.enter()
    link.refuse()
    // A client that nobody knows yet.
    using fresh = await BrokerClient.connect(broker.port)
    const { producerId, errorCode } = await fresh.initProducerId()
    expect([errorCode, producerId >= 0]).toEqual([0, true])
    expect((await fresh.produce(partition, records)).errorCode).toBe(0)
    expect((await fresh.fetch(partition, 1)).highWatermark).toBe(2)
    expect(await group.commit([{ ...partition, offset: 2 }], member)).toEqual(['NONE'])
    const late = { name: 'late', numPartitions: 1, replicationFactor: 1 }
    const wish = { topics: [{ ...late, assignments: [], configs: [] }], timeoutMs: 2_000 }
    const refused = await fresh.request(createTopics, 7, { ...wish, validateOnly: false })
    expect(errorName(refused.topics[0]!.errorCode)).toBe('REQUEST_TIMED_OUT')
    expect(refused.topics[0]!.errorMessage).toMatch(/metadata store did not answer.*127\.0\.0\.1/)
    expect(await broker.metric('logcluster_metadata_waiting')).toBe(1)
    link.restore()
    await eventually('a topic that can be made again', async () => {
      const { topics: made } = await fresh.createTopics([{ name: 'after' }])
      return ['NONE', 'TOPIC_ALREADY_EXISTS'].includes(errorName(made[0]!.errorCode))
    })
    expect(broker.isRunning).toBe(true)
    const kept = (await client.metadata(['after'])).topics[0]!
    await broker.stop()
    await broker.start()
    using again = await BrokerClient.connect(broker.port)
    expect((await again.metadata(['after'])).topics[0]!.topicId).toBe(kept.topicId)
    expect((await again.fetch(partition, 0)).highWatermark).toBe(2)
  })
  ring.close()
})

/** In CI; ten minutes by `OUTAGE_SECONDS=600`. */
const outageSeconds = Number(process.env['OUTAGE_SECONDS'] ?? 90)

test(
  'of an API server that is stopped under load clients notice nothing: they connect, ask for producer ids, produce, read and commit',
  { timeout: (outageSeconds + 120) * 1_000 },
  async () => {
    await using plane = await startControlPlane()
    await plane.kubectl(['create', 'namespace', 'load'])
    const ring = await RealRing.make(plane, 'load', 'orders')
    await withBroker({ settings: ring.settings }, async broker => {
      using client = await BrokerClient.connect(broker.port)
      await client.createTopics([{ name: partition.topic }])
      expect(await new WireGroup(client, 'group').find()).toBe('NONE')
      const pid = broker.pid
      await plane.apiServer.stop()
      const end = performance.now() + outageSeconds * 1_000
      let longestMs = 0
      let rounds = 0
      for (; performance.now() < end; rounds++) {
        const start = performance.now()
        using fresh = await BrokerClient.connect(broker.port)
        const { errorCode } = await fresh.initProducerId()
        const produced = await fresh.produce(partition, records)
        const fetched = await fresh.fetch(partition, rounds)
        const committed = await new WireGroup(fresh, 'group').commit([
          { ...partition, offset: rounds + 1 },
        ])
        expect([errorCode, produced.errorCode, fetched.errorCode]).toEqual([0, 0, 0])
        expect(fetched.records.length).toBeGreaterThan(0)
        expect(committed).toEqual(['NONE'])
        longestMs = Math.max(longestMs, performance.now() - start)
        // Slow enough for ten minutes on the ids that were fetched ahead.
        await sleep(realClock, 100)
      }
      console.log(`${rounds} rounds, the longest took ${Math.round(longestMs)} ms`)
      expect(rounds).toBeGreaterThan(outageSeconds)
      expect(broker.pid).toBe(pid)
      await plane.apiServer.start()
      await eventually('a topic that can be made again', async () => {
        const { topics } = await client.createTopics([{ name: 'after' }])
        return ['NONE', 'TOPIC_ALREADY_EXISTS'].includes(errorName(topics[0]!.errorCode))
      })
    })
    ring.close()
  },
)

test('a broker takes little more memory for it', async () => {
  const plane = sharedControlPlane()
  await plane.kubectl(['create', 'namespace', 'memory'])
  const ring = await RealRing.make(plane, 'memory', 'orders')
  const sizes: number[] = []
  for (const settings of [{}, ring.settings]) {
    await withBroker({ settings }, async broker => {
      using client = await BrokerClient.connect(broker.port)
      await client.createTopics([{ name: partition.topic }])
      await client.produce(partition, records)
      const status = readFileSync(`/proc/${broker.pid}/status`, 'utf8')
      sizes.push(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1_024)
    })
  }
  // 6 MiB were seen: what node:https takes.
  expect(sizes[1]! - sizes[0]!).toBeLessThan(25)
  ring.close()
})
