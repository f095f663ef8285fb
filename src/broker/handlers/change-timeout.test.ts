import { expect, test } from 'vitest'
import type { Cluster } from '../cluster/cluster.ts'
import { defaultSettings } from '../config/settings.ts'
import { LiveConfiguration } from '../config/live-configuration.ts'
import { createTopicsHandler } from './19-create-topics.ts'
import { deleteTopicsHandler } from './20-delete-topics.ts'
import { createPartitionsHandler } from './37-create-partitions.ts'
import type { RequestContext } from './handler.ts'

/** What each change is asked to wait for at most. */
const waits: unknown[] = []
const cluster = {
  createTopics: async (_: unknown, __: boolean, timeoutMs: number) => (waits.push(timeoutMs), []),
  deleteTopics: async (_: unknown, timeoutMs: number) => (waits.push(timeoutMs), []),
  createPartitions: async (_: unknown, __: boolean, timeoutMs: number) => {
    waits.push(timeoutMs)
    return []
  },
} as unknown as Cluster

test('changes of topics wait as long as the client says, and a while where it says nothing', async () => {
  const settled = async (): Promise<void> => {}
  const configuration = new LiveConfiguration({ settings: defaultSettings(), given: new Map() })
  const create = createTopicsHandler({ cluster, configuration, settled })
  const remove = deleteTopicsHandler(cluster, defaultSettings())
  const grow = createPartitionsHandler({ cluster, settled })
  const context = { apiVersion: 6 } as RequestContext
  for (const timeoutMs of [1_234, 0, -1]) {
    await create.handle({ topics: [], validateOnly: false, timeoutMs }, context)
    await remove.handle({ topics: [], topicNames: [], timeoutMs }, context)
    await grow.handle({ topics: [], validateOnly: false, timeoutMs }, context)
  }
  expect(waits).toEqual([1_234, 1_234, 1_234, 5_000, 5_000, 5_000, 5_000, 5_000, 5_000])
})
