import { expect, test } from 'vitest'
import { describeWith, python } from '../helpers/clients.ts'
import { batchesOnDisk, codecNames, codecsOnDisk } from '../helpers/segments.ts'
import { suiteBroker } from '../helpers/suite-broker.ts'
import { samples } from './samples.ts'

interface Consumed {
  readonly records: readonly { readonly offset: number }[]
  readonly low: number
  readonly high: number
}

describeWith('confluent-kafka', 'confluent-kafka 2.16 (librdkafka 2.16)', () => {
  const broker = suiteBroker()

  async function step<Result = null>(name: string, wish: object): Promise<Result> {
    const input = JSON.stringify(wish)
    const { stdout } = await python('confluent.py', [name, broker().address], { input })
    return JSON.parse(stdout) as Result
  }

  test.each(codecNames)('produces and consumes with codec %s', async codec => {
    const topic = `codec-${codec}`
    await step('create', { topic, partitions: 1 })
    const sent = samples(codec)
    const settings = { 'compression.type': codec, 'enable.idempotence': true }
    const produced = await step('produce', { topic, settings, samples: sent })
    expect(produced).toEqual({ failures: [], left: 0 })
    const all = await step<Consumed>('consume', { topic, offset: 0 })
    expect(all.records).toEqual(sent.map((sample, offset) => ({ offset, ...sample })))
    expect(all).toMatchObject({ low: 0, high: sent.length })
    const rest = await step<Consumed>('consume', { topic, offset: 50 })
    expect(rest.records[0]).toMatchObject({ offset: 50 })
    expect(rest.records).toHaveLength(sent.length - 50)
    expect(codecsOnDisk(broker().dataDir, topic, 0)).toEqual([codec])
    const ids = batchesOnDisk(broker().dataDir, topic, 0).map(batch => batch.producerId)
    expect(Math.min(...ids)).toBeGreaterThanOrEqual(0)
  })

  test('creates, configures, lists and deletes topics', async () => {
    const config = { 'cleanup.policy': 'compact' }
    await step('create', { topic: 'made', partitions: 5, config })
    expect(await step('topics', {})).toMatchObject({ made: 5 })
    expect(await step('config', { topic: 'made' })).toMatchObject(config)
    await expect(step('create', { topic: 'made', partitions: 5 })).rejects.toThrow(/ALREADY_EXISTS/)
    await step('delete', { topic: 'made' })
    expect(await step('topics', {})).not.toHaveProperty('made')
    await expect(step('delete', { topic: 'made' })).rejects.toThrow(/UNKNOWN_TOPIC_OR_PART/)
  })

  test('names and sizes that cannot be are refused', async () => {
    const create = (topic: string, partitions: number): Promise<null> =>
      step('create', { topic, partitions })
    await expect(create('no/slash', 1)).rejects.toThrow(/TOPIC_EXCEPTION/)
    await expect(create('none', 0)).rejects.toThrow(/INVALID_PARTITIONS|_INVALID_ARG/)
  })
})
