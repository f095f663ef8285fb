import { assert } from '../../lib/assert.ts'
import { fromUtf8, utf8 } from '../../lib/bytes.ts'
import { type OlderVersion, olderVersions } from './older-records.ts'
import {
  flag,
  isObject,
  list,
  object,
  oneOf,
  orNull,
  ShapeError,
  text,
  uuidShape,
  whole,
  type Fields,
  type FieldsOf,
  type Shaped,
} from './shape.ts'

/** A broker's address under one listener's name. */
const listener = object({ name: text, host: text, port: whole(0) })
/** RFC 5802, as hex digits: enough to check a proof of the password, not enough to give one. */
const scramCredential = object({
  salt: text,
  storedKey: text,
  serverKey: text,
  iterations: whole(1),
})
const config = object({ name: text, value: text })

/**
 * Who holds a partition, who leads it, and since when (durability.md 2.1). Whom data is expected of is told by the directory
 * that has it, and not by a broker's id: an empty disk under a known id is never taken for what was there.
 */
const partition = object({
  index: whole(0),
  /** Broker ids, the preferred leader first. Never empty, no duplicates. */
  replicas: list(whole(0)),
  /** Those of `replicas` that a reassignment brings; they do not count for the replication factor yet. */
  addingReplicas: list(whole(0)),
  /** Those of `replicas` that go when it is done. */
  removingReplicas: list(whole(0)),
  /** Directories whose copies are in sync. */
  isr: list(uuidShape),
  /** Directories outside of the ISR that have all that is committed (KIP-966); empty while the ISR has min.insync.replicas members. */
  elr: list(uuidShape),
  /** Directories that would be in `elr`, had they not lost something of their end perhaps: what a recovery chooses among. */
  lastKnownElr: list(uuidShape),
  /** The broker of a member of `isr`, or -1: nobody leads. */
  leader: whole(-1),
  /** Rises with every change of leader and every new start of it; never falls. */
  leaderEpoch: whole(0),
  /** Rises with every change of this entry. */
  partitionEpoch: whole(0),
  /** It was elected of no certain copy, and has not said yet that it leads (KIP-704). */
  isRecovering: flag,
})

/** How much of what a broker had written may be gone since its last registration (durability.md 3.1). */
const startClass = oneOf('A', 'B', 'C', 'C-acked', 'D')

export type StartClass = Shaped<typeof startClass>
export type PartitionState = Shaped<typeof partition>
export type ConfigEntry = Shaped<typeof config>
export type ScramCredential = Shaped<typeof scramCredential>
export type ListenerAddress = Shaped<typeof listener>

/** Every kind of record: its version, and its fields. The one table for types, encoding and decoding. */
const kinds = {
  /** Genesis: the first record of a log, and nowhere else. */
  clusterCreated: { version: 1, fields: { clusterId: uuidShape } },
  /** Its writer is the controller from here on. `claimId` makes the bytes of every claim unique. */
  epochClaimed: { version: 1, fields: { epoch: whole(1), brokerId: whole(0), claimId: uuidShape } },
  /** `brokerEpoch` is the sequence of the append that carries this record. */
  brokerRegistered: {
    version: 2,
    fields: {
      brokerId: whole(0),
      brokerEpoch: whole(1),
      /** One per process start. */
      incarnationId: uuidShape,
      rack: orNull(text),
      listeners: list(listener),
      /** Of the directory that its logs lie in. */
      directoryId: uuidShape,
      startClass,
      /** Where other brokers reach its private listener; null: nowhere. */
      peer: orNull(object({ host: text, port: whole(0) })),
      /** The highest feature level whose records it reads. */
      featureLevelMax: whole(1),
      /** As in `brokerStateChanged`: true but for the only broker of a cluster, and in snapshots. */
      isFenced: flag,
    },
  },
  /** The broker of that epoch may lead and be in sync (not fenced), or shall hand over what it leads (shutting down). */
  brokerStateChanged: {
    version: 1,
    fields: { brokerId: whole(0), brokerEpoch: whole(1), isFenced: flag, isShuttingDown: flag },
  },
  /** It holds no partition, and is not expected back. */
  brokerUnregistered: { version: 1, fields: { brokerId: whole(0) } },
  /** Nothing that lies there counts ever again: its disk was replaced. */
  directoryRetired: { version: 1, fields: { directoryId: uuidShape } },
  /** A write or a flush failed there (durability.md 3.4): it comes back as another directory only. */
  directoryFailed: { version: 1, fields: { directoryId: uuidShape } },
  /** Records of this level may be written from here on: every registered broker reads them. */
  featureLevelChanged: { version: 1, fields: { level: whole(1) } },
  /** Somebody followed a log that this one is not the continuation of (durability.md 1.7), and nothing is decided; null: somebody looked, and it goes on. */
  quarantined: { version: 1, fields: { reason: orNull(text) } },
  /** A topic with all of its partitions, `partitions[n].index` being n. */
  topicCreated: {
    version: 2,
    fields: {
      topicId: uuidShape,
      name: text,
      isInternal: flag,
      configs: list(config),
      partitions: list(partition),
    },
  },
  /** Partitions that a topic got later: they go on where its last ones end. */
  partitionsAdded: { version: 2, fields: { topicId: uuidShape, partitions: list(partition) } },
  topicDeleted: { version: 1, fields: { topicId: uuidShape } },
  /** In snapshots: topics that were deleted lately, the latest last. None of them is there any more. */
  topicsDeletedBefore: { version: 1, fields: { topicIds: list(uuidShape) } },
  /** The new states of some partitions of one topic. */
  partitionsChanged: { version: 2, fields: { topicId: uuidShape, partitions: list(partition) } },
  /** null takes the override away. */
  topicConfigsChanged: {
    version: 1,
    fields: {
      topicId: uuidShape,
      configs: list(object({ name: text, value: orNull(text) })),
    },
  },
  /** Settings given to a running broker, or to all (`brokerId` null). null takes one away. */
  brokerConfigsChanged: {
    version: 1,
    fields: {
      brokerId: orNull(whole(0)),
      configs: list(object({ name: text, value: orNull(text) })),
    },
  },
  /** Configs given to a consumer group, whether it exists or not. null takes one away. */
  groupConfigsChanged: {
    version: 1,
    fields: {
      groupId: text,
      configs: list(object({ name: text, value: orNull(text) })),
    },
  },
  /** What a user has for one SASL mechanism, by its name there; null takes it away. */
  scramCredentialChanged: {
    version: 1,
    fields: { user: text, mechanism: text, credential: orNull(scramCredential) },
  },
  /** Ids `[firstProducerId, firstProducerId + count)` belong to the broker; never handed out again. */
  producerIdsAllocated: {
    version: 1,
    fields: { brokerId: whole(0), firstProducerId: whole(0), count: whole(1) },
  },
} as const satisfies Record<string, { readonly version: number; readonly fields: Fields }>

