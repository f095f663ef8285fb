import type { Uuid } from '../../../lib/uuid.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import type { Command, ReassignmentResult, ReassignmentWish } from './commands.ts'
import { type Decision, isMistake, type Mistake, mistake } from './decision.ts'
import { changedPartition } from './elections.ts'
import { applied } from './partition-changes.ts'
import type { Placement } from './reassignment-end.ts'

type AlterReassignments = Extract<Command, { readonly type: 'alterReassignments' }>

/**
 * Partitions that are to lie elsewhere (KIP-455): first everybody holds them, and when those that came are in sync the others go, in one
 * record (I-26, durability.md R14). What needs no copy is done at once.
 */
export function decideAlterReassignments(
  before: MetadataImage,
  { wishes, mayChangeFactor = true }: AlterReassignments,
): Decision {
  const changed = new Map<Uuid, Map<number, PartitionImage>>()
  const results = wishes.map((wish): ReassignmentResult => {
    const { topic: name, index } = wish
    const topic = before.topicByName(name)
    const partition = topic && (changed.get(topic.id)?.get(index) ?? topic.partitions[index])
    const after =
      topic === undefined || partition === undefined
        ? mistake(
            'UNKNOWN_TOPIC_OR_PARTITION',
            `There is no partition ${index} of topic '${name}'.`,
          )
        : reassigned(before, { topic, partition, mayChangeFactor }, wish.replicas)
    if (isMistake(after)) return { topic: name, index, ...after }
    if (after !== partition) {
      const states = changed.get(topic!.id) ?? new Map<number, PartitionImage>()
      changed.set(topic!.id, states.set(index, after))
    }
    return { topic: name, index, error: 'NONE', message: null }
  })
  const records: MetadataRecord[] = Array.from(changed, ([topicId, states]) => ({
    type: 'partitionsChanged',
    topicId,
    partitions: [...states.values()],
  }))
  const answer = { type: 'reassignmentsAltered', results } as const
  return { records, image: applied(before, records), answer }
}

interface Found {
  readonly topic: TopicImage
  readonly partition: PartitionImage
  readonly mayChangeFactor: boolean
}

function reassigned(
  image: MetadataImage,
  { topic, partition, mayChangeFactor }: Found,
  target: ReassignmentWish['replicas'],
): PartitionImage | Mistake {
  const placement =
    target === null
      ? calledOff(image, partition)
      : (problemOf(image, { topic, partition, mayChangeFactor }, target) ??
        towards(partition, target))
  if (isMistake(placement)) return placement
  return changedPartition(image, topic, partition, { placement })
}

/** Who held it before the reassignment that is under way; all of them, where none is. */
function settledReplicas({ replicas, addingReplicas }: PartitionImage): number[] {
  return replicas.filter(id => !addingReplicas.includes(id))
}

function towards(partition: PartitionImage, target: readonly number[]): Placement {
  const settled = settledReplicas(partition)
  const leaving = partition.replicas.filter(id => !target.includes(id))
  const replicas = [...target, ...leaving]
  return {
    replicas,
    // Who came by an earlier reassignment that is none any more goes like any other, and did not hold it before this one either.
    addingReplicas: replicas.filter(id => !settled.includes(id)),
    removingReplicas: leaving,
  }
}

function calledOff(image: MetadataImage, partition: PartitionImage): Placement | Mistake {
  const { addingReplicas, removingReplicas } = partition
  if (addingReplicas.length === 0 && removingReplicas.length === 0) {
    const message = 'No reassignment of the partition is under way.'
    return mistake('NO_REASSIGNMENT_IN_PROGRESS', message)
  }
  const replicas = settledReplicas(partition)
  const isHeld = partition.isr.some(id => {
    const broker = image.brokerOfDirectory(id)
    return broker !== undefined && replicas.includes(broker.id)
  })
  if (isHeld) return { replicas, addingReplicas: [], removingReplicas: [] }
  return mistake(
    'INVALID_REPLICA_ASSIGNMENT',
    `The reassignment cannot be called off: of brokers [${replicas.join()}], which held the partition before, none is in sync.`,
  )
}

function problemOf(
  image: MetadataImage,
  { topic, partition, mayChangeFactor }: Found,
  target: readonly number[],
): Mistake | null {
  const what = `Partition ${partition.index} of topic '${topic.name}'`
  const wrong = (problem: string): Mistake =>
    mistake('INVALID_REPLICA_ASSIGNMENT', `${what} cannot be there: ${problem}.`)
  if (target.length === 0) return wrong('no broker is named')
  if (new Set(target).size < target.length) return wrong('a broker is named twice')
  const absent = target.find(id => !image.brokers.has(id))
  if (absent !== undefined) return wrong(`broker ${absent} is not registered`)
  // Whoever is away is waited for. What is changed is the number that a reassignment under way leads to (KIP-860).
  const { replicas, removingReplicas } = partition
  const factor = replicas.filter(id => !removingReplicas.includes(id)).length
  if (mayChangeFactor || target.length === factor) return null
  return mistake(
    'INVALID_REPLICATION_FACTOR',
    `${what} has ${factor} replicas, or is on its way to so many, and would have ${target.length}; the request does not allow that ` +
      '(allowReplicationFactorChange).',
  )
}
