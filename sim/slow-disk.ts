import type { Clock } from '../src/env/clock.ts'
import type { Disk, DiskFile } from '../src/env/disk.ts'
import { changed } from './changed.ts'

/**
 * `disk`, but a write to a file whose path fits `slow` makes the process wait for as long as `waitMs` says, and the
 * clock that sees it: spans become longer, and no timer runs meanwhile. Writes by a thread make nobody wait.
 */
export function slowDisk(
  { disk, clock }: { readonly disk: Disk; readonly clock: Clock },
  slow: RegExp,
  waitMs: () => number,
): { readonly disk: Disk; readonly clock: Clock } {
  let waitedMs = 0
  const waiting = (file: DiskFile): Partial<DiskFile> => ({
    write: (position, parts) => {
      file.write(position, parts)
      waitedMs += waitMs()
    },
  })
  const open: Disk['open'] = (path, mode) => {
    const file = disk.open(path, mode)
    return changed(file, slow.test(path) ? waiting(file) : {})
  }
  const monotonic = () => clock.monotonic() + waitedMs
  return { disk: changed(disk, { open }), clock: changed(clock, { monotonic }) }
}
