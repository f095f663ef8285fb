import { readInt16 } from '../../lib/bytes.ts'
import { zeroUuid } from '../../lib/uuid.ts'
import type { GroupRecord, GroupValue, OffsetValue } from './groups/records.ts'
import { decodeRequest, encodeRequest } from '../wire/codec.ts'
import {
  api,
  array,
  bytes,
  int32,
  int64,
  exactInt64,
  nullable,
  string,
  uuid,
  type Api,
  type Draft,
  type Fields,
  type Infer,
} from '../wire/field.ts'
import { WireError } from '../wire/wire-error.ts'
import { Writer } from '../wire/writer.ts'

/**
 * The records of `__consumer_offsets`, as Apache Kafka declares them: key and value begin with the int16 version of
 * what follows, and the key's version tells what kind of record it is. Written in the versions that Kafka 4.3
 * writes, so that its tools, and a Kafka that inherits the topic, can read them.
 */
const stored = <F extends Fields>(
  name: string,
  versions: readonly [number, number],
  request: F,
  flexible = Infinity,
) => api({ key: -1, name, versions, flexible, request, response: {} })

/** Key versions 0 and 1 are the same. */
const offsetKey = stored('OffsetCommitKey', [0, 1], {
  group: string,
  topic: string,
  partition: int32,
})

/** v1 alone has an expiry, v3 brings leader epochs, v4 topic ids. */
const offsetValue = stored(
  'OffsetCommitValue',
  [0, 4],
  {
    offset: exactInt64,
    leaderEpoch: int32.since(3).default(-1),
    metadata: string,
    commitTimestamp: int64,
    expireTimestamp: int64.since(1).until(1).default(-1),
    topicId: uuid.since(4).tag(0).default(zeroUuid),
  },
  4,
)

const groupKey = stored('GroupMetadataKey', [2, 2], { group: string })

/** v1 brings the rebalance timeout, v2 the time of the state, v3 static members. */
const groupValue = stored(
  'GroupMetadataValue',
  [0, 4],
  {
    protocolType: string,
    generation: int32,
    protocol: nullable(string),
    leader: nullable(string),
    currentStateTimestamp: int64.since(2).default(-1),
    members: array({
      memberId: string,
      groupInstanceId: nullable(string).since(3).default(null),
      clientId: string,
      clientHost: string,
      rebalanceTimeout: int32.since(1).default(-1),
      sessionTimeout: int32,
      subscription: bytes,
      assignment: bytes,
    }),
  },
  4,
)

const offsetKeyVersion = 1
const groupKeyVersion = 2
const offsetValueVersion = 3
/** Has a place for the topic's id. */
const idOffsetValueVersion = 4
/** What a client of old gave an expiry has to be kept in the only version that can hold one. */
const expiringValueVersion = 1
const groupValueVersion = 3

export interface KeyAndValue {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

export function encodeGroupRecord(record: GroupRecord): KeyAndValue {
  if (record.type === 'group') {
    const key = encode(groupKey, groupKeyVersion, { group: record.groupId })
    return { key, value: record.value === null ? null : encodeGroup(record.value) }
  }
  const { groupId: group, topic, partition, value } = record
  const key = encode(offsetKey, offsetKeyVersion, { group, topic, partition })
  return { key, value: value === null ? null : encodeOffset(value) }
}

/**
 * The record that `key` and `value` stand for; null where its kind is none of ours (Kafka's newer groups).
 * @throws WireError
 */
export function decodeGroupRecord(key: Uint8Array, value: Uint8Array | null): GroupRecord | null {
  const version = key.length < 2 ? -1 : readInt16(key, 0)
  if (version === 0 || version === 1) {
    const { group, topic, partition } = decodeRequest(offsetKey, version, key, 2)
    const decoded = value === null ? null : decodeOffset(value)
    return { type: 'offset', groupId: group, topic, partition, value: decoded }
  }
  if (version !== groupKeyVersion) return null
  const { group } = decodeRequest(groupKey, version, key, 2)
  return { type: 'group', groupId: group, value: value === null ? null : decodeGroup(value) }
}

function encodeOffset(value: OffsetValue): Uint8Array {
  return encode(offsetValue, versionOf(value), {
    offset: value.offset,
    leaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    commitTimestamp: value.commitTimeMs,
    expireTimestamp: value.expireTimeMs,
    topicId: value.topicId,
  })
}

function versionOf({ expireTimeMs, topicId }: OffsetValue): number {
  if (expireTimeMs >= 0) return expiringValueVersion
  return topicId === zeroUuid ? offsetValueVersion : idOffsetValueVersion
}

function decodeOffset(bytes: Uint8Array): OffsetValue {
  const value = decode(offsetValue, bytes)
  return {
    offset: value.offset,
    leaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    commitTimeMs: value.commitTimestamp,
    expireTimeMs: value.expireTimestamp,
    topicId: value.topicId,
  }
}

function encodeGroup(value: GroupValue): Uint8Array {
  return encode(groupValue, groupValueVersion, {
    protocolType: value.protocolType,
    generation: value.generation,
    protocol: value.protocol,
    leader: value.leaderId,
    currentStateTimestamp: value.stateTimeMs,
    members: value.members.map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: member.subscription,
      assignment: member.assignment,
    })),
  })
}

function decodeGroup(bytes: Uint8Array): GroupValue {
  const value = decode(groupValue, bytes)
  return {
    protocolType: value.protocolType,
    generation: value.generation,
    protocol: value.protocol,
    leaderId: value.leader,
    stateTimeMs: value.currentStateTimestamp,
    members: value.members.map(member => ({
      memberId: member.memberId,
      instanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs:
        member.rebalanceTimeout < 0 ? member.sessionTimeout : member.rebalanceTimeout,
      sessionTimeoutMs: member.sessionTimeout,
      subscription: member.subscription,
      assignment: member.assignment,
    })),
  }
}

function encode<F extends Fields>(format: Api<F>, version: number, value: Draft<F>): Uint8Array {
  const writer = new Writer()
  writer.int16(version)
  encodeRequest(format, version, value, writer)
  const [whole] = writer.finish()
  return whole as Uint8Array
}

/** @throws WireError where the version is not known, or the bytes do not fit */
function decode<F extends Fields>(format: Api<F>, value: Uint8Array): Infer<F> {
  const version = value.length < 2 ? -1 : readInt16(value, 0)
  const [min, max] = format.versions
  if (version < min || version > max) {
    throw new WireError(`${format.name} has version ${version}; known are ${min} to ${max}`)
  }
  return decodeRequest(format, version, value, 2)
}
