import type { Disk, DiskFile } from '../src/env/disk.ts'
import { changed } from './changed.ts'

/**
 * `disk`, but it lies: a write to a file whose path fits `late` answers before it is done, as a cache without a
 * battery does. It happens, in order, before the next operation on the disk, or when the turn of the event loop
 * ends; an error of it is told to nobody.
 */
export function hastyDisk(disk: Disk, late: RegExp): Disk {
  const owed: (() => void)[] = []
  const settle = (): void => {
    for (const write of owed.splice(0)) {
      try {
        write()
      } catch {
        // Whoever wrote was told long ago that all is well.
      }
    }
  }
  const hasty = (file: DiskFile): Partial<DiskFile> => ({
    write: (position, parts) => {
      const bytes = parts.map(part => part.slice())
      owed.push(() => file.write(position, bytes))
      queueMicrotask(settle)
    },
  })
  const open: Disk['open'] = (path, mode) => {
    settle()
    const file = disk.open(path, mode)
    return changed(file, late.test(path) ? hasty(file) : {}, settle)
  }
  return changed(disk, { open }, settle)
}
