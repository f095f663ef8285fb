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
import type { Stage } from './stage.ts'

interface Flowed {
  readonly acked: number
  readonly failed: readonly string[]
}

/** Records that a process of the client goes on producing until it is told to end. */
class Flow {
  readonly #stage: Stage
  readonly #until: string
  readonly #done: Promise<Flowed>
  #isOver = false

  static async start(stage: Stage): Promise<Flow> {
    const flow = new Flow(stage)
    await flow.#runs('the producer runs', async () => (await endOffsets(stage)) >= 5)
    await stage.middle()
    return flow
  }

  private constructor(stage: Stage) {
    this.#stage = stage
    this.#until = join(stage.folder, 'end-of-flow')
    this.#done = stage
      .another()
      .call('flow', { topic: stage.topic, everyMs: 30, until: this.#until })
    const over = (): boolean => (this.#isOver = true)
    this.#done.then(over, over)
  }

  /** It goes on after a change of the topic, which now has so many records more. */
  async goesOn(partitions = 1): Promise<void> {
    const before = await endOffsets(this.#stage, partitions)
    const isFurther = async (): Promise<boolean> =>
      (await endOffsets(this.#stage, partitions)) >= before + 20
    await this.#runs('the producer goes on', isFurther)
  }

  async finish(): Promise<Flowed> {
    writeFileSync(this.#until, '')
    return this.#done
  }

  /** A producer that ended is the answer, not 30 seconds without records. */
  async #runs(what: string, holds: () => Promise<boolean>): Promise<void> {
    await this.#stage.until(what, async () => {
      if (this.#isOver) {
        const { failed } = await this.#done
        throw new Error(`the producer ended too early; ${failed.length} failed: ${failed[0]}`)
      }
      return holds()
    })
  }
}

async function endOffsets(stage: Stage, partitions = 1): Promise<number> {
  let sum = 0
  for (let partition = 0; partition < partitions; partition++) {
    sum += Math.max(0, await stage.endOffset(partition))
  }
  return sum
}

/** Nothing failed, and the log has what was acknowledged; just once, where nobody died with a request in hand. */
async function allArrived(stage: Stage, flow: Flow, partitions = 1): Promise<void> {
  const { acked, failed } = await flow.finish()
  deepEqual(failed, [])
  const end = await endOffsets(stage, partitions)
  if (stage.ground.isKilled) hasEnough(stage, acked, end)
  else equal(end, acked)
}

/** A record that a client sent again, since nobody answered, may be there twice. */
function hasEnough(stage: Stage, acked: number, end: number): void {
  if (end < acked) throw new Error(`${acked} acknowledged, ${end} there`)
  if (end > acked) stage.remarks.push(`${end - acked} records twice: retried by the client`)
}

export async function createTopic(stage: Stage): Promise<void> {
  await stage.createTopic()
  const flow = await Flow.start(stage)
  await using made = await stage.sibling('made')
  const configs = { 'max.message.bytes': '20000' }
  await made.driver.call('createTopic', { topic: made.topic, partitions: 3, configs })
  await flow.goesOn()
  const { topics } = await stage.wire.metadata([made.topic])
  equal(topics[0]?.partitions.length, 3)
  equal(await topicConfig(made, 'max.message.bytes'), '20000')
  await made.produce(numbered(10, 'at once'))
  // Java's console producer chooses the partitions itself.
  equal(await endOffsets(made, 3), 10)
  const inFirst = await made.endOffset()
  equal((await made.consume(0, inFirst)).length, inFirst)
  await allArrived(stage, flow)
}

export async function growTopic(stage: Stage): Promise<void> {
  await stage.createTopic()
  const flow = await Flow.start(stage)
  const { topic, wire } = stage
  await stage.administer(
    () => stage.driver.call('growTopic', { topic, partitions: 4 }),
    () => {
      const topics = [{ name: topic, count: 4, assignments: null }]
      return wire.request(createPartitions, 3, { topics, timeoutMs: 10_000, validateOnly: false })
    },
  )
  const { topics } = await wire.metadata([topic])
  equal(topics[0]?.partitions.length, 4)
  const hasFound = async (): Promise<boolean> => {
    const ends = await Promise.all([1, 2, 3].map(partition => stage.endOffset(partition)))
    return Math.max(...ends) > 0
  }
  await stage.until('the producer has found the new partitions', hasFound)
  await allArrived(stage, flow, 4)
}

export async function configureTopic(stage: Stage): Promise<void> {
  await stage.createTopic()
  const flow = await Flow.start(stage)
  const { topic, wire } = stage
  const name = 'max.message.bytes'
  await stage.administer(
    () => stage.driver.call('configureTopic', { topic, configs: { [name]: '50000' } }),
    () => {
      const configs = [{ name, value: '50000', configOperation: 0 }]
      const resources = [{ resourceType: 2, resourceName: topic, configs }]
      return wire.request(incrementalAlterConfigs, 1, { resources, validateOnly: false })
    },
  )
  await flow.goesOn()
  equal(await topicConfig(stage, name), '50000')
  await refused(stage.produce([{ key: null, value: 'x'.repeat(60_000), headers: [] }]))
  await allArrived(stage, flow)
}

export async function deleteTopic(stage: Stage): Promise<void> {
  await stage.createTopic()
  const flow = await Flow.start(stage)
  const { topic, wire } = stage
  await stage.administer(
    () => stage.driver.call('deleteTopic', { topic }),
    () => wire.deleteTopics([topic]),
  )
  const { topics } = await wire.metadata([topic])
  equal(topics[0]?.errorCode, 3)
  await stage.createTopic()
  await flow.goesOn()
  const { failed } = await flow.finish()
  const [first] = await stage.consume(0, 1)
  equal(first?.offset, 0)
  if (failed.length > 0) {
    stage.remarks.push(`records failed while the topic was not there: ${failed[0]!.slice(0, 150)}`)
  }
}

export async function restartBroker(stage: Stage): Promise<void> {
  await stage.createTopic()
  const { ground, topic, client } = stage
  if (client.livesThroughRestart !== null) stage.remarks.push(client.livesThroughRestart)
  const member = new MemberProcess(stage.member(), [
    ground.address,
    topic,
    `over-${topic}`,
    'reader',
  ])
  try {
    const flow = await Flow.start(stage)
    await stage.until('the group reads', () => member.read.length > 0)
    await ground.restartLeader(topic)
    await stage.reconnect()
    await flow.goesOn()
    const { acked, failed } = await flow.finish()
    deepEqual(failed, [])
    const end = await stage.endOffset()
    hasEnough(stage, acked, end)
    const hasAll = (): boolean => {
      if (member.hasEnded) throw new Error('the member ended')
      return new Set(member.read).size === end
    }
    await stage.until('the group has read all', hasAll).catch((error: Error) => {
      const read = new Set(member.read).size
      throw new Error(`${error.message}: ${read} of ${end}; ${member.said.slice(-600)}`)
    })
  } finally {
    await member.crash()
  }
}

export async function topicConfig(
  stage: Stage,
  name: string,
  topic = stage.topic,
): Promise<string | null | undefined> {
  const asked = { resourceType: 2, resourceName: topic, configurationKeys: [name] }
  const { results } = await stage.wire.request(describeConfigs, 4, {
    resources: [asked],
    includeSynonyms: false,
    includeDocumentation: false,
  })
  return results[0]?.configs.find(config => config.name === name)?.value
}
