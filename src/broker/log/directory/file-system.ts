import type { Disk } from '../../../env/env.ts'

/** 3.1: what lies in memory or on somebody else's machine does not keep the promises that this directory makes. */
export function warnOfFileSystem(
  disk: Disk,
  path: string,
  hooks: { warn?(message: string, fields: Readonly<Record<string, unknown>>): void } = {},
): void {
  const { type, isMemory, isNetwork } = disk.fileSystem(path)
  if (isMemory)
    hooks.warn?.('The data directory lies in memory: a restart of the machine empties it', {
      path,
      type,
    })
  if (isNetwork)
    hooks.warn?.(
      'The data directory lies on a network file system: flushes may not be what they say',
      { path, type },
    )
}
