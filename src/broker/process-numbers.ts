import { readdirSync, readFileSync } from 'node:fs'
import { memoryOrNull } from '../env/real/resident-memory.ts'
import type { ProcessNumbers } from './telemetry/sources.ts'

/** What the operating system says of this process, for `/metrics`. */
export function processNumbers(): ProcessNumbers {
  const cpu = process.cpuUsage()
  const memory = memoryOrNull()
  return {
    cpuUserSeconds: cpu.user / 1e6,
    cpuSystemSeconds: cpu.system / 1e6,
    residentBytes: memory?.rss ?? null,
    heapUsedBytes: memory?.heapUsed ?? null,
    openFiles: countOpenFiles(),
    openFilesMax: readOpenFilesMax(),
    startSeconds: performance.timeOrigin / 1000,
  }
}

function countOpenFiles(): number | null {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return null
  }
}

function readOpenFilesMax(): number | null {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
    return line === null ? null : Number(line[1])
  } catch {
    return null
  }
}
