import {
  batchOverheadBytes,
  encodeRecord,
  type MetadataRecord,
  type RecordOf,
} from '../../metadata/records.ts'
import {
  freezeConfig,
  leadershipDrainConfig,
  minInsyncReplicasConfig,
  uncleanElectionConfig,
} from '../../metadata/decided-configs.ts'
import type { Command } from './commands.ts'

/** Records that are appended together, and their texts. */
export interface Part {
  readonly records: readonly MetadataRecord[]
  readonly encoded: readonly string[]
}

/**
 * One decision's records as several appends of at most `bytesMax`, or `recordBytesMax` where one record alone is larger; null where a
 * record is larger than that. Each topic, or resource with configs, is one record: it changes as a whole or not at all, and
 * what a config changes of partitions comes with it where one append can hold that. A crash between two appends leaves the first ones done; what was to follow is done
 * at the broker's next start, or by the next controller.
 */
export function partsOf(
  records: readonly MetadataRecord[],
  limits: { readonly bytesMax: number; readonly recordBytesMax: number },
): Part[] | null {
  const parts: { records: MetadataRecord[]; encoded: string[] }[] = []
  let bytes = Infinity
  for (const unit of unitsOf(records, limits.recordBytesMax)) {
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

/** What is appended together: partitions that a config changes do so in the moment that it does, unless they are too many. */
function unitsOf(records: readonly MetadataRecord[], bytesMax: number): MetadataRecord[][] {
  const units: MetadataRecord[][] = []
  for (const record of records) {
    const isBound = isConfig(units.at(-1)?.[0])
    if (record.type === 'partitionsChanged' && isBound) units.at(-1)!.push(record)
    else units.push(...slices(record).map(slice => [slice]))
  }
  return units.flatMap(unit => (isTooLarge(unit, bytesMax) ? apart(unit) : [unit]))
}

function isTooLarge(unit: readonly MetadataRecord[], bytesMax: number): boolean {
  if (unit.length === 1) return false
  const bytes = unit.reduce((sum, record) => sum + encodedBytes(encodeRecord(record)), 0)
  return bytes + batchOverheadBytes > bytesMax
}

type ConfigRecord = RecordOf<'topicConfigsChanged'> | RecordOf<'brokerConfigsChanged'>

function isConfig(record: MetadataRecord | undefined): record is ConfigRecord {
  return record?.type === 'topicConfigsChanged' || record?.type === 'brokerConfigsChanged'
}

/**
 * A config and the partitions that it changes, one after the other, in an order in which each beginning is as safe as the whole. Where
 * fewer in sync are to be enough, nobody may be eligible any more for having left a set that was too small, before it is so: who leads
 * may commit without him from then on (durability.md R8). All else follows from the config, and is completed by the next controller
 * where this one comes to its end in between. Several of these configs at once have no such order.
 */
function apart(unit: readonly MetadataRecord[]): MetadataRecord[][] {
  const [config, ...changes] = unit
  const names = isConfig(config) ? config.configs.map(({ name }) => name) : []
  const decisive = names.filter(name => configsOfPartitions.includes(name))
  if (decisive.length !== 1) return [[...unit]]
  const isFewer = decisive[0] === minInsyncReplicasConfig
  const ordered = isFewer ? [...changes, config!] : unit
  return ordered.flatMap(slices).map(record => [record])
}

/** By which the controller changes partitions. */
const configsOfPartitions: readonly string[] = [
  minInsyncReplicasConfig,
  uncleanElectionConfig,
  leadershipDrainConfig,
  freezeConfig,
]

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
