import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { logLines } from '../faults/log-lines.ts'
import type { TestBroker } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'

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

/** As a process is without its garbage. */
export interface CollectedSize extends ProcessSize {
  /** Objects of JavaScript and the buffers that they hold: unlike resident memory hardly any noise. */
  readonly heldMiB: number
}

/** Arguments of Node with which a broker can be asked for its `collectedSize`. */
export const collectsWhenTold = ['--import', join(import.meta.dirname, 'collects-when-told.ts')]

export async function collectedSize(broker: TestBroker): Promise<CollectedSize> {
  const told = () => logLines(broker).filter(({ msg }) => msg === 'Collected')
  const before = told().length
  process.kill(broker.pid, 'SIGUSR2')
  const lines = await eventually('a collection', told, all => all.length > before)
  const heldMiB = Math.round(Number(lines.at(-1)!['heldBytes']) / 2 ** 20)
  return { ...sizeOf(broker.pid), heldMiB }
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
