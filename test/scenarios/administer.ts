import { deepEqual, equal } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createPartitions,
  describeConfigs,
  incrementalAlterConfigs,
} from '../../src/broker/wire/messages/index.ts'
import { MemberProcess } from '../clients/group-of-three.ts'
import { numbered, refused } from './produce.ts'
import type { World } from './world.ts'

interface Flowed {
  readonly acked: number
  readonly failed: readonly string[]
}

/** Records that a process of the client goes on producing until it is told to end. */
class Flow {
  readonly #world: World
  readonly #until: string
  readonly #done: Promise<Flowed>
  #isOver = false

  static async start(world: World): Promise<Flow> {
    const flow = new Flow(world)
    await flow.#runs('the producer runs', async () => (await endOffsets(world)) >= 5)
    return flow
  }

  private constructor(world: World) {
    this.#world = world
    this.#until = join(world.folder, 'end-of-flow')
    this.#done = world
      .another()
      .call('flow', { topic: world.topic, everyMs: 30, until: this.#until })
    const over = (): boolean => (this.#isOver = true)
    this.#done.then(over, over)
  }

  /** It goes on after a change of the topic, which now has so many records more. */
  async goesOn(partitions = 1): Promise<void> {
    const before = await endOffsets(this.#world, partitions)
    const isFurther = async (): Promise<boolean> =>
      (await endOffsets(this.#world, partitions)) >= before + 20
    await this.#runs('the producer goes on', isFurther)
  }

  async finish(): Promise<Flowed> {
    writeFileSync(this.#until, '')
    return this.#done
  }

  /** A producer that ended is the answer, not 30 seconds without records. */
  async #runs(what: string, holds: () => Promise<boolean>): Promise<void> {
    await this.#world.until(what, async () => {
      if (this.#isOver) {
        const { failed } = await this.#done
        throw new Error(`the producer ended too early; ${failed.length} failed: ${failed[0]}`)
      }
      return holds()
    })
  }
}

async function endOffsets(world: World, partitions = 1): Promise<number> {
  let sum = 0
  for (let partition = 0; partition < partitions; partition++) {
    sum += Math.max(0, await world.endOffset(partition))
  }
  return sum
}

/** Nothing failed, and the log has what was acknowledged, just once. */
async function allArrived(world: World, flow: Flow, partitions = 1): Promise<void> {
  const { acked, failed } = await flow.finish()
  deepEqual(failed, [])
  equal(await endOffsets(world, partitions), acked)
}

export async function createTopic(world: World): Promise<void> {
  await world.createTopic()
  const flow = await Flow.start(world)
  await using made = await world.sibling('made')
  const configs = { 'max.message.bytes': '20000' }
  await made.driver.call('createTopic', { topic: made.topic, partitions: 3, configs })
  await flow.goesOn()
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
  const { topics } = await wire.metadata([topic])
  equal(topics[0]?.partitions.length, 4)
  const hasFound = async (): Promise<boolean> => {
    const ends = await Promise.all([1, 2, 3].map(partition => world.endOffset(partition)))
    return Math.max(...ends) > 0
  }
  await world.until('the producer has found the new partitions', hasFound)
  await allArrived(world, flow, 4)
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
  await flow.goesOn()
  equal(await topicConfig(world, name), '50000')
  await refused(world.produce([{ key: null, value: 'x'.repeat(60_000), headers: [] }]))
  await allArrived(world, flow)
}

export async function deleteTopic(world: World): Promise<void> {
  await world.createTopic()
  const flow = await Flow.start(world)
  const { topic, wire } = world
  await world.administer(
    () => world.driver.call('deleteTopic', { topic }),
    () => wire.deleteTopics([topic]),
  )
  const { topics } = await wire.metadata([topic])
  equal(topics[0]?.errorCode, 3)
  await world.createTopic()
  await flow.goesOn()
  const { failed } = await flow.finish()
  const [first] = await world.consume(0, 1)
  equal(first?.offset, 0)
  if (failed.length > 0) {
    world.remarks.push(`records failed while the topic was not there: ${failed[0]!.slice(0, 150)}`)
  }
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
    await world.reconnect()
    await flow.goesOn()
    const { acked, failed } = await flow.finish()
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

export async function topicConfig(
  world: World,
  name: string,
  topic = world.topic,
): Promise<string | null | undefined> {
  const asked = { resourceType: 2, resourceName: topic, configurationKeys: [name] }
  const { results } = await world.wire.request(describeConfigs, 4, {
    resources: [asked],
    includeSynonyms: false,
    includeDocumentation: false,
  })
  return results[0]?.configs.find(config => config.name === name)?.value
}
