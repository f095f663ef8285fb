import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Kafka's names of the codecs, by their number in a batch's attributes. */
export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export type CodecName = (typeof codecNames)[number]

/** What the header of one batch on disk says. */
export interface BatchOnDisk {
  readonly baseOffset: number
  readonly codec: CodecName
  readonly count: number
  /** Milliseconds since 1970; the time of append where the topic says so. */
  readonly maxTimestamp: number
  readonly producerId: number
  readonly sizeBytes: number
}

/**
 * The batches in the segments of one partition, read by nothing of the broker's: clients that think that a
 * broker cannot take a codec send uncompressed without a word (G2), and only the disk shows it.
 */
export function batchesOnDisk(dataDir: string, topic: string, partition: number): BatchOnDisk[] {
  const folder = partitionFolder(dataDir, topic, partition)
  const segments = readdirSync(folder).filter(name => name.endsWith('.log'))
  return segments.toSorted().flatMap(name => batchesOf(readFileSync(join(folder, name))))
}

/** `TOPIC-PARTITION.TOPICID` (FORMAT.md); Kafka's own has no id. */
export function partitionFolder(dataDir: string, topic: string, partition: number): string {
  const wanted = `${topic}-${partition}`
  const found = readdirSync(dataDir).filter(name => name.replace(/\.[\w-]{22}$/, '') === wanted)
  if (found.length !== 1) throw new Error(`${found.length} folders of ${wanted} in ${dataDir}`)
  return join(dataDir, found[0]!)
}

function batchesOf(bytes: Buffer): BatchOnDisk[] {
  const batches: BatchOnDisk[] = []
  let at = 0
  // A segment's end may be allocated and not written yet.
  while (at + 61 <= bytes.length && bytes.readInt32BE(at + 8) > 0) {
    const sizeBytes = 12 + bytes.readInt32BE(at + 8)
    batches.push({
      baseOffset: Number(bytes.readBigInt64BE(at)),
      codec: codecNames[bytes.readInt16BE(at + 21) & 7] ?? 'none',
      count: bytes.readInt32BE(at + 57),
      maxTimestamp: Number(bytes.readBigInt64BE(at + 35)),
      producerId: Number(bytes.readBigInt64BE(at + 43)),
      sizeBytes,
    })
    at += sizeBytes
  }
  return batches
}

/** The codecs that occur in a partition, in the order of their numbers. */
export function codecsOnDisk(dataDir: string, topic: string, partition: number): CodecName[] {
  const seen = new Set(batchesOnDisk(dataDir, topic, partition).map(batch => batch.codec))
  return codecNames.filter(name => seen.has(name))
}
