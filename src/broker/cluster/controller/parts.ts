import { batchOverheadBytes, encodeRecord, type MetadataRecord } from '../../metadata/records.ts'
import type { Command } from './commands.ts'

/** Records that are appended together, and their texts. */
export interface Part {
  readonly records: readonly MetadataRecord[]
  readonly encoded: readonly string[]
}

/**
 * One command's records as several appends of at most `bytesMax`, or `recordBytesMax` where one record alone is larger; null where a
 * record is larger than that, or the command's records belong together. Each topic, or resource with configs, is one
 * record: it changes as a whole or not at all. A crash between two appends leaves the first ones done; of a registration that is
 * the broker's epoch, and its next start does the rest again.
 */
export function partsOf(
  command: Command,
  records: readonly MetadataRecord[],
  limits: { readonly bytesMax: number; readonly recordBytesMax: number },
): Part[] | null {
  if (!mayBeSplit.has(command.type)) return null
  const parts: { records: MetadataRecord[]; encoded: string[] }[] = []
  let bytes = Infinity
  for (const record of records.flatMap(each => slices(each))) {
    const text = encodeRecord(record)
    const added = encodedBytes(text)
    if (added + batchOverheadBytes > limits.recordBytesMax) return null
    if (bytes + added > limits.bytesMax) {
      parts.push({ records: [], encoded: [] })
      bytes = batchOverheadBytes
    }
    parts.at(-1)!.records.push(record)
    parts.at(-1)!.encoded.push(text)
    bytes += added
  }
  return parts
}

/** With the comma. */
export function encodedBytes(text: string): number {
  return Buffer.byteLength(text) + 1
}

/** The credentials of a user belong together; the rest have one record only. */
const mayBeSplit: ReadonlySet<Command['type']> = new Set([
  'createTopics',
  'createPartitions',
  'deleteTopics',
  'alterConfigs',
  'registerBroker',
] as const)

/** Partitions of one record of changes. */
const sliceLength = 1_000

/** New states of partitions do not depend on each other; whatever else is in a record belongs together. */
function slices(record: MetadataRecord): MetadataRecord[] {
  if (record.type !== 'partitionsChanged') return [record]
  const { partitions } = record
  const count = Math.ceil(partitions.length / sliceLength)
  return Array.from({ length: count }, (_, at) => {
    const slice = partitions.slice(at * sliceLength, (at + 1) * sliceLength)
    return { ...record, partitions: slice }
  })
}
