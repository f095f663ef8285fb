import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { errorCode, type ErrorName } from '../../src/broker/wire/errors.ts'
import { createPartitions } from '../../src/broker/wire/messages/index.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { InProcessBroker } from '../helpers/in-process.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'

let broker: InProcessBroker
let client: BrokerClient

beforeAll(async () => {
  broker = await InProcessBroker.start()
  client = await broker.connect()
})

afterAll(async () => {
  await broker[Symbol.asyncDispose]()
})

const code = (name: ErrorName): number => errorCode(name)
const batch = encodeBatch({ records: [{ key: null, value: utf8('value') }] })

async function grow(
  topics: { name: string; count: number; brokers?: number[][] }[],
  { version = 3, validateOnly = false } = {},
) {
  const asked = topics.map(({ name, count, brokers }) => ({
    name,
    count,
    assignments: brokers?.map(brokerIds => ({ brokerIds })) ?? null,
  }))
  const request = { topics: asked, timeoutMs: 10_000, validateOnly }
  return (await client.request(createPartitions, version, request)).results
}

async function partitionCount(name: string): Promise<number> {
  return (await client.metadata([name])).topics[0]!.partitions.length
}

describe('CreatePartitions', () => {
  test.each([0, 1, 2, 3])('v%i: new partitions can be written when the answer comes', async v => {
    const name = `grows-${v}`
    await client.createTopics([{ name }])
    await client.produce({ topic: name, partition: 0 }, batch)
    expect(await grow([{ name, count: 3 }], { version: v })).toEqual([
      { name, errorCode: 0, errorMessage: null },
    ])
    expect(await partitionCount(name)).toBe(3)
    const produced = await client.produce({ topic: name, partition: 2 }, batch)
    expect(produced).toMatchObject({ errorCode: 0, baseOffset: 0 })
    expect(await client.listOffset({ topic: name, partition: 0 }, -1)).toMatchObject({ offset: 1 })
  })

  test('answers each topic on its own, with what is wrong', async () => {
    await client.createTopics([{ name: 'each', partitions: 2 }, { name: 'other' }])
    const results = await grow([
      { name: 'each', count: 2 },
      { name: 'absent', count: 2 },
      { name: 'other', count: 2, brokers: [[1]] },
    ])
    expect(results).toEqual([
      {
        name: 'each',
        errorCode: code('INVALID_PARTITIONS'),
        errorMessage: "Topic 'each' already has 2 partition(s).",
      },
      {
        name: 'absent',
        errorCode: code('UNKNOWN_TOPIC_OR_PARTITION'),
        errorMessage: 'There is no topic "absent".',
      },
      { name: 'other', errorCode: 0, errorMessage: null },
    ])
    expect(await partitionCount('other')).toBe(2)
  })

  test('changes nothing where it only validates', async () => {
    await client.createTopics([{ name: 'valid' }])
    const [result] = await grow([{ name: 'valid', count: 4 }], { validateOnly: true })
    expect(result!.errorCode).toBe(0)
    expect(await partitionCount('valid')).toBe(1)
  })

  test('stays after a restart, with what was written', async () => {
    const first = await InProcessBroker.start()
    const before = await first.connect()
    await before.createTopics([{ name: 'kept' }])
    const topics = [{ name: 'kept', count: 2, assignments: null }]
    await before.request(createPartitions, 3, { topics, timeoutMs: 10_000, validateOnly: false })
    await before.produce({ topic: 'kept', partition: 1 }, batch)
    await first[Symbol.asyncDispose]()
    const second = await InProcessBroker.start({}, first.disk)
    const after = await second.connect()
    expect(await after.listOffset({ topic: 'kept', partition: 1 }, -1)).toMatchObject({ offset: 1 })
    await second[Symbol.asyncDispose]()
  })
})
