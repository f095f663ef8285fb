import { errors, type ErrorName } from '../wire/errors.ts'
import type { EpochCache } from './epoch-cache.ts'
import type { LogConfig } from './log-config.ts'
import type { LogHost } from './log-host.ts'
import type { LogId } from './log-id.ts'
import type { ProducerStates } from './producers/states.ts'
import type { SegmentList } from './segment/segment.ts'

/** What the parts of one log share: append, read, retention and flush all work on this. */
export interface LogState {
  readonly id: LogId
  /** Name and path of the log's directory. */
  readonly name: string
  path: string
  readonly host: LogHost
  config: LogConfig
  readonly segments: SegmentList
  readonly epochs: EpochCache
  /** Of everything appended and staged. */
  readonly producers: ProducerStates
  /** The first offset that may be read; never falls. Invariant: startOffset <= endOffset. */
  startOffset: number
  /** Batches below are written: visible to readers. */
  endOffset: number
  /** Batches below are on the device. Invariant: durableOffset <= endOffset. */
  durableOffset: number
  /** Files were made or removed in the log's directory since it was last synced. */
  isDirectoryDirty: boolean
  /** Epochs changed since the leader-epoch checkpoint was written. */
  areEpochsDirty: boolean
  /** Why this log, alone, is out of service: damage, or EIO on read. */
  offline: string | null
  isClosed: boolean
  /** Resolves when the index and snapshot files of all closed segments are written. */
  sealing: Promise<void>
}

export interface StorageRefusal {
  readonly error: ErrorName
  readonly message: string
}

/** Why nothing can be read or appended, or null. */
export function refusal({ host, offline, isClosed }: LogState): StorageRefusal | null {
  if (host.failure !== null) {
    return {
      error: errors.KAFKA_STORAGE_ERROR.name,
      message: `The data directory failed: ${host.failure.message}.`,
    }
  }
  if (offline !== null) return { error: errors.KAFKA_STORAGE_ERROR.name, message: offline }
  if (isClosed) {
    return { error: errors.KAFKA_STORAGE_ERROR.name, message: 'The log was closed or removed.' }
  }
  return null
}

/** Takes this log, and no other, out of service. What it holds stays as it is (reliability.md 3.7). */
export function takeOffline(state: LogState, why: string): StorageRefusal {
  if (state.offline === null) {
    state.offline = why
    state.host.warn('Took a damaged partition out of service', { log: state.name, reason: why })
  }
  return { error: errors.KAFKA_STORAGE_ERROR.name, message: state.offline }
}
