import { Kafka, logLevel } from 'kafkajs'
import { assigned, onLeave, read, readOrders } from './report.ts'

const { address, topic, group, name } = readOrders()
const kafka = new Kafka({ clientId: name, brokers: [address], logLevel: logLevel.ERROR })
const consumer = kafka.consumer({
  groupId: group,
  sessionTimeout: 3000,
  rebalanceTimeout: 10_000,
  heartbeatInterval: 300,
  maxWaitTimeInMs: 100,
})
consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
  assigned(payload.memberAssignment[topic] ?? [])
})
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
await consumer.run({
  autoCommitInterval: 200,
  eachMessage: ({ partition, message }) => {
    read(partition, Number(message.offset))
    return Promise.resolve()
  },
})
onLeave(() => consumer.disconnect())
