import { beforeAll, expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { partitionOf } from '../../src/broker/coordinator/offsets-topic.ts'
import { lastGroupValue } from '../faults/damage.ts'
import { describeWith, java } from '../helpers/clients.ts'
import { eventually } from '../helpers/eventually.ts'
import { suiteBroker } from '../helpers/suite-broker.ts'
import { BrokerClient } from '../helpers/broker-client.ts'

const tools = 'org.apache.kafka.tools'
const formatters = `${tools}.consumer`
const recordCount = 60

/** A Java process takes seconds to start, so one run does as much as it can. */
describeWith('java', 'groups of Apache Kafka 4.3 tools', () => {
  const broker = suiteBroker({ settings: { 'group.initial.rebalance.delay.ms': '0' } })
  const server = (): string[] => ['--bootstrap-server', broker().address]

  beforeAll(async () => {
    using client = await BrokerClient.connect(broker().port)
    await client.createTopics([{ name: 'read', partitions: 3 }])
    for (let partition = 0; partition < 3; partition++) {
      const records = Array.from({ length: recordCount / 3 }, (_, at) => ({ value: `${at}` }))
      const batch = encodeBatch({ records, baseTimestamp: Date.now() })
      await client.produce({ topic: 'read', partition }, batch)
    }
  })

  async function groups(...args: string[]): Promise<string> {
    const main = `${tools}.consumer.group.ConsumerGroupCommand`
    return (await java(main, [...server(), ...args])).stdout
  }

  async function consume(...args: string[]): Promise<string[]> {
    const main = `${tools}.consumer.ConsoleConsumer`
    const { stdout } = await java(main, [...server(), ...args], { anyStatus: true })
    // Formatters of internal topics do not end their lines.
    return stdout
      .replaceAll('}{', '}\n{')
      .split('\n')
      .filter(line => line !== '')
  }

  test('the console consumer reads as a group and commits', async () => {
    const read = ['--topic', 'read', '--group', 'console', '--from-beginning', ...patience]
    const first = await consume(...read, '--max-messages', String(recordCount))
    expect(first).toHaveLength(recordCount)
    expect(await groups('--list')).toMatch(/^console$/m)
    const described = await groups('--describe', '--group', 'console')
    const rows = described.split('\n').filter(line => line.startsWith('console'))
    expect(rows.map(row => row.split(/\s+/).slice(1, 6))).toEqual(
      [0, 1, 2].map(partition => ['read', String(partition), '20', '20', '0']),
    )
    const state = await groups('--describe', '--group', 'console', '--state')
    expect(state).toMatch(/console\s.*\sEmpty\s+0/)
  })

  test('offsets are reset, deleted, and the group with them', async () => {
    const of = ['--group', 'console', '--topic', 'read']
    const back = await groups('--reset-offsets', ...of, '--to-offset', '7', '--execute')
    expect(back.match(/\s7\s*$/gm)).toHaveLength(3)
    const described = await groups('--describe', '--group', 'console')
    expect(described.match(/ 7 +20 +13 /g)).toHaveLength(3)
    const deleted = await groups('--delete-offsets', '--group', 'console', '--topic', 'read:1')
    expect(deleted).toMatch(/read\s+1\s+Successful/)
    expect((await groups('--describe', '--group', 'console')).match(/ 7 +20 /g)).toHaveLength(2)
    expect(await groups('--delete', '--group', 'console')).toMatch(/was successful/)
    expect(await groups('--list', '--state')).not.toMatch(/console/)
  })

  test("Kafka's own formatters read the offsets topic", async () => {
    await consume(
      '--topic',
      'read',
      '--group',
      'formatted',
      '--from-beginning',
      '--max-messages',
      '60',
      ...patience,
    )
    // A member's leave is answered before it is stored.
    const generation = () => lastGroupValue(broker().dataDir, 'formatted').generation
    await eventually('the generation without members', generation, stored => stored === 2)
    using client = await BrokerClient.connect(broker().port)
    const partition = partitionOf('formatted', 50)
    const { offset: end } = await client.listOffset({ topic: '__consumer_offsets', partition }, -1)
    // As many as there are, so that no time has to tell that there are no more.
    const of = (formatter: string): string[] => [
      ...`--topic __consumer_offsets --partition ${partition} --offset earliest`.split(' '),
      ...`--max-messages ${end} --formatter ${formatters}.${formatter}`.split(' '),
      ...patience,
    ]
    const offsets = await consume(...of('OffsetsMessageFormatter'))
    const mine = offsets
      .map(line => JSON.parse(line) as Entry)
      .filter(({ key }) => key.data['group'] === 'formatted')
    const last = new Map(
      mine.map(({ key, value }) => [key.data['partition'], value?.data['offset']]),
    )
    expect(Object.fromEntries(last)).toEqual({ 0: 20, 1: 20, 2: 20 })
    expect(mine[0]).toMatchObject({ key: { type: 1 }, value: { version: 4 } })
    const metadata = await consume(...of('GroupMetadataMessageFormatter'))
    const values = metadata
      .map(line => JSON.parse(line) as Entry)
      .filter(({ key }) => key.data['group'] === 'formatted')
    expect(values[0]).toMatchObject({
      key: { type: 2 },
      value: {
        version: 3,
        data: {
          protocolType: 'consumer',
          generation: 1,
          protocol: 'range',
          members: [{ clientId: 'console-consumer' }],
        },
      },
    })
    expect(values.at(-1)).toMatchObject({ value: { data: { generation: 2, members: [] } } })
  })
})

/** How long the consumer waits for another record before it gives up: each run knows how many there are. */
const patience = ['--timeout-ms', '60000']

interface Entry {
  readonly key: { readonly type: number; readonly data: Record<string, unknown> }
  readonly value: { readonly version: number; readonly data: Record<string, unknown> } | null
}
