import { deepEqual, equal } from 'node:assert/strict'
import {
  createPartitions,
  describeConfigs,
  incrementalAlterConfigs,
} from '../../src/broker/wire/messages/index.ts'
import { MemberProcess } from '../clients/group-of-three.ts'
import type { FlowWish } from './drivers/serve.ts'
import { numbered, refused } from './produce.ts'
import type { World } from './world.ts'

interface Flowed {
  readonly acked: number
  readonly failed: readonly string[]
}

/** Records that a process of the client goes on producing; long enough for what happens meanwhile. */
class Flow {
  readonly done: Promise<Flowed>
  #isOver = false

  static async start(world: World, more: Partial<FlowWish> = {}): Promise<Flow> {
    const flow = new Flow(world, { topic: world.topic, count: 100, everyMs: 30, ...more })
    await world.until('the producer runs', async () => (await endOffsets(world, 1)) >= 5)
    return flow
  }

  private constructor(world: World, wish: FlowWish) {
    this.done = world.another().call('flow', wish)
    const over = (): boolean => (this.#isOver = true)
    this.done.then(over, over)
  }

  /** After a change, which otherwise was not one under use. */
  stillRuns(): void {
    if (this.#isOver) throw new Error('the producer was through before the change')
  }
}

async function endOffsets(world: World, partitions: number): Promise<number> {
  let sum = 0
  for (let partition = 0; partition < partitions; partition++) {
    sum += Math.max(0, await world.endOffset(partition))
  }
  return sum
}

/** Nothing failed, and the log has what was acknowledged, just once. */
async function allArrived(world: World, flow: Flow, partitions = 1): Promise<void> {
  const { acked, failed } = await flow.done
  deepEqual(failed, [])
  equal(await endOffsets(world, partitions), acked)
}

export async function createTopic(world: World): Promise<void> {
  await world.createTopic()
  const flow = await Flow.start(world)
  await using made = await world.sibling('made')
  const configs = { 'max.message.bytes': '20000' }
  await made.driver.call('createTopic', { topic: made.topic, partitions: 3, configs })
  flow.stillRuns()
  const { topics } = await world.wire.metadata([made.topic])
  equal(topics[0]?.partitions.length, 3)
  equal(await topicConfig(made, 'max.message.bytes'), '20000')
  await made.produce(numbered(10, 'at once'))
  // Java's console producer chooses the partitions itself.
  equal(await endOffsets(made, 3), 10)
  const inFirst = await made.endOffset()
  equal((await made.consume(0, inFirst)).length, inFirst)
  await allArrived(world, flow)
}

export async function growTopic(world: World): Promise<void> {
  await world.createTopic()
  const flow = await Flow.start(world)
  const { topic, wire } = world
  await world.administer(
    () => world.driver.call('growTopic', { topic, partitions: 4 }),
    () => {
      const topics = [{ name: topic, count: 4, assignments: null }]
      return wire.request(createPartitions, 3, { topics, timeoutMs: 10_000, validateOnly: false })
    },
  )
  flow.stillRuns()
  const { topics } = await wire.metadata([topic])
  equal(topics[0]?.partitions.length, 4)
  await allArrived(world, flow, 4)
  const ends = await Promise.all([1, 2, 3].map(partition => world.endOffset(partition)))
  if (Math.max(...ends) === 0) throw new Error('the producer has not found the new partitions')
}

export async function configureTopic(world: World): Promise<void> {
  await world.createTopic()
  const flow = await Flow.start(world)
  const { topic, wire } = world
  const name = 'max.message.bytes'
  await world.administer(
    () => world.driver.call('configureTopic', { topic, configs: { [name]: '50000' } }),
    () => {
      const configs = [{ name, value: '50000', configOperation: 0 }]
      const resources = [{ resourceType: 2, resourceName: topic, configs }]
      return wire.request(incrementalAlterConfigs, 1, { resources, validateOnly: false })
    },
  )
  flow.stillRuns()
  equal(await topicConfig(world, name), '50000')
  await refused(world.produce([{ key: null, value: 'x'.repeat(60_000), headers: [] }]))
  await allArrived(world, flow)
}

export async function deleteTopic(world: World): Promise<void> {
  await world.createTopic()
  const flow = await Flow.start(world, { count: 200 })
  const { topic, wire } = world
  await world.administer(
    () => world.driver.call('deleteTopic', { topic }),
    () => wire.deleteTopics([topic]),
  )
  const { topics } = await wire.metadata([topic])
  equal(topics[0]?.errorCode, 3)
  await world.createTopic()
  flow.stillRuns()
  await world.until(
    'the producer has found the new topic',
    async () => (await world.endOffset()) > 0,
  )
  const { acked, failed } = await flow.done
  const [first] = await world.consume(0, 1)
  equal(first?.offset, 0)
  if (acked < 10) throw new Error(`only ${acked} were acknowledged: ${failed[0]}`)
  if (failed.length > 0) world.remarks.push(`${failed.length} of 200 records failed meanwhile`)
}

export async function restartBroker(world: World): Promise<void> {
  await world.createTopic()
  const { broker, topic, client } = world
  if (client.livesThroughRestart !== null) world.remarks.push(client.livesThroughRestart)
  const member = new MemberProcess(world.member(), [
    broker.address,
    topic,
    `over-${topic}`,
    'reader',
  ])
  try {
    const flow = await Flow.start(world)
    await world.until('the group reads', () => member.read.length > 0)
    await broker.stop()
    await broker.start()
    flow.stillRuns()
    await world.reconnect()
    const { acked, failed } = await flow.done
    deepEqual(failed, [])
    const end = await world.endOffset()
    if (end < acked) throw new Error(`${acked} acknowledged, ${end} there`)
    if (end > acked) world.remarks.push(`${end - acked} records twice: retried by the client`)
    const hasAll = (): boolean => {
      if (member.hasEnded) throw new Error('the member ended')
      return new Set(member.read).size === end
    }
    await world.until('the group has read all', hasAll).catch((error: Error) => {
      const read = new Set(member.read).size
      throw new Error(`${error.message}: ${read} of ${end}; ${member.said.slice(-600)}`)
    })
  } finally {
    await member.crash()
  }
}

async function topicConfig(world: World, name: string): Promise<string | null | undefined> {
  const asked = { resourceType: 2, resourceName: world.topic, configurationKeys: [name] }
  const { results } = await world.wire.request(describeConfigs, 4, {
    resources: [asked],
    includeSynonyms: false,
    includeDocumentation: false,
  })
  return results[0]?.configs.find(config => config.name === name)?.value
}
