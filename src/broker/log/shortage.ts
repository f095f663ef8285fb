import type { DiskError } from '../../env/env.ts'

/**
 * True where something was full, and nothing that was written is in doubt: it may be tried again. The disk, or
 * the table of descriptors; an fsync that says ENOSPC is another thing (durability.md 3.4), while EMFILE comes
 * from opening the directory that it was for.
 */
export function isPassing({ isFull, isOutOfDescriptors, isOfSync }: DiskError): boolean {
  return isOutOfDescriptors || (isFull && !isOfSync)
}
