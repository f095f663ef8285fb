import type { Uuid } from '../../../lib/uuid.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../../metadata/image.ts'
import {
  insyncNeededBy,
  isActive,
  isDrained,
  isFrozen,
  isUncleanElectionEnabled,
} from '../../metadata/replicas.ts'
import { completed, keptOf, type Placement } from './reassignment-end.ts'

/**
 * How a leader is looked for. `clean`: only where all that is committed is there for certain, or the topic's configs allow more.
 * `preferred`: as `clean`, and the first of the replicas before the present leader. `unclean`: somebody accepted that records
 * are lost. A broker's id: the same, and it is to be that one.
 */
export type Election = 'clean' | 'preferred' | 'unclean' | number

/** What is to become of a partition. */
export interface PartitionChange {
  /** The in-sync set that is wished for; default: as it is. Who is not active leaves it anyway. */
  readonly isr?: readonly Uuid[]
  /** Directories that may have lost the end of their logs. */
  readonly lossy?: readonly Uuid[]
  /** Directories that count no more: they are gone, or have nothing of this partition. */
  readonly gone?: readonly Uuid[]
  readonly isRecovering?: boolean
  readonly election?: Election
  /** Which brokers are to hold it, and which of them only for now; default: as it is. */
  readonly placement?: Placement
}

interface Elected {
  readonly leader: number
  readonly isr: readonly Uuid[]
  /** Something that was committed may be missing. */
  readonly isUnclean: boolean
}

/**
 * The partition after `change`, among the brokers of `image`: who is in sync, who stays eligible, who leads (I-19, I-20;
 * durability.md R8, R9). `before` itself where that is nothing new. Its epochs rise where they have to.
 */
export function changedPartition(
  image: MetadataImage,
  topic: TopicImage,
  before: PartitionImage,
  change: PartitionChange = {},
): PartitionImage {
  const placed = keptOf(image, { ...before, ...change.placement })
  const members = membersAfter(image, topic, { before: placed, change })
  const { isRecovering = before.isRecovering } = change
  const wanted = completed(image, topic, { ...placed, ...members, isRecovering })
  const elected = electionOf(image, topic, wanted, change.election)
  const after = { ...wanted, ...standing(image, topic, wanted, elected) }
  if (isSame(before, after)) return before
  const isLeft = before.replicas.some(id => !after.replicas.includes(id))
  const isNewLeader = after.leader !== before.leader || elected?.isUnclean === true || isLeft
  return {
    ...after,
    leaderEpoch: before.leaderEpoch + Number(isNewLeader),
    partitionEpoch: before.partitionEpoch + 1,
  }
}

type Members = Pick<PartitionImage, 'isr' | 'elr' | 'lastKnownElr'>

/**
 * Whoever leaves a set that is too small afterwards has all that is committed, because nothing was committed without him and
 * nothing will be while it is too small (durability.md R8). In a cluster that is frozen nobody leaves for being away: nothing is committed
 * without him either, because he counts (R1b, R5).
 */
function membersAfter(
  image: MetadataImage,
  topic: TopicImage,
  { before, change }: { readonly before: PartitionImage; readonly change: PartitionChange },
): Members {
  const { lossy = [], gone = [] } = change
  const isr = (change.isr ?? before.isr).filter(
    id => !lossy.includes(id) && !gone.includes(id) && mayBeInSync(image, id),
  )
  if (isr.length >= insyncNeededBy(image, topic, before)) return { isr, elr: [], lastKnownElr: [] }
  const complete = union(before.elr, before.isr).filter(id => !gone.includes(id))
  const elr = complete.filter(id => !isr.includes(id) && !lossy.includes(id))
  const known = union(before.lastKnownElr, complete).filter(id => !gone.includes(id))
  const lastKnownElr = known.filter(id => !isr.includes(id) && !elr.includes(id))
  return { isr, elr, lastKnownElr }
}

function mayBeInSync(image: MetadataImage, directoryId: Uuid): boolean {
  return isFrozen(image) || isActive(image.brokerOfDirectory(directoryId))
}

/**
 * Who is to lead the partition, with whom in sync; null: nobody can. First of those in sync whoever leads already, then by the order of
 * the replicas; then of those in the ELR. Of those last known, one alone is as good as it gets; among several somebody has to
 * compare their logs, by command. D never leads but by command (durability.md R9), and whoever a reassignment brings leads last. Who is being drained leads where nobody else in
 * sync can. In a cluster that is frozen some of those in sync may be away: they stay so under one of the ELR, and but for a command
 * nobody else leads before they are back or it is thawed (R1b).
 */
