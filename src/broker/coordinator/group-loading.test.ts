import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { crc32c } from '../../lib/crc32c.ts'
import { concat, utf8 } from '../../lib/bytes.ts'
import { realClock } from '../../env/real/clock.ts'
import { zeroUuid } from '../../lib/uuid.ts'
import { batchOverheadBytes, encodeBatch, type BatchInput } from '../log/batch/batch.ts'
import { encodeRecords } from '../log/batch/records.ts'
import { createCodecs } from '../log/compression/codecs.ts'
import type { Partition } from '../partition/partition.ts'
import type { GroupRecord } from './groups/records.ts'
import { loadGroups } from './group-loading.ts'
import { encodeGroupRecord, type KeyAndValue } from './record-format.ts'

type Warning = Readonly<Record<string, unknown>>

/** A partition that is these batches, one range each, from `startOffset` on. */
function partitionOf(
  inputs: readonly BatchInput[],
  startOffset = 0,
  damage: (bytes: Uint8Array) => void = () => {},
): Partition {
  let endOffset = 0
  const batches = inputs.map(input => {
    const bytes = encodeBatch({ ...input, baseOffset: endOffset })
    damage(bytes)
    const baseOffset = endOffset
    endOffset += 'count' in input.records ? input.records.count : input.records.length
    return { bytes, baseOffset, endOffset }
  })
  const read = ({ fetchOffset }: { readonly fetchOffset: number }) => {
    const found = batches.find(batch => batch.endOffset > fetchOffset)!
    const file = {
      path: 'segment',
      readAsync: async (at: number, into: Uint8Array) => {
        into.set(found.bytes.subarray(at, at + into.length))
        return into.length
      },
    }
    const range = { file, position: 0, length: found.bytes.length }
    return Promise.resolve({ error: 'NONE', range })
  }
  const of = { id: { partition: 3 }, highWatermark: endOffset, extent: { startOffset }, read }
  return of as unknown as Partition
}

async function load(inputs: readonly BatchInput[], startOffset?: number) {
  const warnings: Warning[] = []
  const codecs = createCodecs(realClock)
  const warn = (_: string, fields: Warning): void => void warnings.push(fields)
  const groups = await loadGroups(partitionOf(inputs, startOffset), { codecs, crc32c, warn })
  const offsets = Array.from(groups.all(), ({ groupId, offsets: topics }) => {
    const flat = [...topics].flatMap(([topic, partitions]) => {
      return Array.from(partitions, ([partition, { offset }]) => `${topic}-${partition}@${offset}`)
    })
    return `${groupId}: ${flat.join(' ')}`
  })
  return { offsets, warnings }
}

function commit(groupId: string, partition: number, offset: number | null): KeyAndValue {
  const of = { topicId: zeroUuid, leaderEpoch: -1, metadata: '', commitTimeMs: 1, expireTimeMs: -1 }
  const value = offset === null ? null : { ...of, offset }
  const record: GroupRecord = { type: 'offset', groupId, topic: 'orders', partition, value }
  return encodeGroupRecord(record)
}

test('of each partition of a group the last commit counts, and none where it was deleted', async () => {
  const { offsets, warnings } = await load([
    { records: [commit('a', 0, 1), commit('b', 0, 2), commit('a', 1, 3)] },
    { records: [commit('a', 0, 4), commit('c', 0, 5)] },
    { records: [commit('b', 0, null), commit('c', 0, 6), commit('c', 0, 7)] },
  ])
  expect(offsets).toEqual(['a: orders-0@4 orders-1@3', 'c: orders-0@7'])
  expect(warnings).toEqual([])
})

test('what is compressed is opened, what is no record of a group passed over', async () => {
  const packed = [commit('a', 0, 2), commit('b', 0, 3)]
  const bytes = gzipSync(encodeRecords(packed))
  const { offsets, warnings } = await load([
    { records: [commit('a', 0, 1)] },
    { records: { codec: 1, bytes, count: packed.length } },
    { records: [{ key: utf8('ab'), value: utf8('a marker') }], control: true },
    { records: [{ key: null, value: utf8('no key') }] },
    { records: { codec: 1, bytes: new Uint8Array(0), count: 0 }, lastOffsetDelta: 0 },
  ])
  expect(offsets).toEqual(['a: orders-0@2', 'b: orders-0@3'])
  expect(warnings).toEqual([])
})

test('what lies below the start does not count, also in the batch that holds it', async () => {
  const inputs = [{ records: [commit('a', 0, 1), commit('b', 0, 2)] }]
  expect((await load(inputs, 1)).offsets).toEqual(['b: orders-0@2'])
})

test('where the last record of a key is not understood, the one before it counts, and both are told of', async () => {
  const { key } = commit('a', 0, 0)
  const strange = concat([Uint8Array.of(0, 99), utf8('of a later version')])
  const { offsets, warnings } = await load([
    { records: [commit('a', 0, 1), commit('b', 0, 1)] },
    { records: [commit('a', 0, 2), { key, value: strange }] },
    { records: [{ key, value: strange.subarray(0, 1) }, commit('b', 0, 2)] },
  ])
  expect(offsets).toEqual(['b: orders-0@2', 'a: orders-0@2'])
  expect(warnings).toMatchObject([
    { partition: 3, offset: 3, reason: expect.stringContaining('version 99') },
    { partition: 3, offset: 4 },
  ])
})

test('a key that is not understood is told of once', async () => {
  const key = Uint8Array.of(0, 1, 0, 9)
  const record = { key, value: utf8('x') }
  const { offsets, warnings } = await load([{ records: [record] }, { records: [record] }])
  expect(offsets).toEqual([])
  expect(warnings).toMatchObject([{ offset: 1 }])
})

test('a damaged batch ends the loading', async () => {
  const partition = partitionOf([{ records: [commit('a', 0, 1)] }], 0, bytes => {
    bytes[batchOverheadBytes + 3]! ^= 1
  })
  const options = { codecs: createCodecs(realClock), crc32c, warn: () => {} }
  await expect(loadGroups(partition, options)).rejects.toThrow('offset 0 is damaged')
})
