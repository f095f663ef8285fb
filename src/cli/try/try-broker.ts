import type { Address, Env } from '../../env/env.ts'
import { batchOverheadBytes, encodeBatch } from '../../broker/log/batch/batch.ts'
import { RecordCursor } from '../../broker/log/batch/records.ts'
import { AnsweredError, refuseErrors } from '../../broker/wire/client/client-error.ts'
import { WireClient } from '../../broker/wire/client/client.ts'
import { retrying } from '../../broker/wire/client/retrying.ts'
import {
  createTopics,
  deleteTopics,
  fetch,
  metadata,
  produce,
} from '../../broker/wire/messages/index.ts'
import { present } from '../../lib/assert.ts'
import { zeroUuid } from '../../lib/uuid.ts'

export type TryEnv = Pick<Env, 'network' | 'clock' | 'random'>

/** What a broker did, and how long it took: milliseconds for the answer to all records at once. */
export interface Tried {
  /** The address that the bootstrap server told for the leader. */
  readonly leader: Address
  readonly recordCount: number
  readonly produceMs: number
  readonly consumeMs: number
}

const recordCount = 100
const requestTimeoutMs = 10_000

/**
 * Makes a topic of its own, produces to it with acks=all, consumes it again from the broker that metadata names as the
 * leader, compares, and deletes the topic. What fails and may pass is tried again for `waitMs` milliseconds.
 * @throws Error with what did not work
 */
export async function tryBroker(env: TryEnv, bootstrap: Address, waitMs: number): Promise<Tried> {
  const topic = `logcluster-try-${suffix(env)}`
  const options = { clock: env.clock, random: env.random, timeoutMs: waitMs }
  return retrying(options, async () => {
    using client = await connect(env, bootstrap)
    await create(client, topic)
    const leader = await leaderOf(client, topic)
    try {
      using atLeader = await connect(env, leader)
      return { leader, recordCount, ...(await roundTrip(env, atLeader, topic)) }
    } finally {
      await remove(client, topic)
    }
  })
}

function suffix({ random }: TryEnv): string {
  return [...random.bytes(6)].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

function connect(env: TryEnv, address: Address): Promise<WireClient> {
  return WireClient.connect(env, address, { clientId: 'logcluster-try', requestTimeoutMs })
}

async function create(client: WireClient, topic: string): Promise<void> {
  const wish = {
    name: topic,
    numPartitions: 1,
    replicationFactor: -1,
    assignments: [],
    configs: [],
  }
  const answer = await client.request(createTopics, {
    topics: [wish],
    timeoutMs: requestTimeoutMs,
    validateOnly: false,
  })
  try {
    refuseErrors(present(answer.topics[0], 'an answer').errorCode, `topic ${topic}`)
  } catch (error) {
    const isThere = error instanceof AnsweredError && error.error === 'TOPIC_ALREADY_EXISTS'
    // An attempt that broke off may have made it.
    if (!isThere) throw error
  }
}

async function leaderOf(client: WireClient, topic: string): Promise<Address> {
  const answer = await client.request(metadata, {
    topics: [{ name: topic, topicId: zeroUuid }],
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
  const told = present(answer.topics[0], 'an answer')
  refuseErrors(told.errorCode, `topic ${topic}`)
  const partition = present(told.partitions[0], 'a partition')
  refuseErrors(partition.errorCode, `partition 0 of ${topic}`)
  const leader = answer.brokers.find(({ nodeId }) => nodeId === partition.leaderId)
  if (leader === undefined)
    throw new AnsweredError('LEADER_NOT_AVAILABLE', `partition 0 of ${topic}`)
  return { host: leader.host, port: leader.port }
}

/** Produces and consumes on a connection to the leader. */
async function roundTrip(
  env: TryEnv,
  leader: WireClient,
  topic: string,
): Promise<Pick<Tried, 'produceMs' | 'consumeMs'>> {
  const values = Array.from({ length: recordCount }, (_, index) => `record ${index} of ${topic}`)
  const startMs = env.clock.monotonic()
  const baseOffset = await write(env, leader, { topic, values })
  const writtenMs = env.clock.monotonic()
  const read = await readFrom(leader, topic, baseOffset)
  const readMs = env.clock.monotonic()
  const wrong = values.findIndex((value, index) => read[index] !== value)
  if (wrong >= 0 || read.length !== recordCount) {
    throw new Error(
      `${read.length} records came back of ${recordCount} that were produced, and record ${wrong} is another`,
    )
  }
  return { produceMs: writtenMs - startMs, consumeMs: readMs - writtenMs }
}

/** Returns the offset of the first record. */
async function write(
  env: TryEnv,
  leader: WireClient,
  { topic, values }: { readonly topic: string; readonly values: readonly string[] },
): Promise<number> {
  const batch = encodeBatch({
    records: values.map(value => ({ value })),
    baseTimestamp: env.clock.now(),
  })
  const answer = await leader.request(
    produce,
    {
      acks: -1,
      timeoutMs: requestTimeoutMs,
      topicData: [{ name: topic, partitionData: [{ index: 0, records: batch }] }],
    },
    { version: byNameMax.produce },
  )
  const told = present(answer.responses[0]?.partitionResponses[0], 'an answer')
  refuseErrors(told.errorCode, `producing to ${topic}`)
  return told.baseOffset
}

/** The values of the batch at `offset`, which has all that was produced at once. */
async function readFrom(leader: WireClient, topic: string, offset: number): Promise<string[]> {
  const partition = { partition: 0, fetchOffset: offset, partitionMaxBytes: 2 ** 20 }
  const answer = await leader.request(
    fetch,
    {
      maxWaitMs: 5000,
      minBytes: 1,
      isolationLevel: 0,
      sessionId: 0,
      topics: [{ topic, partitions: [partition] }],
      forgottenTopicsData: [],
      rackId: '',
    },
    { version: byNameMax.fetch },
  )
  refuseErrors(answer.errorCode, `consuming ${topic}`)
  const told = present(answer.responses[0]?.partitions[0], 'an answer')
  refuseErrors(told.errorCode, `consuming ${topic}`)
  const batch = present(told.records, 'records')
  const cursor = new RecordCursor(batch.subarray(batchOverheadBytes), recordCount)
  const values: string[] = []
  const text = new TextDecoder()
  while (cursor.next()) values.push(text.decode(cursor.value ?? undefined))
  return values
}

/** The last versions that name topics: here is nothing that knows their ids. */
const byNameMax = { produce: 12, fetch: 12 }

/** Best effort: what went wrong before is worth more than what goes wrong here. */
async function remove(client: WireClient, topic: string): Promise<void> {
  const wish = { topics: [{ name: topic, topicId: zeroUuid }], topicNames: [topic] }
  await client.request(deleteTopics, { ...wish, timeoutMs: requestTimeoutMs }).catch(() => {})
}
