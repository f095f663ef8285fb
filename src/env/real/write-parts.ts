import * as fs from 'node:fs'
import { DiskError } from '../disk.ts'
import { diskError } from './disk-errors.ts'

/** An open file as these calls need it: the path is for errors. */
export interface WrittenFile {
  readonly path: string
  readonly descriptor: number
}

/** writev(2) takes no more parts than this in one call (IOV_MAX). */
const partCountMax = 1024

/** Writes every byte of `parts` at `position`. @throws DiskError of `write`, with what went in before */
export function writeParts(
  file: WrittenFile,
  position: number,
  parts: readonly Uint8Array[],
): void {
  let left = withoutFirst(parts, 0)
  let written = 0
  while (left.length > 0) {
    const count = writeOnce(file, left.slice(0, partCountMax), { position, written })
    if (count === 0) throw new DiskError('write', file.path, 'EIO', written)
    written += count
    left = withoutFirst(left, count)
  }
}

/**
 * The same on a thread of libuv's pool. Nothing that waits for a device for long runs there (the addon's flushes have
 * threads of their own). `parts` stay as they are, and the descriptor open, until it is done.
 * @throws DiskError of `writeAsync`
 */
export async function writePartsAsync(
  { path, descriptor }: WrittenFile,
  position: number,
  parts: readonly Uint8Array[],
): Promise<void> {
  let left = withoutFirst(parts, 0)
  let written = 0
  while (left.length > 0) {
    const offered = left.slice(0, partCountMax)
    const count = await new Promise<number>((resolve, reject) => {
      fs.writev(descriptor, offered, position + written, (error, taken) => {
        if (error === null) resolve(taken)
        else reject(diskError('writeAsync', path, error, written))
      })
    })
    if (count === 0) throw new DiskError('writeAsync', path, 'EIO', written)
    written += count
    left = withoutFirst(left, count)
  }
}

/** One call; may take fewer bytes than offered: the caller goes on with the rest. */
function writeOnce(
  { path, descriptor }: WrittenFile,
  parts: readonly Uint8Array[],
  { position, written }: { readonly position: number; readonly written: number },
): number {
  try {
    return fs.writevSync(descriptor, parts, position + written)
  } catch (error) {
    throw diskError('write', path, error, written)
  }
}

/** What is left of `parts` behind their first `count` bytes; no part of it is empty. */
function withoutFirst(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count
  const left: Uint8Array[] = []
  for (const part of parts) {
    if (part.length > skip) left.push(skip === 0 ? part : part.subarray(skip))
    skip = Math.max(0, skip - part.length)
  }
  return left
}
