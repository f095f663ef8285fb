import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../lib/bytes.ts'
import { uuidText } from '../../lib/uuid.ts'
import { legacyDirectoryId } from './directory-id.ts'
import {
  batchOverheadBytes,
  decodeBatch,
  encodeBatch,
  encodeRecord,
  type MetadataRecord,
} from './records.ts'

const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(uuidText)
const id = fc.nat()
const config = fc.record({ name: fc.string(), value: fc.string() })
const partition = fc.record({
  index: id,
  replicas: fc.array(id),
  addingReplicas: fc.array(id),
  removingReplicas: fc.array(id),
  isr: fc.array(uuid),
  elr: fc.array(uuid),
  lastKnownElr: fc.array(uuid),
  leader: fc.integer({ min: -1 }),
  leaderEpoch: id,
  partitionEpoch: id,
  isRecovering: fc.boolean(),
})
const kinds: { [K in MetadataRecord['type']]: fc.Arbitrary<MetadataRecord & { type: K }> } = {
  clusterCreated: fc.record({ type: fc.constant('clusterCreated'), clusterId: uuid }),
  epochClaimed: fc.record({
    type: fc.constant('epochClaimed'),
    epoch: fc.integer({ min: 1 }),
    brokerId: id,
    claimId: uuid,
  }),
  brokerRegistered: fc.record({
    type: fc.constant('brokerRegistered'),
    brokerId: id,
    brokerEpoch: fc.integer({ min: 1 }),
    incarnationId: uuid,
    rack: fc.option(fc.string()),
    listeners: fc.array(fc.record({ name: fc.string(), host: fc.string(), port: id })),
    directoryId: uuid,
    startClass: fc.constantFrom('A', 'B', 'C', 'C-acked', 'D'),
    peer: fc.option(fc.record({ host: fc.string(), port: id })),
    featureLevelMax: fc.integer({ min: 1 }),
    isFenced: fc.boolean(),
  }),
  brokerStateChanged: fc.record({
    type: fc.constant('brokerStateChanged'),
    brokerId: id,
    brokerEpoch: fc.integer({ min: 1 }),
    isFenced: fc.boolean(),
    isShuttingDown: fc.boolean(),
  }),
  brokerUnregistered: fc.record({ type: fc.constant('brokerUnregistered'), brokerId: id }),
  directoryRetired: fc.record({ type: fc.constant('directoryRetired'), directoryId: uuid }),
  directoryFailed: fc.record({ type: fc.constant('directoryFailed'), directoryId: uuid }),
  featureLevelChanged: fc.record({
    type: fc.constant('featureLevelChanged'),
    level: fc.integer({ min: 1 }),
  }),
  quarantined: fc.record({ type: fc.constant('quarantined'), reason: fc.option(fc.string()) }),
  topicCreated: fc.record({
    type: fc.constant('topicCreated'),
    topicId: uuid,
    name: fc.string({ unit: 'binary' }),
    isInternal: fc.boolean(),
    configs: fc.array(config),
    partitions: fc.array(partition),
  }),
  partitionsAdded: fc.record({
    type: fc.constant('partitionsAdded'),
    topicId: uuid,
    partitions: fc.array(partition),
  }),
  topicDeleted: fc.record({ type: fc.constant('topicDeleted'), topicId: uuid }),
  topicsDeletedBefore: fc.record({
    type: fc.constant('topicsDeletedBefore'),
    topicIds: fc.array(uuid),
  }),
  partitionsChanged: fc.record({
    type: fc.constant('partitionsChanged'),
    topicId: uuid,
    partitions: fc.array(partition),
  }),
  topicConfigsChanged: fc.record({
    type: fc.constant('topicConfigsChanged'),
    topicId: uuid,
    configs: fc.array(fc.record({ name: fc.string(), value: fc.option(fc.string()) })),
  }),
  brokerConfigsChanged: fc.record({
    type: fc.constant('brokerConfigsChanged'),
    brokerId: fc.option(id),
    configs: fc.array(fc.record({ name: fc.string(), value: fc.option(fc.string()) })),
  }),
  groupConfigsChanged: fc.record({
    type: fc.constant('groupConfigsChanged'),
    groupId: fc.string({ unit: 'binary' }),
    configs: fc.array(fc.record({ name: fc.string(), value: fc.option(fc.string()) })),
  }),
  scramCredentialChanged: fc.record({
    type: fc.constant('scramCredentialChanged'),
    user: fc.string({ unit: 'binary' }),
    mechanism: fc.string(),
    credential: fc.option(
      fc.record({
        salt: fc.string(),
        storedKey: fc.string(),
        serverKey: fc.string(),
        iterations: fc.integer({ min: 1 }),
      }),
    ),
  }),
  producerIdsAllocated: fc.record({
    type: fc.constant('producerIdsAllocated'),
    brokerId: id,
    firstProducerId: fc.maxSafeNat(),
    count: fc.integer({ min: 1 }),
  }),
}
const record = fc.oneof(...(Object.values(kinds) as fc.Arbitrary<MetadataRecord>[]))

