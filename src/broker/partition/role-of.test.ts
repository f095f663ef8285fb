import { expect, test } from 'vitest'
import { directoryOf, registered, soleBroker } from '../../../test/metadata/brokers.ts'
import { MetadataImage, type PartitionImage } from '../metadata/image.ts'
import { isUnderReplicated, replicaBrokersOf, roleOf } from './role-of.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** The role that brokers are given of such a partition. */
function roleWith(replicas: number[], inSync: number[], addingReplicas: number[]) {
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
  return roleOf(image, topic, topic.partitions[0]!, replicaBrokersOf(image))
}

test.each([
  { name: 'all are in sync', replicas: [1, 2, 3], isr: [1, 2, 3], adding: [], isSo: false },
  { name: 'one is missing', replicas: [1, 2, 3], isr: [1, 2], adding: [], isSo: true },
  { name: 'one is brought', replicas: [1, 2, 3, 4], isr: [1, 2, 3], adding: [4], isSo: false },
  { name: 'it has come', replicas: [1, 2, 3, 4], isr: [1, 2, 3, 4], adding: [4], isSo: false },
  {
    name: 'one is missing meanwhile',
    replicas: [1, 2, 3, 4],
    isr: [1, 2],
    adding: [4],
    isSo: true,
  },
  {
    name: 'who came is no substitute',
    replicas: [1, 2, 3, 4],
    isr: [1, 2, 4],
    adding: [4],
    isSo: true,
  },
])('a partition is under-replicated or not: $name', ({ replicas, isr, adding, isSo }) => {
  expect(isUnderReplicated(roleWith(replicas, isr, adding))).toBe(isSo)
})
