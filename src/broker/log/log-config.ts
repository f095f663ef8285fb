/**
 * What a log needs to know of its topic's configs, by their names in camelCase. The values come from `config/`, which
 * has the one table of them: defaults, ranges and what each means.
 */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  /** -1: no limit. */
  readonly retentionBytes: number
  /** -1: no limit. */
  readonly retentionMs: number
  readonly maxMessageBytes: number
  readonly compressionType: CompressionType
  /** Empty: everything stays. */
  readonly cleanupPolicy: '' | 'delete' | 'compact' | 'compact,delete'
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  readonly flushPolicy: FlushPolicy
  /** Age at which unflushed bytes are flushed under `interval`. */
  readonly flushMs: number
  /** How long a removed segment's file stays, for fetches that are under way. */
  readonly fileDeleteDelayMs: number
  readonly producerIdExpirationMs: number
  readonly producerIdCountMax: number
}

/** The codec that batches are stored in; `producer`: the one that they come in. */
export type CompressionType = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** reliability.md 3.6: in the background, before a batch counts, or when the kernel likes. */
export type FlushPolicy = 'interval' | 'ack' | 'os'

export function isCompacted(config: LogConfig): boolean {
  return config.cleanupPolicy.includes('compact')
}
