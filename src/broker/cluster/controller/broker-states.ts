import type { BrokerImage, MetadataImage, PartitionImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import { applied, changesOf } from './partition-changes.ts'
import { isNamedIn } from './register-broker.ts'

type State = Pick<BrokerImage, 'isFenced' | 'isShuttingDown'>

/** The brokers lead nothing and are in no in-sync set from here on (I-23). Who goes together stays eligible together. */
export function fenced(image: MetadataImage, brokers: readonly BrokerImage[]): MetadataRecord[] {
  const states = brokers.map(broker =>
    stateOf(broker, { isFenced: true, isShuttingDown: broker.isShuttingDown }),
  )
  return withDepartures(image, states, brokers)
}

/** As `fenced`, of a broker that goes because it wants to; it serves on until it is told to go (I-22). */
export function shuttingDown(image: MetadataImage, broker: BrokerImage): MetadataRecord[] {
  const state = stateOf(broker, { isFenced: broker.isFenced, isShuttingDown: true })
  return withDepartures(image, [state], [broker])
}

/** The broker may lead and be in sync: it leads at once what nobody leads and it has all of (I-23). */
export function unfenced(image: MetadataImage, broker: BrokerImage): MetadataRecord[] {
  const record = stateOf(broker, { isFenced: false, isShuttingDown: broker.isShuttingDown })
  const elections = changesOf(image.apply(record), ({ leader, replicas }) =>
    leader === -1 && replicas.includes(broker.id) ? {} : null,
  )
  return [record, ...elections]
}

/** What a controller that came to its end in the middle of a decision left undone: nobody leads, or is in sync, who is not active. */
export function tidied(image: MetadataImage): MetadataRecord[] {
  return changesOf(image, () => ({}))
}

function withDepartures(
  image: MetadataImage,
  states: readonly MetadataRecord[],
  brokers: readonly BrokerImage[],
): MetadataRecord[] {
  const isConcerned = (partition: PartitionImage): boolean =>
    brokers.some(
      ({ id, directoryId }) => partition.leader === id || isNamedIn(partition, directoryId),
    )
  const after = applied(image, states)
  const departures = changesOf(after, partition => (isConcerned(partition) ? {} : null))
  return [...states, ...departures]
}

function stateOf({ id: brokerId, epoch: brokerEpoch }: BrokerImage, state: State): MetadataRecord {
  return { type: 'brokerStateChanged', brokerId, brokerEpoch, ...state }
}
