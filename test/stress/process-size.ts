import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a process holds. */
export interface ProcessSize {
  readonly residentMiB: number
  /** The most that it ever held. */
  readonly peakMiB: number
  readonly descriptors: number
}

export function sizeOf(pid: number): ProcessSize {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mebibytes = (line: RegExp) => Math.round(Number(line.exec(status)![1]) / 1024)
  return {
    residentMiB: mebibytes(/VmRSS:\s+(\d+) kB/),
    peakMiB: mebibytes(/VmHWM:\s+(\d+) kB/),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  }
}

/** Looks again until `isBack` or for `msMax`; the last look. What is freed is given back when the collector comes to it. */
export async function settledSize(
  pid: number,
  isBack: (size: ProcessSize) => boolean,
  msMax: number,
): Promise<ProcessSize> {
  const end = Date.now() + msMax
  for (;;) {
    const size = sizeOf(pid)
    if (isBack(size) || Date.now() > end) return size
    await sleep(250)
  }
}
