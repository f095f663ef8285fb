import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { describeWith, java, python } from '../helpers/clients.ts'
import { eventually } from '../helpers/eventually.ts'
import { metricsOf, sumOf } from '../helpers/metrics.ts'
import { suiteBroker } from '../helpers/suite-broker.ts'

/** What is read of a topic before it goes away, and of the one that comes after it under its name. */
const former = ['a', 'b', 'c', 'd', 'e']
const anew = ['f', 'g']
/** What tells a consumer that its topic is another one. */
const stale = ['UNKNOWN_TOPIC_ID', 'INCONSISTENT_TOPIC_ID', 'UNKNOWN_TOPIC_OR_PARTITION']

const broker = suiteBroker({ settings: { 'auto.create.topics.enable': 'false' } })

async function write(
  client: BrokerClient,
  topic: string,
  values: readonly string[],
): Promise<void> {
  const records = encodeBatch({ records: values.map(value => ({ value })) })
  expect(await client.produce({ topic, partition: 0 }, records)).toMatchObject({ errorCode: 0 })
}

/** Runs a consumer that ends by itself when it has read everything, of both topics; its values in their order. */
async function readBoth(
  topic: string,
  consume: (count: number) => Promise<string[]>,
): Promise<string[]> {
  using client = await BrokerClient.connect(broker().port)
  await client.createTopics([{ name: topic }])
  await write(client, topic, former)
  const reading = consume(former.length + anew.length)
  const lag = async () => {
    const of = { topic, position: 'fetch' }
    return sumOf(await metricsOf(broker()), 'logcluster_consumer_lag_records', of)
  }
  await eventually('the consumer is at the end', lag, records => records === 0)
  await client.deleteTopics([topic])
  await client.createTopics([{ name: topic }])
  await write(client, topic, anew)
  return await reading
}

async function staleFetches(): Promise<number> {
  const samples = await metricsOf(broker())
  const counts = stale.map(error => {
    return sumOf(samples, 'logcluster_request_errors_total', { api: 'Fetch', error })
  })
  return counts.reduce((sum, count) => sum + (Number.isNaN(count) ? 0 : count), 0)
}

describeWith('java', 'a topic made anew under its name, by Apache Kafka 4.3', () => {
  test('is read from its beginning by a consumer of the former one', async () => {
    const before = await staleFetches()
    const values = await readBoth('java', async count => {
      const main = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
      const of = ['--bootstrap-server', broker().address, '--topic', 'java', '--from-beginning']
      const { stdout } = await java(main, [...of, '--max-messages', String(count)])
      return stdout.trimEnd().split('\n')
    })
    expect(values).toEqual([...former, ...anew])
    expect(await staleFetches()).toBeGreaterThan(before)
  })
})

describeWith('confluent-kafka', 'a topic made anew under its name, by librdkafka 2.16', () => {
  test('is read from its beginning by a consumer of the former one', async () => {
    const values = await readBoth('librdkafka', async count => {
      const wish = JSON.stringify({ topic: 'librdkafka', count })
      const options = { input: wish, timeoutMs: 120_000 }
      const { stdout } = await python('confluent.py', ['follow', broker().address], options)
      return JSON.parse(stdout) as string[]
    })
    expect(values).toEqual([...former, ...anew])
  })
})
