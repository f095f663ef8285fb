import { describe, expect, test } from 'vitest'
import type { ClientName } from '../../tools/clients.ts'
import type { TestBroker } from '../helpers/broker.ts'
import { describeWith } from '../helpers/clients.ts'
import { suiteBroker } from '../helpers/suite-broker.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import {
  GroupOfThree,
  memberPrograms,
  type MemberProgram,
  partitionCount,
} from './group-of-three.ts'

const settings = {
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '1000',
  'num.partitions': String(partitionCount),
}

/** A leave, a crash and a join; nothing is lost, and what a member gave up in order is not read again. */
async function threeMembers(broker: () => TestBroker, program: MemberProgram): Promise<void> {
  using client = await BrokerClient.connect(broker().port)
  const topic = `read-by-${program.library.replaceAll(/[^a-z]+/g, '-')}`
  await client.createTopics([{ name: topic, partitions: partitionCount }])
  await using group = new GroupOfThree(broker(), program, topic)
  const [first, second] = [group.start(), group.start(), group.start()]
  await group.settled()
  await group.produce(client, 50)
  await group.everythingRead()
  await group.everythingCommitted(client)
  if (!program.repeatsAtHandOver) expect(group.repeatedCount).toBe(0)

  await group.leave(first!)
  await group.settled()
  await group.produce(client, 50)
  await group.everythingRead()
  await group.everythingCommitted(client)
  if (!program.repeatsAtHandOver) expect(group.repeatedCount).toBe(0)

  await group.crash(second!)
  await group.produce(client, 50)
  await group.everythingRead()
  group.start()
  await group.settled()
  await group.produce(client, 50)
  await group.everythingRead()
  await group.everythingCommitted(client)
}

/** The broker is killed under a group of two: nothing is lost, and everything is committed in the end. */
async function brokerKilled(broker: () => TestBroker, program: MemberProgram): Promise<void> {
  const topic = `killed-under-${program.library.replaceAll(/[^a-z]+/g, '-')}`
  await using group = new GroupOfThree(broker(), program, topic)
  {
    using client = await BrokerClient.connect(broker().port)
    await client.createTopics([{ name: topic, partitions: partitionCount }])
    group.start()
    group.start()
    await group.settled()
    await group.produce(client, 50)
    await group.everythingRead()
  }
  await broker().kill()
  await broker().start()
  using client = await BrokerClient.connect(broker().port)
  await group.produce(client, 50)
  await group.everythingRead()
  await group.settled()
  await group.everythingCommitted(client)
}

describe('a group of three, with a leave, a crash and a join', { timeout: 240_000 }, () => {
  const broker = suiteBroker({ settings })

  test('kafkajs', () => threeMembers(broker, memberPrograms.kafkajs))
  test('@platformatic/kafka', () => threeMembers(broker, memberPrograms.platformatic))
  test('kafkajs, with the broker killed', () => brokerKilled(broker, memberPrograms.kafkajs))
  test('@platformatic/kafka, with the broker killed', () =>
    brokerKilled(broker, memberPrograms.platformatic))
})

const confluent: ClientName = 'confluent-kafka'
describeWith(confluent, 'a group of three on librdkafka, with a leave, a crash and a join', () => {
  const broker = suiteBroker({ settings })

  test('eager', () => threeMembers(broker, memberPrograms.confluent))
  test('cooperative', () => threeMembers(broker, memberPrograms.cooperative))
  test('with the broker killed', () => brokerKilled(broker, memberPrograms.confluent))
})
