import { batchOverheadBytes, encodeRecord, type MetadataRecord } from '../../metadata/records.ts'
import type { Command } from './commands.ts'

/** Records that are appended together, and their texts. */
export interface Part {
  readonly records: readonly MetadataRecord[]
  readonly encoded: readonly string[]
}

/**
 * One decision's records as several appends of at most `bytesMax`, or `recordBytesMax` where one record alone is larger; null where a
 * record is larger than that. Each topic, or resource with configs, is one record: it changes as a whole or not at all, and
 * what a config changes of partitions comes with it. A crash between two appends leaves the first ones done; what was to follow is done
 * at the broker's next start, or by the next controller.
 */
export function partsOf(
  records: readonly MetadataRecord[],
  limits: { readonly bytesMax: number; readonly recordBytesMax: number },
): Part[] | null {
  const parts: { records: MetadataRecord[]; encoded: string[] }[] = []
  let bytes = Infinity
  for (const unit of unitsOf(records)) {
    const texts = unit.map(encodeRecord)
    const added = texts.reduce((sum, text) => sum + encodedBytes(text), 0)
    if (added + batchOverheadBytes > limits.recordBytesMax) return null
    if (bytes + added > limits.bytesMax) {
      parts.push({ records: [], encoded: [] })
      bytes = batchOverheadBytes
    }
    parts.at(-1)!.records.push(...unit)
    parts.at(-1)!.encoded.push(...texts)
    bytes += added
  }
  return parts
}

/** With the comma. */
export function encodedBytes(text: string): number {
  return Buffer.byteLength(text) + 1
}

/** Whether a crash may leave some of a command's records and not the others: the credentials of a user belong together. */
export function mayBeSplit({ type }: Command): boolean {
  return type !== 'alterScramUsers'
}

/**
 * What is appended together. Partitions that a config changes do so in the moment that it does: with one and not the other they
 * would count records as committed that too few have (durability.md R8).
 */
function unitsOf(records: readonly MetadataRecord[]): MetadataRecord[][] {
  const units: MetadataRecord[][] = []
  for (const record of records) {
    const config = units.at(-1)?.[0]
    const isBound =
      config?.type === 'topicConfigsChanged' || config?.type === 'brokerConfigsChanged'
    if (record.type === 'partitionsChanged' && isBound) units.at(-1)!.push(record)
    else units.push(...slices(record).map(slice => [slice]))
  }
  return units
}

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
