import type { Uuid } from '../../../lib/uuid.ts'
import { legacyDirectoryId } from '../../metadata/directory-id.ts'
import type {
  BrokerImage,
  MetadataImage,
  PartitionImage,
  TopicImage,
} from '../../metadata/image.ts'
import type { MetadataRecord, RecordOf } from '../../metadata/records.ts'
import type { Registration } from './commands.ts'
import { type Decision, type Mistake, mistake } from './decision.ts'
import type { PartitionChange } from './elections.ts'
import { applied, changesOf } from './partition-changes.ts'
import { quarantine, rollbackOf } from './quarantine.ts'
import { refusalOf } from './refusals.ts'

export interface RegistrationOptions {
  /** Of the append that will carry the record. */
  readonly sequence: number
  /** The broker of that id was heard of lately in the epoch that it is registered in. */
  readonly isLive: boolean
  /** The last beat that it told in that epoch; null where it told none. */
  readonly lastBeat: number | null
  /** Of the log's record of that sequence; null where it is not known. */
  readonly hashAt: (sequence: number) => string | null
}

/**
 * A new start of a broker. It leaves every leadership and in-sync set before it may serve (I-12, durability.md R1), and comes back
 * by catching up. What its start shows of its logs decides whether it stays eligible. The records say so before they say that it
 * is registered: where they are too many for one append, a crash between two leaves it unregistered, to begin again.
 */
export function decideRegisterBroker(
  before: MetadataImage,
  registration: Registration,
  options: RegistrationOptions,
): Decision {
  const { brokerId, incarnationId } = registration
  const known = before.brokers.get(brokerId)
  if (known?.incarnationId === incarnationId) {
    return { records: [], image: before, answer: answerWith(known.epoch) }
  }
  const rollback = rollbackOf(registration, options)
  if (rollback !== null) return quarantine(before, rollback)
  const wrong = problemOf(before, registration, options)
  if (wrong !== null) return { records: [], image: before, answer: refusalOf(wrong) }
  const record = registrationRecord(before, registration, options.sequence)
  const records =
    known !== undefined && isOnlyBroker(before, brokerId)
      ? [record, ...restartsAlone(before, known, registration)]
      : [...departures(before, registration, options), record]
  return { records, image: applied(before, records), answer: answerWith(options.sequence) }
}

function answerWith(brokerEpoch: number) {
  return { type: 'brokerRegistered', brokerEpoch } as const
}

/** Nobody else is registered: it cannot have missed anything, and nobody would wait for what it does not tell. */
export function isOnlyBroker({ brokers }: MetadataImage, brokerId: number): boolean {
  return brokers.size === 0 || (brokers.size === 1 && brokers.has(brokerId))
}

function problemOf(
  image: MetadataImage,
  registration: Registration,
  { isLive, sequence }: RegistrationOptions,
): Mistake | null {
  const { brokerId, directoryId, featureLevelMax } = registration
  const known = image.brokers.get(brokerId)
  if (featureLevelMax < image.featureLevel) {
    return mistake(
      'UNSUPPORTED_VERSION',
      `The cluster's feature level is ${image.featureLevel}, and broker ${brokerId} reads up to ${featureLevelMax}. Run a later version of it.`,
    )
  }
  // An epoch is the sequence of an append, so that each start of a broker needs one of its own.
  const isInThisAppend = known?.epoch === sequence
  if (isInThisAppend || (known !== undefined && !known.isFenced && isLive)) {
    return mistake(
      'DUPLICATE_BROKER_REGISTRATION',
      `Another process is broker ${brokerId} and was heard of a moment ago. Give this one another node.id, or stop the other; ` +
        'where that has just ended, try again.',
    )
  }
  const bad = directoryProblem(image, registration)
  if (bad !== null) return mistake('INVALID_REGISTRATION', `Directory ${directoryId} ${bad}`)
  if (known === undefined || isHomeOf(known, directoryId) || isOnlyBroker(image, brokerId)) {
    return null
  }
  const needed = firstNaming(image, known.directoryId)
  if (needed === null) return null
  return mistake(
    'INVALID_REGISTRATION',
    `Broker ${brokerId} has directory ${directoryId}, and its former directory ${known.directoryId} may hold the only ` +
      `complete copy of ${needed}. Start it with that one, or retire it first.`,
  )
}

/** To follow "Directory ID"; null where nothing is wrong. */
function directoryProblem(
  image: MetadataImage,
  { brokerId, directoryId }: Registration,
): string | null {
  if (image.isRetired(directoryId)) {
    return 'was retired, and what is there counts no more. Give the broker an empty one.'
  }
  if (image.isFailed(directoryId)) {
    return 'failed while it was written to. Retire it, and give the broker an empty one on a disk that is whole.'
  }
  const holder = image.brokerOfDirectory(directoryId)
  if (holder === undefined || holder.id === brokerId) return null
  return `is that of broker ${holder.id}. Give each broker a directory of its own.`
}

/** A broker of an older version had no name for its directory: the first that it tells is that one. */
function isHomeOf({ id, directoryId }: BrokerImage, wanted: Uuid): boolean {
  return directoryId === wanted || directoryId === legacyDirectoryId(id)
}

