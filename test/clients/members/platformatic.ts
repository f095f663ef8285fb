import { Consumer } from '@platformatic/kafka'
import { assigned, onLeave, read, readOrders } from './report.ts'

const { address, topic, group, name } = readOrders()
const consumer = new Consumer({
  clientId: name,
  groupId: group,
  bootstrapBrokers: [address],
  sessionTimeout: 3000,
  rebalanceTimeout: 10_000,
  heartbeatInterval: 300,
  maxWaitTime: 100,
})
consumer.on('consumer:group:join', ({ assignments }) => {
  assigned(assignments?.flatMap(one => (one.topic === topic ? one.partitions : [])) ?? [])
})
const stream = await consumer.consume({
  topics: [topic],
  mode: 'committed',
  fallbackMode: 'earliest',
  autocommit: 200,
})
stream.on('data', ({ partition, offset }) => read(partition, Number(offset)))
onLeave(async () => {
  await stream.close()
  await consumer.close(true)
})
