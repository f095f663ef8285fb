import type { Uuid } from '../../../lib/uuid.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../../metadata/image.ts'
import { isActive, isDrained } from '../../metadata/replicas.ts'
import type { MetadataRecord, RecordOf } from '../../metadata/records.ts'
import type { Command, ElectionResult, LogEnd, PartitionId } from './commands.ts'
import { type Decision, isMistake, type Mistake, mistake } from './decision.ts'
import { activeReplicas, changedPartition, type Election, type Replica } from './elections.ts'
import { applied, changesOf } from './partition-changes.ts'

type ElectLeaders = Extract<Command, { readonly type: 'electLeaders' }>

/** Elections by command (I-24, KIP-460; durability.md R9): of the partitions that are named, or of all that need it. */
export function decideElectLeaders(before: MetadataImage, command: ElectLeaders): Decision {
  const elected = new Map<Uuid, Map<number, PartitionImage>>()
  const results: ElectionResult[] = []
  // A cluster has many partitions, and each of them several ends.
  const ends = Map.groupBy(command.ends ?? [], keyOf)
  for (const id of command.partitions ?? allOf(before)) {
    const own = ends.get(keyOf(id)) ?? []
    const after = afterElection(before, { kind: command.kind, id, ends: own })
    const isUnneeded = isMistake(after) && after.error === 'ELECTION_NOT_NEEDED'
    if (command.partitions === null && isUnneeded) continue
    const result = isMistake(after) ? after : { error: 'NONE' as const, message: null }
    results.push({ ...id, ...result })
    if (isMistake(after)) continue
    const ofTopic = elected.get(id.topicId) ?? new Map<number, PartitionImage>()
    elected.set(id.topicId, ofTopic.set(id.index, after))
  }
  const records: MetadataRecord[] = Array.from(elected, ([topicId, partitions]) => ({
    type: 'partitionsChanged',
    topicId,
    partitions: [...partitions.values()],
  }))
  const answer = { type: 'leadersElected', results } as const
  return { records, image: applied(before, records), answer }
}

/** Leaders go back to the first replica of each partition where that is in sync (I-24). */
export function balanced(image: MetadataImage): RecordOf<'partitionsChanged'>[] {
  return changesOf(image, partition =>
    partition.leader >= 0 && isAwayFromPreferred(image, partition)
      ? { election: 'preferred' }
      : null,
  )
}

/** What prefers the broker, and has all that it needs of it, is led by it again. */
export function givenBack(image: MetadataImage, brokerId: number): RecordOf<'partitionsChanged'>[] {
  return changesOf(image, partition =>
    partition.replicas[0] === brokerId &&
    partition.leader >= 0 &&
    isAwayFromPreferred(image, partition)
      ? { election: 'preferred' }
      : null,
  )
}

function isAwayFromPreferred(image: MetadataImage, { leader, replicas, isr }: PartitionImage) {
  const preferred = image.brokers.get(replicas[0]!)
  if (leader === replicas[0] || !isActive(preferred) || isDrained(image, preferred.id)) return false
  return isr.includes(preferred.directoryId)
}

function* allOf(image: MetadataImage): Iterable<PartitionId> {
  for (const { id: topicId, partitions } of image.topics()) {
    for (const { index } of partitions) yield { topicId, index }
  }
}

/** For one partition, with what is told of its logs. */
interface Wish extends Pick<ElectLeaders, 'kind'> {
  readonly id: PartitionId
  readonly ends: readonly LogEnd[]
}

function keyOf({ topicId, index }: PartitionId): string {
  return `${topicId} ${index}`
}

function afterElection(image: MetadataImage, { kind, id, ends }: Wish): PartitionImage | Mistake {
  const { topicId, index } = id
  const topic = image.topicById(topicId)
  const partition = topic?.partitions[index]
  if (topic === undefined || partition === undefined) {
    return mistake(
      'UNKNOWN_TOPIC_OR_PARTITION',
      `There is no partition ${index} of topic ${topicId}.`,
    )
  }
  if (kind === 'preferred') return preferred(image, topic, partition)
  if (partition.leader >= 0) {
    return mistake('ELECTION_NOT_NEEDED', `Broker ${partition.leader} leads the partition.`)
  }
  const election = kind === 'unclean' ? 'unclean' : longest(image, partition, ends)
  if (typeof election === 'object') return election
  const after = changedPartition(image, topic, partition, { election })
  return after.leader >= 0 ? after : nobodyLives
}

function preferred(
  image: MetadataImage,
  topic: TopicImage,
  partition: PartitionImage,
): PartitionImage | Mistake {
  const { leader, replicas } = partition
  if (leader === replicas[0]) {
    return mistake('ELECTION_NOT_NEEDED', `Broker ${leader}, the preferred one, leads already.`)
  }
  if (isAwayFromPreferred(image, partition)) {
    return changedPartition(image, topic, partition, { election: 'preferred' })
  }
  const why = isDrained(image, replicas[0]!) ? 'is being drained' : 'is not in sync'
  return mistake(
    'PREFERRED_LEADER_NOT_AVAILABLE',
    `Broker ${replicas[0]}, the preferred one, ${why}.`,
  )
}

/**
 * Whose log reaches furthest, by epoch and then by offset: among those last known where all of them are there, because then the longest
 * has all that was committed (KIP-966; durability.md R9); else among all that live. One of whom nothing is told might be it: while
 * somebody lives of whose log nothing is known, in this registration and in this leader epoch, nobody is elected.
 */
function longest(
  image: MetadataImage,
  partition: PartitionImage,
  ends: readonly LogEnd[],
): Election | Mistake {
  const { lastKnownElr, elr, leaderEpoch } = partition
  const active = activeReplicas(image, partition)
  // Whoever is eligible has everything, however long another log is.
  if (active.some(({ directoryId }) => elr.includes(directoryId))) return 'clean'
  const endOf = ({ id, epoch }: Replica): LogEnd | undefined =>
    ends.find(
      end => end.brokerId === id && end.brokerEpoch === epoch && end.leaderEpoch === leaderEpoch,
    )
  const silent = active.find(replica => endOf(replica) === undefined)
  if (silent !== undefined) return silence(silent.id)
  const known = active.filter(({ directoryId }) => lastKnownElr.includes(directoryId))
  const candidates = known.length > 0 && known.length === lastKnownElr.length ? known : active
  const [best] = candidates
    .map(replica => ({ replica, end: endOf(replica)! }))
    .filter(({ end }) => end.endOffset >= 0)
    .toSorted((a, b) => order(a.end, b.end) || rank(a.replica) - rank(b.replica))
  return best?.replica.id ?? 'unclean'
}

function order(a: LogEnd, b: LogEnd): number {
  return b.lastEpoch - a.lastEpoch || b.endOffset - a.endOffset
}

/** Of logs that end alike, one that was lost comes last; else the first of the replicas. */
function rank({ startClass }: Replica): number {
  return startClass === 'D' ? 1 : 0
}

const nobodyLives = mistake(
  'ELIGIBLE_LEADERS_NOT_AVAILABLE',
  'No replica of the partition is alive.',
)

function silence(brokerId: number): Mistake {
  return mistake(
    'ELIGIBLE_LEADERS_NOT_AVAILABLE',
    `Broker ${brokerId} is alive and has not said how far its log reaches, which may be further than the others. Ask again, or stop it.`,
  )
}
