import type { Registration } from '../../src/broker/cluster/controller/commands.ts'
import {
  featureLevel,
  type PartitionState,
  type RecordOf,
} from '../../src/broker/metadata/records.ts'
import { type Uuid, uuidText } from '../../src/lib/uuid.ts'

/** A directory of the broker; another one for each `nth`. */
export function directoryOf(brokerId: number, nth = 0): Uuid {
  const bytes = new Uint8Array(16)
  bytes.set([0xd1, 0x20, brokerId >> 8, brokerId, nth])
  return uuidText(bytes)
}

/** The record of a live broker. */
export function registered(
  brokerId: number,
  changes: Partial<RecordOf<'brokerRegistered'>> = {},
): RecordOf<'brokerRegistered'> {
  return {
    type: 'brokerRegistered',
    brokerId,
    brokerEpoch: brokerId,
    incarnationId: directoryOf(brokerId, 255),
    rack: null,
    listeners: [],
    directoryId: directoryOf(brokerId),
    startClass: 'A',
    peer: null,
    featureLevelMax: featureLevel,
    isFenced: false,
    ...changes,
  }
}

/** A command to register. */
export function registration(
  brokerId: number,
  changes: Partial<Registration> = {},
): { readonly type: 'registerBroker' } & Registration {
  return {
    type: 'registerBroker',
    brokerId,
    incarnationId: directoryOf(brokerId, 255),
    rack: null,
    listeners: [],
    peer: null,
    directoryId: directoryOf(brokerId),
    startClass: 'A',
    damaged: [],
    featureLevelMax: featureLevel,
    lastSequence: 0,
    lastHash: null,
    ...changes,
  }
}

/** A partition of a cluster whose only broker is 1. */
export const soleBroker = {
  replicas: [1],
  addingReplicas: [],
  removingReplicas: [],
  isr: [directoryOf(1)],
  elr: [],
  lastKnownElr: [],
  leader: 1,
  leaderEpoch: 0,
  partitionEpoch: 0,
  isRecovering: false,
} satisfies Omit<PartitionState, 'index'>
