import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { offsetsTopicName } from '../../src/lib/topic-name.ts'
import { partitionOf } from '../../src/broker/coordinator/offsets-topic.ts'
import { decodeGroupRecord, encodeGroupRecord } from '../../src/broker/coordinator/record-format.ts'
import type { GroupRecord, GroupValue } from '../../src/broker/coordinator/groups/records.ts'
import {
  batchOverheadBytes,
  encodeBatch,
  readBatchHeader,
  stampBatch,
} from '../../src/broker/log/batch/batch.ts'
import { readRecords } from '../../src/broker/log/batch/records.ts'

/** What a broken disk, or a broken broker, could do to a data directory: to see whether a checker notices. */

/** One batch in a segment file. */
interface BatchAt {
  readonly from: number
  readonly to: number
  readonly baseOffset: number
  readonly count: number
}

/** Cuts the last half of its batches off the newest segment of a partition: more than can be unanswered. */
export function cutLastBatches(dataDir: string, partition: string): void {
  const { path, bytes, batches } = newestSegment(dataDir, partition)
  const half = batches[Math.floor(batches.length / 2)]!
  writeFileSync(path, bytes.subarray(0, half.from))
}

/** Appends a copy of the last batch, with the offsets that come next. Both lie outside of the batch's CRC. */
export function repeatLastBatch(dataDir: string, partition: string): void {
  const { path, bytes, batches } = newestSegment(dataDir, partition)
  const last = batches.at(-1)!
  const copy = Uint8Array.from(bytes.subarray(last.from, last.to))
  stampBatch(copy, 0, last.baseOffset + last.count, 0)
  writeFileSync(path, Buffer.concat([bytes.subarray(0, last.to), copy]))
}

/** Lets the first two batches of the newest segment change places, with right offsets and right CRCs. */
export function swapBatches(dataDir: string, partition: string): void {
  const { path, bytes, batches } = newestSegment(dataDir, partition)
  const [first, second] = batches
  if (first === undefined || second === undefined) throw new Error(`${path} has one batch`)
  const before = Uint8Array.from(bytes.subarray(second.from, second.to))
  const after = Uint8Array.from(bytes.subarray(first.from, first.to))
  stampBatch(before, 0, first.baseOffset, 0)
  stampBatch(after, 0, first.baseOffset + second.count, 0)
  writeFileSync(path, Buffer.concat([before, after, bytes.subarray(second.to)]))
}

/** Appends a record of a group, as if the broker had written it in place of what it acknowledged. */
export function appendGroupRecord(dataDir: string, record: GroupRecord): void {
  const { path, bytes, batches } = newestSegment(dataDir, offsetsPartitionOf(record.groupId))
  const last = batches.at(-1)!
  const batch = encodeBatch({
    records: [{ offsetDelta: 0, ...encodeGroupRecord(record) }],
    baseTimestamp: Date.now(),
    baseOffset: last.baseOffset + last.count,
    leaderEpoch: 0,
  })
  writeFileSync(path, Buffer.concat([bytes.subarray(0, last.to), batch]))
}

/** What the log last said of a group's members. */
export function lastGroupValue(dataDir: string, groupId: string): GroupValue {
  const { path, bytes, batches } = newestSegment(dataDir, offsetsPartitionOf(groupId))
  for (const { from, to, count } of batches.toReversed()) {
    const records = [...readRecords(bytes.subarray(from + batchOverheadBytes, to), { count })]
    for (const { key, value } of records.toReversed()) {
      const record = decodeGroupRecord(key!, value)
      if (record?.type === 'group' && record.groupId === groupId && record.value !== null) {
        return record.value
      }
    }
  }
  throw new Error(`${path} does not know ${groupId}`)
}

/** `TOPIC-PARTITION` of the offsets topic's partition that keeps a group. */
export function offsetsPartitionOf(groupId: string): string {
  return `${offsetsTopicName}-${partitionOf(groupId, 50)}`
}

/** Flips one bit inside of the first batch of the oldest segment. */
export function flipFirstBatch(dataDir: string, partition: string): void {
  const [path] = segments(dataDir, partition)
  const bytes = readFileSync(path!)
  bytes[batchOverheadBytes + 4]! ^= 0x10
  writeFileSync(path!, bytes)
}

/** Makes the header of the first batch of the oldest segment one of another offset: outside of its CRC. */
export function misplaceFirstBatch(dataDir: string, partition: string): void {
  const [path] = segments(dataDir, partition)
  const bytes = readFileSync(path!)
  stampBatch(bytes, 0, 1_000_000, 0)
  writeFileSync(path!, bytes)
}

/** Folder of `TOPIC-PARTITION`, whose name goes on with the topic's id. */
function folderOf(dataDir: string, partition: string): string {
  const found = readdirSync(dataDir).find(name => name.startsWith(`${partition}.`))
  if (found === undefined) throw new Error(`no folder of ${partition} in ${dataDir}`)
  return join(dataDir, found)
}

/** Segment files of a partition, oldest first. */
export function segments(dataDir: string, partition: string): string[] {
  const folder = folderOf(dataDir, partition)
  const names = readdirSync(folder).filter(name => name.endsWith('.log'))
  return names.toSorted().map(name => join(folder, name))
}

/** The newest segment that holds anything. */
function newestSegment(dataDir: string, partition: string) {
  const path = segments(dataDir, partition)
    .filter(name => statSync(name).size > 0)
    .at(-1)
  if (path === undefined) throw new Error(`${partition} is empty`)
  const bytes = readFileSync(path)
  const batches: BatchAt[] = []
  for (let at = 0; at + batchOverheadBytes <= bytes.length;) {
    const { baseOffset, sizeBytes, count } = readBatchHeader(bytes, at)
    if (sizeBytes < batchOverheadBytes || at + sizeBytes > bytes.length) break
    batches.push({ from: at, to: at + sizeBytes, baseOffset, count })
    at += sizeBytes
  }
  if (batches.length === 0) throw new Error(`${path} has no whole batch`)
  return { path, bytes, batches }
}
