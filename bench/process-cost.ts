import { readFileSync } from 'node:fs'

/** Processor time of the whole process so far, in seconds. */
export function processorSeconds(pid: number): number {
  return ticksOf(pid, 11) / ticksPerSecond
}

/** Processor time of all processes that this one started and that have ended, in seconds. */
export function childrenSeconds(): number {
  return ticksOf('self', 13) / ticksPerSecond
}

/** Of proc_pid_stat(5), two fields from `first` on behind the name: user and system. */
function ticksOf(pid: number | 'self', first: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[first]) + Number(fields[first + 1])
}

/** Resident memory without file pages, in MiB: what is not page cache. */
export function anonymousMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

/** Linux's USER_HZ (proc_pid_stat(5)), on all that Node runs on. */
const ticksPerSecond = 100
