import { statfsSync, statSync } from 'node:fs'
import type { FileSystem } from '../disk.ts'

type Nature = 'local' | 'memory' | 'network'

/** Magic numbers of statfs(2), from linux/magic.h and the file systems' own headers. */
const byMagic: ReadonlyMap<number, readonly [name: string, nature: Nature]> = new Map([
  [0xef53, ['ext4', 'local']],
  [0x58465342, ['xfs', 'local']],
  [0x9123683e, ['btrfs', 'local']],
  [0x2fc12fc1, ['zfs', 'local']],
  [0xf2f52010, ['f2fs', 'local']],
  [0xca451a4e, ['bcachefs', 'local']],
  [0x794c7630, ['overlay', 'local']],
  [0x01021994, ['tmpfs', 'memory']],
  [0x858458f6, ['ramfs', 'memory']],
  [0x958458f6, ['hugetlbfs', 'memory']],
  [0x6969, ['nfs', 'network']],
  [0xff534d42, ['cifs', 'network']],
  [0xfe534d42, ['smb2', 'network']],
  [0x517b, ['smb', 'network']],
  [0x65735546, ['fuse', 'network']],
  [0x01021997, ['9p', 'network']],
  [0x00c36400, ['ceph', 'network']],
  [0x0bd00bd0, ['lustre', 'network']],
  [0x01161970, ['gfs2', 'network']],
  [0x7461636f, ['ocfs2', 'network']],
  [0x5346414f, ['afs', 'network']],
  [0x6b414653, ['kafs', 'network']],
  [0x786f4256, ['vboxsf', 'network']],
])

/** What the magic number `magic` of statfs(2) says; `id` names the mounted file system. @internal */
export function fileSystemOf(magic: number, id: string): FileSystem {
  const known = byMagic.get(magic >>> 0)
  return {
    type: known?.[0] ?? `0x${(magic >>> 0).toString(16)}`,
    id,
    isMemory: known?.[1] === 'memory',
    isNetwork: known?.[1] === 'network',
  }
}

/** Node's statfs leaves out f_fsid, so the device number alone is the id. */
export function readFileSystem(path: string): FileSystem {
  const magic = Number(BigInt.asUintN(32, statfsSync(path, { bigint: true }).type))
  return fileSystemOf(magic, `dev-${statSync(path).dev}`)
}
