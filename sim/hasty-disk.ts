import type { Disk, DiskFile } from '../src/env/disk.ts'

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
  const hasty = (file: DiskFile): DiskFile =>
    settling(file, settle, {
      write: (position, parts) => {
        const bytes = parts.map(part => part.slice())
        owed.push(() => file.write(position, bytes))
        queueMicrotask(settle)
      },
    })
  return settling(disk, settle, {
    open: (path, mode) => {
      settle()
      const file = disk.open(path, mode)
      return late.test(path) ? hasty(file) : settling(file, settle, {})
    },
  })
}

/** `twin`, but for what is in `changed`; everything else calls `before` and then does what it always does. */
function settling<T extends object>(twin: T, before: () => void, changed: Partial<T>): T {
  return new Proxy(twin, {
    get(target, name) {
      if (Object.hasOwn(changed, name)) return changed[name as keyof T]
      const found: unknown = Reflect.get(target, name, target)
      if (typeof found !== 'function') return found
      return (...args: unknown[]): unknown => {
        before()
        return Reflect.apply(found, target, args)
      }
    },
  })
}
