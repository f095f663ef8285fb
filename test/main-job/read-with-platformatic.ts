import { Connection, fetchV12, listOffsetsV8 } from '@platformatic/kafka'
import { OrderByKey, PartitionDigest, topicDigest, type ReadResult } from './digest.ts'

/** Reads every partition from its beginning to its end with @platformatic/kafka, by assignment. */
export async function readWithPlatformatic(
  address: string,
  topic: string,
  partitionCount: number,
): Promise<ReadResult> {
  const startedAt = performance.now()
  const connection = new Connection('main-job')
  const [host, port] = address.split(':')
  await connection.connect(host!, Number(port))
  const order = new OrderByKey()
  const parts: PartitionDigest[] = []
  try {
    for (let partition = 0; partition < partitionCount; partition++) {
      parts.push(await readPartition(connection, { topic, partition, order }))
    }
  } finally {
    await connection.close()
  }
  return {
    digest: topicDigest(parts.map(part => part.end())),
    recordCount: parts.reduce((sum, part) => sum + part.recordCount, 0),
    gapCount: parts.reduce((sum, part) => sum + part.gapCount, 0),
    order,
    seconds: (performance.now() - startedAt) / 1000,
  }
}

interface Reading {
  readonly topic: string
  readonly partition: number
  readonly order: OrderByKey
}

async function readPartition(connection: Connection, reading: Reading): Promise<PartitionDigest> {
  const start = await offsetAt(connection, reading, -2n)
  const end = await offsetAt(connection, reading, -1n)
  const digest = new PartitionDigest(reading.partition, start)
  while (digest.nextOffset < end) {
    const before = digest.nextOffset
    await readOnce(connection, reading, digest)
    if (digest.nextOffset === before)
      throw new Error(`partition ${reading.partition} gives nothing at ${before}`)
  }
  return digest
}

async function readOnce(
  connection: Connection,
  { topic, partition, order }: Reading,
  digest: PartitionDigest,
): Promise<void> {
  const wanted = {
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: BigInt(digest.nextOffset),
    lastFetchedEpoch: -1,
    partitionMaxBytes: 4 * 1024 * 1024,
  }
  const topics = [{ topicId: topic, partitions: [wanted] }]
  const response = await fetchV12.api.async(
    connection,
    500,
    1,
    16 * 1024 * 1024,
    0,
    0,
    -1,
    topics,
    [],
    '',
  )
  for (const batch of response.responses[0]?.partitions[0]?.records ?? []) {
    for (const record of batch.records) {
      const offset = Number(batch.firstOffset) + record.offsetDelta
      if (offset < digest.nextOffset) continue
      digest.add({ offset, key: record.key, value: record.value })
      if (record.key !== null && record.value !== null)
        order.add(record.key.toString(), record.value)
    }
  }
}

async function offsetAt(
  connection: Connection,
  { topic, partition }: Reading,
  timestamp: bigint,
): Promise<number> {
  const partitions = [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }]
  const response = await listOffsetsV8.api.async(connection, -1, 0, [{ name: topic, partitions }])
  return Number(response.topics[0]!.partitions[0]!.offset)
}
