import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Disk } from '../../env/disk.ts'
import type { Crc32c } from '../../lib/crc32c.ts'
import type { WalkRecords } from '../../lib/record-walk.ts'
import type { Binding } from './binding.ts'
import { Jobs } from './jobs.ts'
import { NativeDisk } from './native-disk.ts'
import { NativeNetwork } from './native-network.ts'
import { walkRecords } from './record-walk.ts'

/** What the addon gives: the fast twins of the ports. */
export interface Native {
  readonly disk: Disk
  readonly network: NativeNetwork
  readonly crc32c: Crc32c
  readonly walkRecords: WalkRecords
  /** `sse4.2`, `armv8` or `table`. */
  readonly crc32cMethod: string
}

export type NativeLoad =
  | { readonly ok: true; readonly native: Native }
  | { readonly ok: false; readonly reason: string }

let loaded: NativeLoad | null = null

/**
 * The front door of the room: loads the addon, once; builds it before where the binary is missing or older than its sources and a compiler
 * is there. `LOGCLUSTER_NATIVE=off` says no; `LOGCLUSTER_NATIVE_FILE` names another binary (sanitizer builds).
 * Never throws: without the addon the broker runs on its TypeScript fallback, and `reason` tells why.
 */
export function loadNative(): NativeLoad {
  loaded ??= load()
  return loaded
}

function load(): NativeLoad {
  if (process.env['LOGCLUSTER_NATIVE'] === 'off') return refused('LOGCLUSTER_NATIVE is off')
  const found = process.env['LOGCLUSTER_NATIVE_FILE'] ?? findOrBuild()
  if (found === null) return refused('the addon is not built and cannot be built here')
  try {
    const binding = createRequire(import.meta.url)(found) as Binding
    return { ok: true, native: open(binding) }
  } catch (error) {
    return refused(`the addon does not load: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}

function refused(reason: string): NativeLoad {
  return { ok: false, reason }
}

/** Ties the addon's callbacks to the twins. */
function open(binding: Binding): Native {
  const jobs = new Jobs()
  const network = new NativeNetwork(binding)
  binding.start({
    jobDone: (job, result) => jobs.done(job, result),
    accepted: (...event) => network.accepted(...event),
    acceptFailed: (listener, errno) => network.acceptFailed(listener, errno),
    connected: (...event) => network.connected(...event),
    connectFailed: (dial, errno) => network.connectFailed(dial, errno),
    frames: (connection, count) => network.framesCame(connection, count),
    drained: connection => network.drained(connection),
    coldAsked: (connection, bytes) => network.coldAsked(connection, bytes),
    coldEnded: (...event) => network.coldEnded(...event),
    closed: (connection, kind, detail) => network.closed(connection, kind, detail),
  })
  return {
    disk: new NativeDisk(binding, jobs),
    network,
    crc32c: (bytes, from = 0, to = bytes.length, seed = 0) => binding.crc32c(bytes, from, to, seed),
    crc32cMethod: binding.crc32cMethod,
    walkRecords: (bytes, from, to) => walkRecords(binding, bytes, from, to),
  }
}

/** The path of a binary that is not older than its sources, or null. */
function findOrBuild(): string | null {
  const root = findRoot(import.meta.dirname)
  if (root === null) return null
  const binary = join(root, 'native', 'build', 'logcluster.node')
  const builder = join(root, 'tools', 'build-native.mjs')
  if (isStale(binary, join(root, 'native')) && existsSync(builder)) {
    spawnSync(process.execPath, [builder, '--never-fail'], { stdio: 'inherit' })
  }
  return existsSync(binary) ? binary : null
}

/** The folder that holds `native/`, from the sources or from what `npm run build` made of them. */
function findRoot(from: string): string | null {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'native', 'binding.c'))) return folder
    if (existsSync(join(folder, 'native', 'build', 'logcluster.node'))) return folder
  }
  return null
}

function isStale(binary: string, sources: string): boolean {
  const builtMs = statSync(binary, { throwIfNoEntry: false })?.mtimeMs
  if (builtMs === undefined) return true
  const names = readdirSync(sources).filter(name => name.endsWith('.c') || name.endsWith('.h'))
  return names.some(name => statSync(join(sources, name)).mtimeMs > builtMs)
}
