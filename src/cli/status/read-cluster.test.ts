import { expect, test } from 'vitest'
import { zeroUuid } from '../../lib/uuid.ts'
import type { WireClient } from '../../broker/wire/client/client.ts'
import { healthOf } from './health.ts'
import { readCluster } from './read-cluster.ts'

interface Told {
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
  readonly adding?: readonly number[]
  /** Of `min.insync.replicas`, as DescribeConfigs tells it. */
  readonly config?: { readonly value: string; readonly configSource: number }
}

/** A broker that knows topics of one partition each, and says so. */
function clientOf(topics: Readonly<Record<string, Told>>): WireClient {
  const all = Object.entries(topics)
  const answers: Readonly<Record<string, unknown>> = {
    DescribeCluster: { errorCode: 0, clusterId: 'c', controllerId: 0, brokers: [] },
    Metadata: {
      topics: all.map(([name, { replicas, inSync }]) => ({
        name,
        topicId: zeroUuid,
        partitions: [
          { partitionIndex: 0, leaderId: inSync[0], replicaNodes: replicas, isrNodes: inSync },
        ],
      })),
    },
    DescribeConfigs: {
      results: all.map(([resourceName, { config }]) => ({
        resourceName,
        configs: config === undefined ? [] : [{ name: 'min.insync.replicas', ...config }],
      })),
    },
    ListPartitionReassignments: {
      topics: all.flatMap(([name, { adding }]) =>
        adding === undefined
          ? []
          : { name, partitions: [{ partitionIndex: 0, addingReplicas: adding }] },
      ),
    },
  }
  const request = ({ name }: { readonly name: string }) => Promise.resolve(answers[name])
  return { request } as unknown as WireClient
}

async function minsOf(topics: Readonly<Record<string, Told>>): Promise<Record<string, number>> {
  const { partitions } = await readCluster(clientOf(topics))
  return Object.fromEntries(partitions.map(({ topic, inSyncMin }) => [topic, inSyncMin]))
}

const three = { replicas: [0, 1, 2], inSync: [0, 1, 2] }

test('what a partition needs is its own, else that of all brokers, else by its replicas; a file of one broker counts nowhere', async () => {
  expect(
    await minsOf({
      'by.default': three,
      of_topic: { ...three, config: { value: '3', configSource: 1 } },
      'of-all': { ...three, config: { value: '1', configSource: 3 } },
      'of-a-file': { ...three, config: { value: '1', configSource: 4 } },
      'too-many': { replicas: [0, 1], inSync: [0, 1], config: { value: '3', configSource: 1 } },
      alone: { replicas: [0], inSync: [0] },
    }),
  ).toEqual({ 'by.default': 2, of_topic: 3, 'of-all': 1, 'of-a-file': 2, 'too-many': 2, alone: 1 })
})

test('R14: while a replication factor grows the old count decides, and nothing is under its minimum', async () => {
  const growing = { replicas: [0, 1, 2], inSync: [0], adding: [1, 2] }
  const given = { ...growing, config: { value: '2', configSource: 1 } }
  expect(await minsOf({ growing, given })).toEqual({ growing: 1, given: 1 })
  expect(healthOf(await readCluster(clientOf({ growing, given }))).underMinCount).toBe(0)
})
