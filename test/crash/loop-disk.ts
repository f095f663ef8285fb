import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../helpers/run.ts'

/**
 * An ext4 file system in a file, whose power can be cut. It is mounted where nobody else sees it, in a mount namespace
 * that a process of its own holds, and reached through that process: each `unshare -m` on the machine would take a copy
 * of the mount along, and what is unmounted would stay in use, with its power off.
 */
export class LoopDisk {
  readonly mountPoint: string
  readonly #holder: ChildProcess
  readonly #inside: string
  readonly #image: string
  readonly #cutter: string

  static async make(folder: string): Promise<LoopDisk> {
    const cutter = join(folder, 'cut-power')
    if (!existsSync(cutter)) {
      writeFileSync(`${cutter}.c`, cutterSource)
      await run('cc', ['-O1', '-o', cutter, `${cutter}.c`])
    }
    // It ends with us too: nobody writes to it then.
    const holding = ['-m', 'sh', '-c', 'echo held && exec cat']
    const holder = spawn('unshare', holding, { stdio: ['pipe', 'pipe', 'inherit'] })
    const disk = new LoopDisk(folder, cutter, holder)
    try {
      await Promise.race([once(holder.stdout, 'data'), ended(holder)])
      mkdirSync(disk.#inside, { recursive: true })
      rmSync(disk.#image, { force: true })
      await run('truncate', ['-s', '128M', disk.#image])
      await run('mkfs.ext4', ['-q', '-F', disk.#image])
      await disk.mount()
      return disk
    } catch (error) {
      await disk[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(folder: string, cutter: string, holder: ChildProcess) {
    this.#holder = holder
    this.#inside = join(folder, 'mnt')
    this.#image = join(folder, 'disk.img')
    this.#cutter = cutter
    this.mountPoint = join(`/proc/${holder.pid}/root`, this.#inside)
  }

  async mount(): Promise<void> {
    await this.#run('mount', '-o', 'loop', this.#image, this.#inside)
  }

  async unmount(): Promise<void> {
    await this.#run('umount', this.#inside)
  }

  /** 2: nothing more gets to the disk. 1: the journal still does, and with it what was written back. */
  async cutPower(how: 1 | 2): Promise<void> {
    await run(this.#cutter, [this.mountPoint, String(how)])
  }

  /** With whatever is on it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return
    const gone = once(this.#holder, 'close')
    this.#holder.kill('SIGKILL')
    await gone
  }

  async #run(...command: readonly string[]): Promise<void> {
    await run('nsenter', ['-t', String(this.#holder.pid), '-m', ...command])
  }
}

/** Fails when it ends. */
async function ended(holder: ChildProcess): Promise<never> {
  const [code] = (await once(holder, 'close')) as [number | null]
  throw new Error(`unshare -m ended with ${code}`)
}

/** XFS_IOC_GOINGDOWN, which ext4 has too (EXT4_IOC_SHUTDOWN). */
const cutterSource = `
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
int main(int argc, char **argv) {
  uint32_t how = argc > 2 ? atoi(argv[2]) : 2;
  int fd = open(argv[1], O_RDONLY);
  if (fd < 0 || ioctl(fd, _IOR('X', 125, uint32_t), &how) < 0) { perror("cut power"); return 1; }
  return 0;
}
`
