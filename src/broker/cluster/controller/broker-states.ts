import type { BrokerImage, MetadataImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import { applied, changesOf } from './partition-changes.ts'
import { isNamedIn } from './register-broker.ts'

type State = Pick<BrokerImage, 'isFenced' | 'isShuttingDown'>

/** The broker leads nothing and is in no in-sync set from here on (I-23). */
export function fenced(image: MetadataImage, broker: BrokerImage): MetadataRecord[] {
  return withoutBroker(image, broker, { isFenced: true, isShuttingDown: broker.isShuttingDown })
}

/** As `fenced`, of a broker that goes because it wants to; it serves on until it is told to go (I-22). */
export function shuttingDown(image: MetadataImage, broker: BrokerImage): MetadataRecord[] {
  return withoutBroker(image, broker, { isFenced: broker.isFenced, isShuttingDown: true })
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

function withoutBroker(image: MetadataImage, broker: BrokerImage, state: State): MetadataRecord[] {
  const record = stateOf(broker, state)
  const departures = changesOf(applied(image, [record]), partition =>
    partition.leader === broker.id || isNamedIn(partition, broker.directoryId) ? {} : null,
  )
  return [record, ...departures]
}

function stateOf({ id: brokerId, epoch: brokerEpoch }: BrokerImage, state: State): MetadataRecord {
  return { type: 'brokerStateChanged', brokerId, brokerEpoch, ...state }
}
