import type { Uuid } from '../../../lib/uuid.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../../metadata/image.ts'
import { brokersOf, isActive, isFrozen } from '../../metadata/replicas.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import type { Command, PartitionAlteration, PartitionAlterationResult } from './commands.ts'
import { type Decision, isMistake, type Mistake, mistake } from './decision.ts'
import { changedPartition } from './elections.ts'
import { applied } from './partition-changes.ts'
import { refusalOf } from './refusals.ts'

type AlterPartitions = Extract<Command, { readonly type: 'alterPartitions' }>

interface Found {
  readonly topic: TopicImage
  readonly partition: PartitionImage
}

/**
 * In-sync sets as their leaders want them (I-10, durability.md R7). Everything that a wish builds on is compared with the log as it is at
 * this append: the epochs of partition and leader, and the registration in which each member fetched. A wish for what
 * is there already raises the partition epoch all the same: with it a leader makes sure that an earlier wish, whose answer
 * was lost, comes too late.
 */
export function decideAlterPartitions(before: MetadataImage, command: AlterPartitions): Decision {
  const { brokerId, brokerEpoch } = command
  const epoch = before.brokers.get(brokerId)?.epoch
  if (epoch !== brokerEpoch) {
    const message = `Broker ${brokerId} is registered in epoch ${epoch ?? -1}, and not in ${brokerEpoch}.`
    return {
      records: [],
      image: before,
      answer: refusalOf({ error: 'STALE_BROKER_EPOCH', message }),
    }
  }
  const changed = new Map<Uuid, Map<number, PartitionImage>>()
  const results = command.partitions.map((wish): PartitionAlterationResult => {
    const found = find(before, changed, wish)
    const after = isMistake(found) ? found : alteration(before, found, { wish, brokerId })
    if (isMistake(after)) return refused(wish, after)
    const states = changed.get(wish.topicId) ?? new Map<number, PartitionImage>()
    changed.set(wish.topicId, states.set(wish.index, after))
    return told(before, wish.topicId, after)
  })
  const records: MetadataRecord[] = Array.from(changed, ([topicId, states]) => ({
    type: 'partitionsChanged',
    topicId,
    partitions: [...states.values()],
  }))
  return {
    records,
    image: applied(before, records),
    answer: { type: 'partitionsAltered', results },
  }
}

/** As those wishes of the command left it that came before. */
function find(
  image: MetadataImage,
  changed: ReadonlyMap<Uuid, ReadonlyMap<number, PartitionImage>>,
  { topicId, index }: PartitionAlteration,
): Found | Mistake {
  const topic = image.topicById(topicId)
  if (topic === undefined) return mistake('UNKNOWN_TOPIC_ID', `There is no topic ${topicId}.`)
  const partition = changed.get(topicId)?.get(index) ?? topic.partitions[index]
  if (partition !== undefined) return { topic, partition }
  return mistake('UNKNOWN_TOPIC_OR_PARTITION', `Topic '${topic.name}' has no partition ${index}.`)
}

interface Wish {
  readonly wish: PartitionAlteration
  readonly brokerId: number
}

function alteration(
  image: MetadataImage,
  { topic, partition }: Found,
  { wish, brokerId }: Wish,
): PartitionImage | Mistake {
  const wrong = epochMistake(partition, wish, brokerId) ?? setMistake(image, partition, wish)
  if (wrong !== null) return wrong
  const isr = wish.isr.map(member => image.brokers.get(member.brokerId)!.directoryId)
  const after = changedPartition(image, topic, partition, { isr, isRecovering: wish.isRecovering })
  if (after !== partition) return after
  return { ...partition, partitionEpoch: partition.partitionEpoch + 1 }
}

function epochMistake(
  { leader, leaderEpoch, partitionEpoch }: PartitionImage,
  wish: PartitionAlteration,
  brokerId: number,
): Mistake | null {
  if (wish.leaderEpoch > leaderEpoch || wish.partitionEpoch > partitionEpoch) {
    return mistake(
      'NOT_CONTROLLER',
      `The partition is in epoch ${leaderEpoch} of its leader and ${partitionEpoch} of its own here, and the request knows later ` +
        'ones: somebody else is the controller.',
    )
  }
  if (wish.leaderEpoch < leaderEpoch) {
    return mistake(
      'FENCED_LEADER_EPOCH',
      `The leader epoch is ${leaderEpoch}, and not ${wish.leaderEpoch}.`,
    )
  }
  if (leader !== brokerId) {
    return mistake('INVALID_REQUEST', `Broker ${brokerId} does not lead: ${leader} does.`)
  }
  if (wish.partitionEpoch === partitionEpoch) return null
  return mistake(
    'INVALID_UPDATE_VERSION',
    `The partition epoch is ${partitionEpoch}, and not ${wish.partitionEpoch}.`,
  )
}

function setMistake(
  image: MetadataImage,
  { leader, replicas, isRecovering, isr: before }: PartitionImage,
  { isr, ...wish }: PartitionAlteration,
): Mistake | null {
  const ids = isr.map(({ brokerId }) => brokerId)
  const isSubset = ids.every((id, at) => replicas.includes(id) && ids.indexOf(id) === at)
  if (!isSubset || !ids.includes(leader)) {
    return mistake(
      'INVALID_REQUEST',
      `The in-sync set [${ids.join()}] is none of replicas [${replicas.join()}] with leader ${leader}.`,
    )
  }
  if (wish.isRecovering && (ids.length > 1 || !isRecovering)) {
    return mistake('INVALID_REQUEST', 'A leader that recovers is in sync with nobody else.')
  }
  const leaves = brokersOf(image, before).find(id => !ids.includes(id))
  if (leaves !== undefined && isFrozen(image)) {
    return mistake(
      'INELIGIBLE_REPLICA',
      `The cluster is frozen: broker ${leaves} stays in sync until it wakes.`,
    )
  }
  const ineligible = isr.find(({ brokerId, brokerEpoch }) => {
    const broker = image.brokers.get(brokerId)
    return !isActive(broker) || broker.epoch !== brokerEpoch
  })
  if (ineligible === undefined) return null
  return mistake(
    'INELIGIBLE_REPLICA',
    `Broker ${ineligible.brokerId} is fenced, stops, or was started again since epoch ${ineligible.brokerEpoch}.`,
  )
}

function refused({ topicId, index }: PartitionAlteration, why: Mistake): PartitionAlterationResult {
  const nothing = { leader: -1, leaderEpoch: -1, partitionEpoch: -1, isr: [], isRecovering: false }
  return { topicId, index, ...why, ...nothing }
}

function told(
  image: MetadataImage,
  topicId: Uuid,
  { index, leader, leaderEpoch, partitionEpoch, isr, isRecovering }: PartitionImage,
): PartitionAlterationResult {
  return {
    topicId,
    index,
    error: 'NONE',
    message: null,
    leader,
    leaderEpoch,
    partitionEpoch,
    isr: brokersOf(image, isr),
    isRecovering,
  }
}
