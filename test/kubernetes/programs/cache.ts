import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** Outside of the checkout, so that every checkout and worktree of a machine builds and fetches once. */
const home = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'logcluster')

/** A folder of the cache. Its name says what decides what lies in it: a version, or a hash. */
export function cacheFolder(...name: readonly string[]): string {
  return join(home, name.join('-'))
}

/** Of files' contents, short enough to be a part of a name. */
export function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file)).update('\0')
  return hash.digest('hex').slice(0, 12)
}

/**
 * Has `path` made where it is not there yet: `make` fills a place beside it, which is renamed when it is whole.
 * Who asks at the same time may make it too; the first rename counts. Returns `path`.
 */
export function madeOnce(path: string, make: (partial: string) => void): string {
  if (existsSync(path)) return path
  mkdirSync(dirname(path), { recursive: true })
  const partial = `${path}.partial-${process.pid}`
  try {
    make(partial)
    renameSync(partial, path)
  } catch (error) {
    // A folder is not renamed onto one that somebody else has filled.
    if (!existsSync(path)) throw error
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  return path
}

/** Runs a program that makes a part of the cache; throws with the end of what it said. */
export function runMaker(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): void {
  const result = spawnSync(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    encoding: 'utf8',
    timeout: 1_800_000,
    maxBuffer: 1 << 28,
  })
  if (result.status === 0) return
  const said = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim().slice(-4000)
  throw new Error(`${program} ${args.join(' ')} failed: ${result.error?.message ?? said}`)
}