const deleted = { type: 'topicDeleted', version: 1, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }
const batchOf = (value: unknown): Uint8Array =>
  utf8(JSON.stringify({ format: 1, records: [value] }))

describe('a batch of records', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1 }), records => {
        expect(decodeBatch(encodeBatch(records))).toEqual(records)
      }),
    )
  })

  test('is as long as its records and little more', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1 }), records => {
        const bytes = records.reduce((sum, each) => sum + utf8(encodeRecord(each)).length + 1, 0)
        expect(encodeBatch(records).length).toBeLessThanOrEqual(bytes + batchOverheadBytes)
      }),
    )
  })

  test.each([
    [
      'a type from the future',
      { ...deleted, type: 'topicFrozen' },
      /records\[0\].*topicFrozen.*run the version/,
    ],
    ['an inherited name as type', { ...deleted, type: 'toString' }, /does not know/],
    [
      'a version from the future',
      { ...deleted, version: 2 },
      /topicDeleted in version 2; run the version/,
    ],
    ['no version', { ...deleted, version: undefined }, /in version undefined/],
    [
      'a missing field',
      { ...deleted, topicId: undefined },
      /topicId should be a uuid.* is missing/,
    ],
    ['a field of another type', { ...deleted, topicId: 7 }, /topicId should be a uuid.*, and is 7/],
    ['a field too many', { ...deleted, reason: 'x' }, /unknown field reason/],
    ['no object', 7, /records\[0\] is not an object/],
    [
      'a bad item in a list',
      { type: 'producerIdsAllocated', version: 1, brokerId: -1, firstProducerId: 0, count: 1 },
      /brokerId should be a whole number of at least 0, and is -1/,
    ],
  ])('with %s is refused', (_, value, message) => {
    expect(() => decodeBatch(batchOf(value))).toThrow(message)
  })

  test('of version 1, whose clusters had one broker, tells the directory that stands for it', () => {
    const epochs = { leaderEpoch: 4, partitionEpoch: 5 }
    const partition = { index: 0, replicas: [7], isr: [7], elr: [], leader: 7, ...epochs }
    const named = { version: 1, topicId: deleted.topicId }
    const start = { brokerId: 7, brokerEpoch: 2, incarnationId: deleted.topicId }
    const batch = [
      { type: 'brokerRegistered', version: 1, ...start, rack: null, listeners: [] },
      { type: 'partitionsChanged', ...named, partitions: [partition] },
      { type: 'partitionsAdded', ...named, partitions: [partition] },
      {
        type: 'topicCreated',
        ...named,
        name: 't',
        isInternal: false,
        configs: [],
        partitions: [partition],
      },
    ]
    const read = batch.flatMap(each => decodeBatch(batchOf(each)))
    const directoryId = legacyDirectoryId(7)
    const upgraded = {
      ...partition,
      isr: [directoryId],
      lastKnownElr: [],
      addingReplicas: [],
      removingReplicas: [],
      isRecovering: false,
    }
    expect(read[0]).toMatchObject({ ...start, directoryId, isFenced: false, peer: null })
    for (const each of read.slice(1)) expect(each).toMatchObject({ partitions: [upgraded] })
    expect(decodeBatch(encodeBatch(read))).toEqual(read)
    expect(new Set([0, 1, 258, 2 ** 40].map(legacyDirectoryId)).size).toBe(4)
  })

  test.each([
    ['no JSON', utf8('{'), /not JSON/],
    ['no UTF-8', Uint8Array.of(0xff), /not JSON/],
    ['a list', utf8('[]'), /no JSON object/],
    ['another format', utf8('{"format":2,"records":[]}'), /batch format 2/],
  ])('that is %s is refused', (_, payload, message) => {
    expect(() => decodeBatch(payload)).toThrow(message)
  })

  test('of any bytes is read or refused with a RecordFormatError', () => {
    const mutated = fc.tuple(fc.array(record, { minLength: 1 }), fc.nat(), fc.nat(255))
    fc.assert(
      fc.property(mutated, ([records, at, byte]) => {
        const payload = encodeBatch(records)
        payload[at % payload.length] = byte
        try {
          decodeBatch(payload)
        } catch (error) {
          expect((error as Error).name).toBe('RecordFormatError')
        }
      }),
    )
  })
})
