import { expect, test } from 'vitest'
import { directoryOf, registered, soleBroker } from '../../test/metadata/brokers.ts'
import { inSyncNumbers } from './in-sync-numbers.ts'
import { MetadataImage, type PartitionImage } from './metadata/image.ts'
import type { Partitions } from './partition/partitions.ts'
import { replicaBrokersOf, roleOf } from './partition/role-of.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** How many are under-replicated, of the one partition that broker 1 leads. */
function underReplicated(replicas: number[], inSync: number[], addingReplicas: number[]): number {
  const isr = inSync.map(id => directoryOf(id))
  const partition: PartitionImage = { ...soleBroker, index: 0, replicas, isr, addingReplicas }
  const image = [1, 2, 3, 4]
    .map(id => registered(id))
    .reduce((before, record) => before.apply(record), MetadataImage.empty)
    .apply({
      type: 'topicCreated',
      topicId,
      name: 'topic',
      isInternal: false,
      configs: [],
      partitions: [partition],
    })
  const topic = image.topicById(topicId)!
  const role = roleOf(image, topic, topic.partitions[0]!, replicaBrokersOf(image))
  const led = { role, isLeader: true, isUnderMinInsync: false }
  return inSyncNumbers({ all: () => [led], inSyncCounts: {} } as unknown as Partitions)
    .underReplicated
}

test.each([
  ['all are in sync', [1, 2, 3], [1, 2, 3], [], 0],
  ['one is missing', [1, 2, 3], [1, 2], [], 1],
  ['a reassignment brings one', [1, 2, 3, 4], [1, 2, 3], [4], 0],
  ['it has come, and the move is not over', [1, 2, 3, 4], [1, 2, 3, 4], [4], 0],
  ['one is missing meanwhile', [1, 2, 3, 4], [1, 2], [4], 1],
  ['the one that is brought does not stand for it', [1, 2, 3, 4], [1, 2, 4], [4], 1],
])('under-replicated partitions: %s', (_name, replicas, inSync, adding, count) => {
  expect(underReplicated(replicas, inSync, adding)).toBe(count)
})
