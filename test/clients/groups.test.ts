import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { withBroker } from '../helpers/broker.ts'

test('a group of one reads everything', async () => {
  await withBroker({ settings: { 'group.initial.rebalance.delay.ms': '0' } }, async broker => {
    const kafka = new Kafka({
      clientId: 'smoke',
      brokers: [broker.address],
      logLevel: logLevel.INFO,
    })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({
      topic: 'a',
      messages: Array.from({ length: 100 }, (_, at) => ({ key: String(at), value: String(at) })),
    })
    const consumer = kafka.consumer({ groupId: 'g' })
    await consumer.connect()
    await consumer.subscribe({ topic: 'a', fromBeginning: true })
    let seen = 0
    const all = Promise.withResolvers<void>()
    await consumer.run({
      eachMessage: async () => {
        if (++seen === 100) all.resolve()
      },
    })
    await all.promise
    await consumer.disconnect()
    await producer.disconnect()
    expect(seen).toBe(100)
  })
})
