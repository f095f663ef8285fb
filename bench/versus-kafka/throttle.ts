import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

const root = '/sys/fs/cgroup'

/** Why nobody's reads from the disk of `folder` can be throttled here; null where they can. */
export function whyNoThrottle(folder: string): string | null {
  try {
    new ThrottledDisk(folder, 1e9).remove()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/**
 * A cgroup whose processes read from the disk of `folder` no faster than `bytesPerSecond`, all together: `blkio` of v1 where
 * that is mounted, else `io` of v2. Only reads: Linux charges those to who makes them. Throws where the machine has
 * neither, where the disk is none (tmpfs, overlay), or without root.
 */
export class ThrottledDisk {
  readonly #path: string
  readonly #parent: string

  constructor(folder: string, bytesPerSecond: number) {
    const disk = diskOf(folder)
    const isV1 = existsSync(join(root, 'blkio/blkio.throttle.read_bps_device'))
    if (!isV1 && !existsSync(join(root, 'cgroup.subtree_control'))) {
      throw new Error(`neither blkio of cgroup v1 nor cgroup v2 is in ${root}`)
    }
    this.#parent = isV1 ? join(root, 'blkio') : root
    this.#path = join(this.#parent, `logcluster-bench-${process.pid}`)
    if (!isV1) writeFileSync(join(root, 'cgroup.subtree_control'), '+io')
    mkdirSync(this.#path)
    try {
      const [file, line] = isV1
        ? ['blkio.throttle.read_bps_device', `${disk} ${bytesPerSecond}`]
        : ['io.max', `${disk} rbps=${bytesPerSecond}`]
      writeFileSync(join(this.#path, file), line)
    } catch (error) {
      this.remove()
      throw error
    }
  }

  /** Puts a process in, with all its threads. */
  add(pid: number): void {
    writeFileSync(join(this.#path, 'cgroup.procs'), String(pid))
  }

  /** Puts out who is still in. It may be removed already. */
  remove(): void {
    if (!existsSync(this.#path)) return
    const pids = readFileSync(join(this.#path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)
    for (const pid of pids) {
      try {
        writeFileSync(join(this.#parent, 'cgroup.procs'), pid)
      } catch {
        // It has ended meanwhile.
      }
    }
    rmdirSync(this.#path)
  }
}

/** The whole disk that holds `folder`, as MAJOR:MINOR: a partition cannot be throttled. */
function diskOf(folder: string): string {
  const { dev } = statSync(folder)
  const [major, minor] = [majorOf(dev), minorOf(dev)]
  const link = `/sys/dev/block/${major}:${minor}`
  if (!existsSync(link)) throw new Error(`${folder} is on no block device (${major}:${minor})`)
  const device = realpathSync(link)
  const disk = readdirSync(device).includes('partition') ? dirname(device) : device
  return readFileSync(join(disk, 'dev'), 'utf8').trim()
}

/** As glibc packs a device's number (makedev(3)). */
function majorOf(dev: number): number {
  return Number((BigInt(dev) >> 8n) & 0xfffn)
}

function minorOf(dev: number): number {
  return Number((BigInt(dev) & 0xffn) | ((BigInt(dev) >> 12n) & ~0xffn))
}
