import type { Env } from '../../../env/env.ts'
import type { CompactionLane } from '../cleaner/compaction-lane.ts'
import type { Codecs } from '../compression/codecs.ts'
import type { LogId } from '../log-id.ts'
import type { recoverLog } from '../recovery/recovery.ts'
import type { Registration } from '../recovery/start-class.ts'
import type { Claim } from './identity.ts'
import type { LogDirectorySettings } from './settings.ts'

export interface LogDirectoryOptions {
  /** Absolute, or relative to the working directory; made where it is missing. */
  readonly path: string
  readonly env: Env
  readonly settings: LogDirectorySettings
  readonly clusterId: string
  readonly brokerId: number
  /** Of the permission to format an empty directory; null or left out where nobody counts. */
  readonly incarnation?: number | null
  /** The directory where it is taken already: it is this one's from here on. Left out: it is taken here. */
  readonly claim?: Claim
  /** Logs that must be there where the directory cannot tell (`Shelf`); left out: none. */
  readonly expected?: () => Iterable<LogId>
  /** /proc/sys/kernel/random/boot_id; empty where unknown: then a crash counts as one of the machine. */
  readonly bootId: string
  /** Left out where no cluster stands behind the directory: then runs are not told by it. */
  readonly registration?: Registration | null
  readonly hooks?: LogDirectoryHooks
  readonly codecs?: Codecs
  /** Where logs are compacted: in a thread where left out. */
  readonly compactionLane?: (() => CompactionLane) | undefined
  /** The high watermark of a log, which compaction does not pass; all of it where left out. */
  readonly committedOffset?: (id: LogId) => number
  /** How the files of a log become a log. */
  readonly recover?: typeof recoverLog
}

interface LogDirectoryHooks {
  /** Something for the log: a constant message and its fields. */
  warn?(message: string, fields: Readonly<Record<string, unknown>>): void
}
