import { legacyDirectoryId } from './directory-id.ts'
import {
  flag,
  list,
  object,
  orNull,
  text,
  uuidShape,
  whole,
  type Fields,
  type Shaped,
} from './shape.ts'

/** A version of a kind of record that is read, and no longer written. */
export interface OlderVersion {
  readonly fields: Fields
  /** The fields of today's version. */
  upgrade(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>
}

/** Version 1 is of clusters of one broker, which told replicas by broker ids everywhere. */
const partition1 = object({
  index: whole(0),
  replicas: list(whole(0)),
  isr: list(whole(0)),
  elr: list(whole(0)),
  leader: whole(-1),
  leaderEpoch: whole(0),
  partitionEpoch: whole(0),
})

type Partition1 = Shaped<typeof partition1>

const config = object({ name: text, value: text })

function partitionOf1(partition: Partition1): Readonly<Record<string, unknown>> {
  return {
    ...partition,
    addingReplicas: [],
    removingReplicas: [],
    isr: partition.isr.map(legacyDirectoryId),
    elr: partition.elr.map(legacyDirectoryId),
    lastKnownElr: [],
    isRecovering: false,
  }
}

function withPartitionsOf1(fields: Readonly<Record<string, unknown>>) {
  const partitions = fields['partitions'] as readonly Partition1[]
  return { ...fields, partitions: partitions.map(partitionOf1) }
}

/** By kind and version. */
export const olderVersions: Readonly<Record<string, Readonly<Record<number, OlderVersion>>>> = {
  brokerRegistered: {
    1: {
      fields: {
        brokerId: whole(0),
        brokerEpoch: whole(1),
        incarnationId: uuidShape,
        rack: orNull(text),
        listeners: list(object({ name: text, host: text, port: whole(0) })),
      },
      upgrade: fields => ({
        ...fields,
        directoryId: legacyDirectoryId(fields['brokerId'] as number),
        startClass: 'C',
        peer: null,
        featureLevelMax: 1,
        isFenced: false,
      }),
    },
  },
  topicCreated: {
    1: {
      fields: {
        topicId: uuidShape,
        name: text,
        isInternal: flag,
        configs: list(config),
        partitions: list(partition1),
      },
      upgrade: withPartitionsOf1,
    },
  },
  partitionsAdded: {
    1: {
      fields: { topicId: uuidShape, partitions: list(partition1) },
      upgrade: withPartitionsOf1,
    },
  },
  partitionsChanged: {
    1: {
      fields: { topicId: uuidShape, partitions: list(partition1) },
      upgrade: withPartitionsOf1,
    },
  },
}
