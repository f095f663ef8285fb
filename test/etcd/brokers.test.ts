import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { errorName } from '../../src/broker/wire/errors.ts'
import { BrokerCluster, withCluster } from '../helpers/broker-cluster.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import { Etcd, whyNoEtcd } from '../helpers/etcd.ts'
import { eventually } from '../helpers/eventually.ts'

const why = whyNoEtcd()
const mayLeaveOut = why !== null && process.env['CI'] !== 'true'
const title = 'three brokers over an etcd go on without it, and without one of them with it'

test.skipIf(mayLeaveOut)(why === null ? title : `${title}: ${why}`, async () => {
  const etcd = await Etcd.start()
  const settings = { 'metadata.store': `etcd://${etcd.address}/orders`, 'metadata.dir': '' }
  try {
    await withCluster(await BrokerCluster.start(3, settings), async cluster => {
      const client = await cluster.connect(0)
      const create = async (name: string): Promise<string> => {
        const { topics } = await client.createTopics([{ name, replicas: 3 }])
        return errorName(topics[0]!.errorCode)
      }
      await eventually('a topic of three replicas', () => create('t'), isThere)
      const before = await leaderOf(client)
      const leader = await cluster.connect(before)
      await eventually('an acknowledged batch', () => produce(leader), isNone)

      await etcd.kill()
      expect(await produce(leader)).toBe('NONE')
      await etcd.start()
      await eventually('a topic after the outage', () => create('u'), isThere)

      const survivor = await cluster.connect((before + 1) % 3)
      await cluster.broker(before).kill()
      const after = await eventually(
        'another leader',
        () => leaderOf(survivor),
        id => id >= 0 && id !== before,
      )
      const next = await cluster.connect(after)
      await eventually('a batch without one of three', () => produce(next), isNone)
    })
  } finally {
    await etcd.end()
  }
})

const isNone = (error: string): boolean => error === 'NONE'
const isThere = (error: string): boolean => isNone(error) || error === 'TOPIC_ALREADY_EXISTS'

async function leaderOf(client: BrokerClient): Promise<number> {
  const { topics } = await client.metadata(['t'])
  return topics[0]!.partitions[0]?.leaderId ?? -1
}

async function produce(client: BrokerClient): Promise<string> {
  const batch = encodeBatch({ records: [{ key: 'k', value: 'v' }] })
  return errorName((await client.produce({ topic: 't', partition: 0 }, batch)).errorCode)
}
