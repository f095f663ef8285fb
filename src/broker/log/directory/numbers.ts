import { type Disk, DiskError } from '../../../env/disk.ts'
import type { StallNumbers } from './host.ts'

/** What a directory tells of itself. */
export interface DirectoryNumbers extends StallNumbers {
  readonly unflushedBytes: number
  readonly unflushedAgeMs: number
  /** By how much the latest planned flush is late, 0 where none is. */
  readonly flushOverdueMs: number
  /** Bytes that no write-back has finished with. */
  readonly dirtyBytes: number
  readonly isOverDirtyBudget: boolean
  /** Logs that were set aside, by this run or an earlier one. */
  readonly strayLogs: number
}

export type DiskSpace = ReturnType<Disk['space']>

export function spaceOf(disk: Disk, path: string): DiskSpace | null {
  try {
    return disk.space(path)
  } catch (error) {
    if (error instanceof DiskError) return null
    throw error
  }
}