/** A partition that expects data of the directory. */
function firstNaming(image: MetadataImage, directoryId: Uuid): string | null {
  for (const { name, partitions } of image.topics()) {
    const found = partitions.find(partition => isNamedIn(partition, directoryId))
    if (found !== undefined) return `${name}-${found.index}`
  }
  return null
}

export function isNamedIn({ isr, elr, lastKnownElr }: PartitionImage, directoryId: Uuid): boolean {
  return (
    isr.includes(directoryId) || elr.includes(directoryId) || lastKnownElr.includes(directoryId)
  )
}

/** Everything that the former start of the broker has to leave. */
function departures(
  before: MetadataImage,
  registration: Registration,
  options: RegistrationOptions,
): MetadataRecord[] {
  const { brokerId } = registration
  const known = before.brokers.get(brokerId)
  if (known === undefined) return []
  const records: MetadataRecord[] = []
  if (!known.isFenced) {
    const { id, epoch: brokerEpoch, isShuttingDown } = known
    const state = { brokerId: id, brokerEpoch, isFenced: true, isShuttingDown }
    records.push({ type: 'brokerStateChanged', ...state })
  }
  const fenced = applied(before, records)
  const damaged = new Set(registration.damaged.map(({ topicId, index }) => `${topicId} ${index}`))
  const startClass = startClassOf(registration, options)
  const changeOf = (partition: PartitionImage, topic: TopicImage): PartitionChange | null => {
    const { directoryId } = known
    if (partition.leader !== brokerId && !isNamedIn(partition, directoryId)) return null
    if (startClass === 'D' || damaged.has(`${topic.id} ${partition.index}`)) {
      return { gone: [directoryId] }
    }
    return startClass === 'C' ? { lossy: [directoryId] } : {}
  }
  records.push(...changesOf(fenced, changeOf))
  const gone = applied(before, records)
  return [...records, ...renamings(gone, known.directoryId, registration.directoryId)]
}

/** Only of a directory that had no name: any other that is still named keeps the broker from having a new one. */
function renamings(image: MetadataImage, from: Uuid, to: Uuid): MetadataRecord[] {
  if (from === to) return []
  return Array.from(image.topics()).flatMap(topic => {
    const named = topic.partitions.filter(partition => isNamedIn(partition, from))
    if (named.length === 0) return []
    const partitions = named.map(partition => ({
      ...partition,
      ...renamed(partition, from, to),
      partitionEpoch: partition.partitionEpoch + 1,
    }))
    return [{ type: 'partitionsChanged', topicId: topic.id, partitions }]
  })
}

/** An older disk than the one that beat last is not what its marks say (durability.md 3.1). */
function startClassOf(
  { startClass, beat }: Registration,
  { lastBeat }: RegistrationOptions,
): Registration['startClass'] {
  const isBehind = beat !== undefined && lastBeat !== null && beat < lastBeat
  return isBehind && startClass !== 'D' ? 'C' : startClass
}

/** Fenced until a heartbeat says that it has applied this record; the only broker of a cluster leads at once. */
function registrationRecord(
  image: MetadataImage,
  registration: Registration,
  brokerEpoch: number,
): RecordOf<'brokerRegistered'> {
  const { brokerId, incarnationId, rack, listeners } = registration
  const { directoryId, startClass, peer, featureLevelMax } = registration
  return {
    type: 'brokerRegistered',
    brokerId,
    brokerEpoch,
    incarnationId,
    rack,
    listeners: [...listeners],
    directoryId,
    startClass,
    peer,
    featureLevelMax,
    isFenced: !isOnlyBroker(image, brokerId),
  }
}

/**
 * What the only broker led it leads again in a later epoch (durability.md R1b), so that records which a power failure took from
 * the end of its log are never confused with those that come to stand there.
 */
function restartsAlone(
  image: MetadataImage,
  { id, directoryId: from }: BrokerImage,
  { directoryId: to, unregisteredStarts = 0 }: Registration,
): MetadataRecord[] {
  const starts = 1 + unregisteredStarts
  return Array.from(image.topics()).flatMap(topic => {
    const led = reelected(topic, id, starts)
    const partitions = led.map(partition => ({ ...partition, ...renamed(partition, from, to) }))
    if (partitions.length === 0) return []
    return [{ type: 'partitionsChanged', topicId: topic.id, partitions }]
  })
}

/** The partitions of `topic` that the broker leads, as `starts` starts of it leave them: each leads in epochs of its own. */
export function reelected(topic: TopicImage, brokerId: number, starts: number): PartitionImage[] {
  return topic.partitions
    .filter(({ leader }) => leader === brokerId)
    .map(partition => ({
      ...partition,
      leaderEpoch: partition.leaderEpoch + starts,
      partitionEpoch: partition.partitionEpoch + starts,
    }))
}

/** Where a directory is named, under its new name. */
function renamed(
  { isr, elr, lastKnownElr }: PartitionImage,
  from: Uuid,
  to: Uuid,
): Pick<PartitionImage, 'isr' | 'elr' | 'lastKnownElr'> {
  const inPlace = (ids: readonly Uuid[]): Uuid[] => ids.map(id => (id === from ? to : id))
  return { isr: inPlace(isr), elr: inPlace(elr), lastKnownElr: inPlace(lastKnownElr) }
}
