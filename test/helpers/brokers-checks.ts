import { expect } from 'vitest'
import type { Cluster, TopicWish } from '../../src/broker/cluster/cluster.ts'
import type { BrokersWorld } from './brokers-world.ts'

function wish(name: string): TopicWish {
  return { name, partitionCount: -1, replicationFactor: -1, assignments: [], configs: [] }
}

/** One topic of one partition; its error, NONE where it is there. */
export async function createTopic(
  world: BrokersWorld,
  cluster: Cluster,
  name: string,
  timeoutMs = 5_000,
) {
  let error: string | null = null
  void cluster.createTopics([wish(name)], false, timeoutMs).then(([one]) => (error = one!.error))
  await world.until(() => error !== null)
  return error!
}

/** Everybody comes to know the log to its end. */
export async function expectSame(world: BrokersWorld): Promise<void> {
  const end = (): number => world.medium.cursor().nextSequence - 1
  const clusters = [...world.nodes.values()].flatMap(({ cluster }) => cluster ?? [])
  await world.until(() => clusters.every(({ image }) => image.sequence === end()))
  for (const { failures } of world.nodes.values()) expect(failures).toEqual([])
}
