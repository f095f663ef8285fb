import { encodeBatch } from '../../../src/broker/log/batch/batch.ts'
import {
  deleteRecords,
  describeProducers,
  fetch,
  initProducerId,
  listOffsets,
  offsetForLeaderEpoch,
  produce,
} from '../../../src/broker/wire/messages/index.ts'
import type { NamedTopic, Session } from '../session.ts'
import { sweep } from '../sweep.ts'

/** 14 November 2023: old enough to be past whenever this runs. */
export const someTime = 1_700_000_000_000

/** A batch of small records, one a second from `someTime` on. */
export function batchOf(values: readonly string[], baseTimestamp = someTime): Uint8Array {
  const records = values.map((value, at) => ({
    key: `key-${at}`,
    value,
    timestampDelta: at * 1000,
  }))
  return encodeBatch({ records, baseTimestamp })
}

/** A topic by its name, or by name and id, for the versions that have ids in their place. */
export type Topic = string | NamedTopic

function topicOf(topic: Topic): Partial<NamedTopic> & { readonly name: string } {
  return typeof topic === 'string' ? { name: topic } : topic
}

/** A produce of one record set to one partition. */
export function produceBody(
  topic: Topic,
  records: Uint8Array | null,
  { partition = 0, acks = -1, transactionalId = null }: ProduceOptions = {},
): Record<string, unknown> {
  const topicData = [{ ...topicOf(topic), partitionData: [{ index: partition, records }] }]
  return { transactionalId, acks, timeoutMs: 30_000, topicData }
}

interface ProduceOptions {
  readonly partition?: number
  readonly acks?: number
  readonly transactionalId?: string | null
}

/** A fetch of one partition that does not wait. */
export function fetchBody(
  of: Topic,
  { partition = 0, offset = 0, ...rest }: FetchOptions = {},
): Record<string, unknown> {
  const partitions = [{ partition, fetchOffset: offset, partitionMaxBytes: 1 << 20 }]
  const { name: topic, ...id } = topicOf(of)
  const topics = [{ topic, ...id, partitions }]
  return { maxWaitMs: 0, minBytes: 0, maxBytes: 1 << 20, topics, ...rest }
}

interface FetchOptions {
  readonly partition?: number
  readonly offset?: number | bigint
  readonly [field: string]: unknown
}

/** A topic with three batches of two records. */
export async function threeBatches(session: Session, name: string): Promise<string> {
  const topic = await session.topic(name)
  for (const batch of ['a', 'b', 'c']) {
    const at = someTime + 10_000 * (batch.charCodeAt(0) - 97)
    await session.request(produce, 9, produceBody(topic, batchOf([`${batch}1`, `${batch}2`], at)))
  }
  return topic
}

export const dataSweeps = [
  ...sweep({
    api: produce,
    changes: true,
    base: async (session, at) => {
      const topic = await session.named(await session.topic(at))
      return produceBody(topic, batchOf(['one', 'two']))
    },
    // With acks=0 nothing is answered; requests/produce.ts asks for that.
    except: ['acks'],
    unanswered: 'topicData.partitionData.records = null',
  }),
  ...sweep({
    api: fetch,
    base: async (session, at) => {
      return fetchBody(await session.named(await threeBatches(session, at)))
    },
  }),
  ...sweep({
    api: listOffsets,
    base: async (session, at) => {
      const partitions = [{ partitionIndex: 0, timestamp: someTime + 10_500 }]
      const topics = [{ name: await threeBatches(session, at), partitions }]
      return { replicaId: -1, isolationLevel: 0, topics, timeoutMs: 30_000 }
    },
    except: ['timeoutMs'],
  }),
  ...sweep({
    api: offsetForLeaderEpoch,
    base: async (session, at) => {
      const partitions = [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }]
      return { replicaId: -1, topics: [{ topic: await threeBatches(session, at), partitions }] }
    },
  }),
  ...sweep({
    api: deleteRecords,
    changes: true,
    base: async (session, at) => {
      const partitions = [{ partitionIndex: 0, offset: 3 }]
      const topics = [{ name: await threeBatches(session, at), partitions }]
      return { topics, timeoutMs: 30_000 }
    },
    except: ['timeoutMs'],
  }),
  ...sweep({
    api: initProducerId,
    base: () => ({ transactionalId: null, transactionTimeoutMs: 60_000 }),
    // Transactions are asked for in requests/idempotence.ts.
    except: ['transactionalId', 'enable2Pc', 'keepPreparedTxn'],
  }),
  ...sweep({
    api: describeProducers,
    base: async (session, at) => {
      const topic = await session.topic(at)
      const records = [{ key: 'a', value: 'b' }]
      const batch = { records, baseTimestamp: someTime, producerEpoch: 3, baseSequence: 7 }
      const body = produceBody(topic, encodeBatch({ ...batch, producerId: 4711 }))
      await session.request(produce, 9, body)
      return { topics: [{ name: topic, partitionIndexes: [0] }] }
    },
  }),
]
