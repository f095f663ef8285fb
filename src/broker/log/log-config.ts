/** What a log does, from the topic's config over the broker's settings; Kafka's names in camelCase. */
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
  readonly cleanupPolicy: 'delete' | 'compact' | 'compact,delete'
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  readonly flushPolicy: FlushPolicy
  /** Age at which unflushed bytes are flushed under `interval`. */
  readonly flushMs: number
  /** How long a removed segment's file stays, for fetches that are under way. */
  readonly fileDeleteDelayMs: number
  readonly producerIdExpirationMs: number
  readonly producerCountMax: number
}

/** The codec that batches are stored in; `producer`: the one that they come in. */
export type CompressionType = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** reliability.md 3.6: in the background, before a batch counts, or when the kernel likes. */
export type FlushPolicy = 'interval' | 'ack' | 'os'

/** Kafka's defaults; the broker builds its own from the table of settings, tests start here. */
export const defaultLogConfig: LogConfig = {
  segmentBytes: 1024 ** 3,
  segmentMs: 7 * 24 * 3_600_000,
  segmentIndexBytes: 10 * 1024 ** 2,
  indexIntervalBytes: 4096,
  retentionBytes: -1,
  retentionMs: 7 * 24 * 3_600_000,
  maxMessageBytes: 1_048_588,
  compressionType: 'producer',
  cleanupPolicy: 'delete',
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  messageTimestampAfterMaxMs: 3_600_000,
  flushPolicy: 'interval',
  flushMs: 1000,
  fileDeleteDelayMs: 60_000,
  producerIdExpirationMs: 24 * 3_600_000,
  producerCountMax: 100_000,
}

export function isCompacted(config: LogConfig): boolean {
  return config.cleanupPolicy !== 'delete'
}
