import type { Disk } from '../../../env/disk.ts'
import { StoreError } from '../store.ts'

/** @throws StoreError `unsuitable` for NFS, SMB, FUSE and their like */
export function refuseNetwork(disk: Disk, path: string): void {
  const { type, isNetwork } = disk.fileSystem(path)
  if (!isNetwork) return
  throw new StoreError(
    'unsuitable',
    `The metadata directory ${path} lies on a file system of type ${type}, whose locks and fsync do not hold ` +
      'across machines. Put it on a local disk (ext4, xfs ...).',
  )
}