function electionOf(
  image: MetadataImage,
  topic: TopicImage,
  partition: PartitionImage,
  election: Election = 'clean',
): Elected | null {
  const { isr, elr, lastKnownElr, isRecovering } = partition
  const active = activeReplicas(image, partition)
  const among = (directories: readonly Uuid[]): Replica[] =>
    active.filter(({ directoryId }) => directories.includes(directoryId))

  const inSync = sparing(image, among(isr))
  if (inSync.length > 0) {
    const keeps = election !== 'preferred' && inSync.some(({ id }) => id === partition.leader)
    return { leader: keeps ? partition.leader : inSync[0]!.id, isr, isUnclean: false }
  }
  const [eligible] = among(elr)
  if (eligible !== undefined) {
    return { leader: eligible.id, isr: [...isr, eligible.directoryId], isUnclean: false }
  }
  if (typeof election === 'number') {
    const chosen = active.find(({ id }) => id === election)
    return chosen === undefined ? null : alone(chosen)
  }
  // Frozen: somebody who has everything is in sync and away (membersAfter).
  const isAwaited = isr.length > 0
  const hasEligible = isAwaited || elr.length > 0
  const isLast = !hasEligible && lastKnownElr.length === 1
  const isAllowed = !isAwaited && isUncleanElectionEnabled(image, topic)
  const mayBeAnybody = election === 'unclean' || isAllowed
  const isGivenUp = isRecovering && !hasEligible && lastKnownElr.length === 0
  const [last] = isLast || mayBeAnybody ? among(lastKnownElr) : []
  const anybody = settledFirst(active, partition)
  const [other] = mayBeAnybody ? anybody.filter(({ startClass }) => startClass !== 'D') : []
  const [empty] = election === 'unclean' || isGivenUp ? anybody : []
  const chosen = last ?? other ?? empty
  return chosen === undefined ? null : alone(chosen)
}

/** A live one. */
export interface Replica {
  readonly id: number
  /** Of its broker's registration. */
  readonly epoch: number
  readonly directoryId: Uuid
  readonly startClass: string
}

/** In their order, the preferred one first. */
export function activeReplicas(image: MetadataImage, { replicas }: PartitionImage): Replica[] {
  return replicas.map(id => image.brokers.get(id)).filter(broker => isActive(broker))
}

/** Whoever a reassignment only brings may have nothing yet, and comes last. */
function settledFirst(
  replicas: readonly Replica[],
  { addingReplicas }: PartitionImage,
): readonly Replica[] {
  return replicas.toSorted(
    (a, b) => Number(addingReplicas.includes(a.id)) - Number(addingReplicas.includes(b.id)),
  )
}

/** Those who are not being drained; all, where there is nobody else. */
export function sparing<Broker extends { readonly id: number }>(
  image: MetadataImage,
  brokers: readonly Broker[],
): readonly Broker[] {
  const others = brokers.filter(({ id }) => !isDrained(image, id))
  return others.length > 0 ? others : brokers
}

/** Something may be missing, and nobody else's copy counts any more. */
function alone({ id, directoryId }: Replica): Elected {
  return { leader: id, isr: [directoryId], isUnclean: true }
}

/** Where an election leaves the lists: an unclean leader is the measure of what is committed from here on. */
function standing(
  image: MetadataImage,
  topic: TopicImage,
  partition: PartitionImage,
  elected: Elected | null,
): Members & Pick<PartitionImage, 'leader' | 'isRecovering'> {
  const { isRecovering } = partition
  if (elected === null) {
    const { isr, elr, lastKnownElr } = partition
    return { isr, elr, lastKnownElr, leader: -1, isRecovering }
  }
  const { leader, isr, isUnclean } = elected
  if (isUnclean) return { leader, isr, elr: [], lastKnownElr: [], isRecovering: true }
  const isEnough = isr.length >= insyncNeededBy(image, topic, partition)
  const others = (ids: readonly Uuid[]): Uuid[] =>
    isEnough ? [] : ids.filter(id => !isr.includes(id))
  const { elr, lastKnownElr } = partition
  return { leader, isr, elr: others(elr), lastKnownElr: others(lastKnownElr), isRecovering }
}

function union(first: readonly Uuid[], second: readonly Uuid[]): Uuid[] {
  return [...first, ...second.filter(id => !first.includes(id))]
}

function isSame(a: PartitionImage, b: PartitionImage): boolean {
  return (
    a.leader === b.leader &&
    a.isRecovering === b.isRecovering &&
    isSameList(a.replicas, b.replicas) &&
    isSameList(a.addingReplicas, b.addingReplicas) &&
    isSameList(a.removingReplicas, b.removingReplicas) &&
    isSameList(a.isr, b.isr) &&
    isSameList(a.elr, b.elr) &&
    isSameList(a.lastKnownElr, b.lastKnownElr)
  )
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at])
}
