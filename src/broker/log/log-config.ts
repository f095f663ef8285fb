/**
 * What a log needs to know of its topic's configs, by their names in camelCase. The values come from `config/`, which
 * has the one table of them: defaults, ranges and what each means.
 */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  /** How much earlier than that a segment may be closed, by chance. */
  readonly segmentJitterMs: number
  /** Segments get their place on the device when they are made. */
  readonly preallocate: boolean
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  /** -1: no limit. */
  readonly retentionBytes: number
  /** -1: no limit. */
  readonly retentionMs: number
  readonly maxMessageBytes: number
  readonly compressionType: CompressionType
  /** -1: zlib's own default. */
  readonly compressionGzipLevel: number
  readonly compressionZstdLevel: number
  /** Empty: everything stays. */
  readonly cleanupPolicy: '' | 'delete' | 'compact' | 'compact,delete'
  /** Above this share of dirty bytes a compacted log is cleaned; 0 to 1. */
  readonly minCleanableDirtyRatio: number
  /** How long a tombstone stays after it was cleaned for the first time. */
  readonly deleteRetentionMs: number
  /** A record stays at least so long. */
  readonly minCompactionLagMs: number
  /** A log is cleaned when a record waits for longer, however little is dirty. */
  readonly maxCompactionLagMs: number
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  readonly flushPolicy: FlushPolicy
  /** Age at which unflushed bytes are flushed under `interval`. */
  readonly flushMs: number
  /** Records without a flush at which one begins, whatever the policy. */
  readonly flushMessages: number
  /** How long a removed segment's file stays, for fetches that are under way. */
  readonly fileDeleteDelayMs: number
  readonly producerIdExpirationMs: number
  readonly producerIdCountMax: number
}

/** The codec that batches are stored in; `producer`: the one that they come in. */
export type CompressionType = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** durability.md 3.6: in the background, before a batch counts, or when the kernel likes. */
type FlushPolicy = 'interval' | 'ack' | 'os'

export function isCompacted(config: LogConfig): boolean {
  return config.cleanupPolicy.includes('compact')
}
