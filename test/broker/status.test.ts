import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { findCoordinator, offsetCommit } from '../../src/broker/wire/messages/index.ts'
import { InProcessBroker } from '../helpers/in-process.ts'

const page = readFileSync(new URL('../../docs/http.md', import.meta.url), 'utf8')

test('every field of the status is documented', async () => {
  await using broker = await InProcessBroker.start()
  const fields = Object.keys(broker.broker.probes.status())
  expect(fields.length).toBeGreaterThan(15)
  expect(fields.filter(field => !page.includes(`\`${field}\``))).toEqual([])
})

test('the status tells who is behind, and how far', async () => {
  await using broker = await InProcessBroker.start()
  const client = await broker.connect()
  await client.createTopics([{ name: 'orders' }])
  const value = new Uint8Array(10)
  const records = encodeBatch({ records: Array.from({ length: 5 }, () => ({ key: null, value })) })
  await client.produce({ topic: 'orders', partition: 0 }, records)
  await client.wire.request(findCoordinator, { key: 'slow', keyType: 0, coordinatorKeys: ['slow'] })
  const commit = async (groupId: string, committedOffset: number) =>
    await client.wire.request(
      offsetCommit,
      {
        groupId,
        memberId: '',
        topics: [
          {
            name: 'orders',
            partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: '' }],
          },
        ],
      },
      { version: 8 },
    )
  await commit('slow', 1)
  await commit('slower', 0)
  await commit('there', 5)
  expect(broker.broker.probes.status()).toMatchObject({
    groupCount: 3,
    laggingGroups: [
      { group: 'slower', lagRecords: 5 },
      { group: 'slow', lagRecords: 4 },
    ],
    listeners: [{ name: 'PLAINTEXT', port: broker.broker.listeners[0]!.port }],
  })
})

test('readiness says why it is not', async () => {
  const broker = await InProcessBroker.start()
  const { probes } = broker.broker
  expect(probes.readiness()).toMatchObject({ isReady: true })
  await broker[Symbol.asyncDispose]()
  expect(probes.readiness()).toMatchObject({
    isReady: false,
    detail: { reason: 'The broker is stopping.' },
  })
})
