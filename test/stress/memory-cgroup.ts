import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = '/sys/fs/cgroup/memory'

/** Why no process can be put under a memory limit here; null where it can. */
export function whyNoCgroup(): string | null {
  if (!existsSync(join(root, 'memory.limit_in_bytes'))) return `no ${root} (cgroup v1)`
  try {
    new MemoryCgroup(1 << 30).remove()
    return null
  } catch (error) {
    return `no cgroup can be made in ${root}: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** What a memory cgroup saw. */
export interface CgroupReport {
  /** The most that was ever in it, page cache included, which the kernel takes back as it needs. */
  readonly peakMiB: number
  /** What its processes have in memory now, without the page cache. */
  readonly residentMiB: number
  /** Times that the limit was met, and something had to be taken back. */
  readonly limitMetCount: number
  readonly oomKills: number
}

/** A memory cgroup (v1) with a limit, for one process and its threads. */
export class MemoryCgroup {
  readonly path: string

  constructor(limitBytes: number) {
    this.path = join(root, `logcluster-test-${process.pid}-${Date.now()}`)
    mkdirSync(this.path)
    writeFileSync(join(this.path, 'memory.limit_in_bytes'), String(limitBytes))
  }

  /** Put before a command: the process that becomes it is in the cgroup. */
  get wrapper(): readonly string[] {
    return ['sh', '-c', `echo $$ > ${this.path}/cgroup.procs && exec "$@"`, 'sh']
  }

  report(): CgroupReport {
    const number = (name: string) => Number(readFileSync(join(this.path, name), 'utf8'))
    const control = readFileSync(join(this.path, 'memory.oom_control'), 'utf8')
    const statistics = readFileSync(join(this.path, 'memory.stat'), 'utf8')
    return {
      residentMiB: Math.round(Number(/^total_rss (\d+)$/m.exec(statistics)?.[1] ?? 0) / 2 ** 20),
      peakMiB: Math.round(number('memory.max_usage_in_bytes') / 2 ** 20),
      limitMetCount: number('memory.failcnt'),
      oomKills: Number(/^oom_kill (\d+)$/m.exec(control)?.[1] ?? 0),
    }
  }

  /** The processes in it must have ended. */
  remove(): void {
    rmdirSync(this.path)
  }
}
