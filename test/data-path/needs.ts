import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { whyNoCgroup } from '../stress/memory-cgroup.ts'
import { loadNative } from '../../src/broker/native/load.ts'

/** What goes before a command so that cachestat(2) is not there for it. */
export const withoutCachestat = [
  'python3',
  join(import.meta.dirname, '../helpers/without-cachestat.py'),
]

/** What a suite cannot do without, and why it is not here; null where it is. */
const whyMissing = {
  addon: () => {
    const load = loadNative()
    return load.ok ? null : load.reason
  },
  /** A data directory that the page cache and a device serve, not memory. */
  device: () => {
    const load = loadNative()
    if (!load.ok) return load.reason
    const { isMemory, type } = load.native.disk.fileSystem(tmpdir())
    return isMemory ? `${tmpdir()} is a ${type}, which no eviction empties` : null
  },
  /** A memory limit for a process. */
  cgroup: whyNoCgroup,
  /** A program that may take a system call from another. */
  seccomp: () => {
    const [python = '', ...args] = withoutCachestat
    const run = spawnSync(python, [...args, 'true'])
    if (run.error) return 'python3 is not installed'
    return run.status === 0 ? null : `no seccomp filter may be set here: ${run.stderr.toString()}`
  },
  strace: () => {
    const traced = spawnSync('strace', ['-f', '-o', '/dev/null', 'true'])
    if (traced.error) return 'strace is not installed'
    return traced.status === 0 ? null : `strace may not trace here: ${traced.stderr.toString()}`
  },
}

export type Need = keyof typeof whyMissing

/**
 * A suite that needs these. Where one is missing the suite is skipped, and its title says why; with `CI=true` it
 * fails instead, unless that run is about the fallback.
 */
export function describeNeeding(needs: readonly Need[], title: string, suite: () => void): void {
  const missing = needs.flatMap(need => {
    const why = whyMissing[need]()
    return why === null ? [] : [`no ${need}: ${why}`]
  })
  if (missing.length === 0) return void describe(title, { timeout: 120_000 }, suite)
  const told = `${title}: ${missing.join(', ')}`
  const mustRun = process.env['CI'] === 'true' && process.env['LOGCLUSTER_NATIVE'] !== 'off'
  if (!mustRun) return void describe.skip(told, suite)
  test(told, () => {
    throw new Error(told)
  })
}