type Kinds = typeof kinds

/** One change of the cluster's metadata. */
export type MetadataRecord = {
  [K in keyof Kinds]: { readonly type: K } & FieldsOf<Kinds[K]['fields']>
}[keyof Kinds]

/** The record of one kind. */
export type RecordOf<K extends MetadataRecord['type']> = Extract<
  MetadataRecord,
  { readonly type: K }
>

/** Bytes that are not a batch of records of a version known here. */
export class RecordFormatError extends Error {
  override readonly name = 'RecordFormatError'
}

const batchFormat = 1

/** Finalized with a cluster's first records of this version. What a later one adds to the log waits until all brokers read it. */
export const featureLevel = 1

/** One record as JSON: what a batch is made of. */
export function encodeRecord({ type, ...fields }: MetadataRecord): string {
  return JSON.stringify({ type, version: kinds[type].version, ...fields })
}

/** The payload of one append: all of its records, or none, become part of the log. */
export function encodeBatch(records: Iterable<MetadataRecord>): Uint8Array {
  return joinBatch(Array.from(records, encodeRecord))
}

/** As `encodeBatch`, of records that `encodeRecord` made text of. Adds `batchOverheadBytes` and a comma each. */
export function joinBatch(encoded: readonly string[]): Uint8Array {
  assert(encoded.length > 0, 'a batch of metadata has a record')
  return utf8(`{"format":${batchFormat},"records":[${encoded.join(',')}]}`)
}

/** More than a batch adds to its records and their commas. */
export const batchOverheadBytes = 64

/** @throws RecordFormatError where the bytes are no batch, or one that a newer version wrote. */
export function decodeBatch(payload: Uint8Array): MetadataRecord[] {
  const batch = parse(payload)
  if (!isObject(batch) || !Array.isArray(batch['records'])) {
    throw new RecordFormatError('the batch is no JSON object with a list of records')
  }
  if (batch['format'] !== batchFormat) throw newer(`batch format ${String(batch['format'])}`)
  return batch['records'].map((record: unknown, at) => decodeRecord(record, `records[${at}]`))
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(payload))
  } catch (error) {
    throw new RecordFormatError(`the batch is not JSON: ${(error as Error).message}`)
  }
}

function decodeRecord(record: unknown, where: string): MetadataRecord {
  if (!isObject(record)) throw new RecordFormatError(`${where} is not an object`)
  const { type, version, ...fields } = record
  if (typeof type !== 'string' || !Object.hasOwn(kinds, type)) {
    throw newer(`${where} of type ${JSON.stringify(type)}`)
  }
  const kind = versionOf(type as keyof Kinds, version)
  if (kind === undefined) {
    throw newer(`${where} of type ${type} in version ${JSON.stringify(version)}`)
  }
  try {
    const checked = object(kind.fields).check(fields)
    return { type, ...kind.upgrade(checked) } as MetadataRecord
  } catch (error) {
    if (error instanceof ShapeError) throw new RecordFormatError(error.within(where).message)
    throw error
  }
}

function versionOf(type: keyof Kinds, version: unknown): OlderVersion | undefined {
  const kind = kinds[type]
  if (version === kind.version) return { fields: kind.fields, upgrade: fields => fields }
  return typeof version === 'number' ? olderVersions[type]?.[version] : undefined
}

function newer(what: string): RecordFormatError {
  return new RecordFormatError(
    `this version does not know ${what}; run the version of LogCluster that wrote it, or a later one`,
  )
}
