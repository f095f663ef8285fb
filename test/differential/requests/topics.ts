import {
  createPartitions,
  createTopics,
  deleteTopics,
  describeTopicPartitions,
  metadata,
} from '../../../src/broker/wire/messages/index.ts'
import type { Json } from '../json.ts'
import { pickText } from '../session.ts'
import { sweep } from '../sweep.ts'

export const topicSweeps = [
  ...sweep({
    api: metadata,
    base: async (session, at) => {
      const topics = [{ name: await session.topic(at, { partitions: 2 }) }]
      const asked = {
        includeClusterAuthorizedOperations: true,
        includeTopicAuthorizedOperations: true,
      }
      return { topics, allowAutoTopicCreation: false, ...asked }
    },
    // Version 0 has no way to say that a topic shall not be made.
    after: async (session, label, body) => {
      const name = pickText(body['topics'] as Json, 0, 'name')
      if (label.startsWith('v0') && label.includes('nothing has')) await session.seen(name, true)
    },
  }),
  ...sweep({
    api: createTopics,
    changes: true,
    base: (session, at) => {
      const configs = [{ name: 'retention.ms', value: '3600000' }]
      const topic = { name: session.own(at), numPartitions: 1, replicationFactor: 1, configs }
      return { topics: [topic], timeoutMs: 30_000, validateOnly: false }
    },
    except: ['timeoutMs'],
  }),
  ...sweep({
    api: deleteTopics,
    changes: true,
    base: async (session, at) => {
      const name = await session.topic(at)
      return { topics: [{ name }], topicNames: [name], timeoutMs: 30_000 }
    },
    except: ['timeoutMs'],
  }),
  ...sweep({
    api: createPartitions,
    changes: true,
    base: async (session, at) => {
      const topics = [{ name: await session.topic(at), count: 3, assignments: null }]
      return { topics, timeoutMs: 30_000, validateOnly: false }
    },
    except: ['timeoutMs'],
  }),
  ...sweep({
    api: describeTopicPartitions,
    base: async (session, at) => {
      const name = await session.topic(at, { partitions: 3 })
      return {
        topics: [{ name }],
        responsePartitionLimit: 2,
        cursor: { topicName: name, partitionIndex: 1 },
      }
    },
  }),
]
