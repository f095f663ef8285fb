import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { DiskError, type DiskLock } from '../disk.ts'
import { attempt } from './disk-errors.ts'

/**
 * Locks by binding an abstract unix socket that is named after the lock file's device and inode: the kernel
 * frees the name when the process dies. It is seen only inside one network namespace, so two containers on
 * one volume do not exclude each other: the addon's lock does (durability.md 3.2). Linux only.
 * The file holds the owner's process id, for the reader of an error only.
 */
export function bindLock(path: string): DiskLock {
  // Open for as long as the lock is held: else a file that is removed meanwhile would lend its inode to another.
  const fd = attempt('lock', path, () => fs.openSync(path, 'a', 0o644))
  try {
    const release = bind(path, fd)
    return {
      release: () => {
        release()
        fs.closeSync(fd)
      },
    }
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
}

function bind(path: string, fd: number): () => void {
  const { dev, ino } = attempt('lock', path, () => fs.fstatSync(fd, { bigint: true }))
  const server = createServer(socket => socket.destroy())
  // A failed bind is told twice: at once by `listening`, and by this event in the next tick.
  server.on('error', () => {})
  server.listen({ path: `\0logcluster-lock-${dev}-${ino}`, exclusive: true })
  if (!server.listening) throw new DiskError('lock', path, 'ELOCKED')
  server.unref()
  attempt('lock', path, () => fs.writeFileSync(path, `${process.pid}\n`))
  return () => void server.close()
}
