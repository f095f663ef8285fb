import type { Uuid } from '../../../lib/uuid.ts'
import type { BrokerImage, MetadataImage, PartitionImage } from '../../metadata/image.ts'
import { isActive } from '../../metadata/replicas.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import type { Answer, Command } from './commands.ts'
import { type Decision, type Mistake, mistake } from './decision.ts'
import { applied, changesOf } from './partition-changes.ts'
import { refusalOf } from './refusals.ts'
import { isNamedIn } from './register-broker.ts'

type RetireDirectory = Extract<Command, { readonly type: 'retireDirectory' }>
type FailDirectory = Extract<Command, { readonly type: 'failDirectory' }>

/**
 * What lies in the directory counts no more, because its disk was replaced. Refused while it may be the only complete copy of a partition
 * whose loss nobody accepted: an empty disk under a known id is never taken for what was there (D16).
 */
export function decideRetireDirectory(
  before: MetadataImage,
  { directoryId, acceptDataLoss, isGone = false }: RetireDirectory,
): Decision {
  if (before.isRetired(directoryId)) return done(before, [], { type: 'directoryRetired' })
  const holder = before.brokerOfDirectory(directoryId)
  if (isActive(holder) && !isGone) {
    const message = `Directory ${directoryId} is that of broker ${holder.id}, which runs. Stop it first.`
    return refused(before, mistake('INVALID_REQUEST', message))
  }
  const accepted = new Set(acceptDataLoss.map(({ topicId, index }) => `${topicId} ${index}`))
  const endangered = [...before.topics()].flatMap(topic =>
    topic.partitions
      .filter(partition => isAlone(partition, directoryId))
      .filter(({ index }) => !accepted.has(`${topic.id} ${index}`))
      .map(({ index }) => `${topic.name}-${index}`),
  )
  if (endangered.length > 0) {
    return refused(before, lossNotAccepted(directoryId, endangered, isGone ? 10 : Infinity))
  }
  const fences: MetadataRecord[] = isActive(holder) ? [fenceOf(holder)] : []
  const departures = changesOf(applied(before, fences), partition => {
    if (!isNamedIn(partition, directoryId)) return null
    // Nobody has what was committed, and that was accepted: whoever comes first leads.
    const isRecovering = partition.isRecovering || isAlone(partition, directoryId)
    return { gone: [directoryId], isRecovering, election: isRecovering ? 'unclean' : 'clean' }
  })
  const records: MetadataRecord[] = [
    ...fences,
    ...departures,
    { type: 'directoryRetired', directoryId },
  ]
  return done(before, records, { type: 'directoryRetired' })
}

/** Its disk is another's word against its own: two of one id would be fenced in turns. */
function fenceOf({ id, epoch, isShuttingDown }: BrokerImage): MetadataRecord {
  return {
    type: 'brokerStateChanged',
    brokerId: id,
    brokerEpoch: epoch,
    isFenced: true,
    isShuttingDown,
  }
}

/** Nobody else has for certain all that the directory has. */
function isAlone(partition: PartitionImage, directoryId: Uuid): boolean {
  const { isr, elr } = partition
  const isOther = (id: Uuid): boolean => id !== directoryId
  return isNamedIn(partition, directoryId) && !isr.some(isOther) && !elr.some(isOther)
}

/**
 * The operator (`isGone`) tells some in a condition. A person has to name each of them: as many as a message has room for, which is a
 * string of Kafka's (32,767 bytes).
 */
const namesBytesMax = 32_000

function lossNotAccepted(
  directoryId: Uuid,
  endangered: readonly string[],
  namesMax: number,
): Mistake {
  let count = 0
  for (let length = 0; count < Math.min(endangered.length, namesMax); count++) {
    // Names of topics are ASCII, so that characters are bytes.
    length += endangered[count]!.length + 2
    if (length > namesBytesMax) break
  }
  const some = endangered.slice(0, count).join(', ')
  const more = count < endangered.length ? ` and ${endangered.length - count} more` : ''
  return mistake(
    'POLICY_VIOLATION',
    `Directory ${directoryId} may hold the only complete copy of ${some}${more}. Bring it back, or accept the loss of ` +
      'each of them by name.',
  )
}

/** The broker says so of its own directory, as the last thing that it does (durability.md 3.4). */
export function decideFailDirectory(before: MetadataImage, command: FailDirectory): Decision {
  const { brokerId, brokerEpoch, directoryId } = command
  const broker = before.brokers.get(brokerId)
  if (broker?.epoch !== brokerEpoch || broker.directoryId !== directoryId) {
    const message = `Broker ${brokerId} is not registered in epoch ${brokerEpoch} with directory ${directoryId}.`
    return refused(before, mistake('STALE_BROKER_EPOCH', message))
  }
  if (before.isFailed(directoryId)) return done(before, [], { type: 'directoryFailed' })
  const { isShuttingDown } = broker
  const states: MetadataRecord[] = [
    { type: 'directoryFailed', directoryId },
    { type: 'brokerStateChanged', brokerId, brokerEpoch, isFenced: true, isShuttingDown },
  ]
  const departures = changesOf(applied(before, states), partition =>
    isNamedIn(partition, directoryId) ? { lossy: [directoryId] } : null,
  )
  return done(before, [...states, ...departures], { type: 'directoryFailed' })
}

function done(before: MetadataImage, records: MetadataRecord[], answer: Answer): Decision {
  return { records, image: applied(before, records), answer }
}

function refused(image: MetadataImage, why: Mistake): Decision {
  return { records: [], image, answer: refusalOf(why) }
}
