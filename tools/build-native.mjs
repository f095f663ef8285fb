// Builds the addon by one compiler line: `node tools/build-native.mjs [--never-fail] [--sanitize] [--force]`.
// Plain JavaScript on purpose: npm's install script runs it, maybe under a Node that cannot strip types.
// Without a compiler it says so in one line; the broker then runs on its TypeScript fallback.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const sources = join(root, 'native')
const flags = new Set(process.argv.slice(2))
const strict = ['-std=c11', '-D_GNU_SOURCE', '-DNAPI_VERSION=8', '-Wall', '-Wextra', '-Werror']
const sanitized = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-g', '-O1']

const failure = build()
if (failure !== null) {
  console.log(`The native addon was not built (${failure}): the TypeScript fallback will be used.`)
  if (!flags.has('--never-fail')) process.exitCode = 1
}

/** Null, or why there is no addon. */
function build() {
  if (process.platform !== 'linux') return `it is for Linux, this is ${process.platform}`
  const output = join(
    sources,
    'build',
    flags.has('--sanitize') ? 'logcluster-sanitized.node' : 'logcluster.node',
  )
  if (!flags.has('--force') && isFresh(output)) return null
  const headers = findHeaders()
  if (headers === null) return 'the headers of Node-API were not found'
  mkdirSync(dirname(output), { recursive: true })
  const made = `${output}.${process.pid}`
  const files = readdirSync(sources)
    .filter(name => name.endsWith('.c'))
    .sort()
  const mode = flags.has('--sanitize') ? sanitized : ['-O2']
  const compiler = process.env.CC ?? 'cc'
  const line = [
    ...strict,
    ...mode,
    '-pthread',
    '-shared',
    '-fPIC',
    '-Wl,-z,now',
    `-I${headers}`,
    '-o',
    made,
  ]
  const run = spawnSync(compiler, [...line, ...files.map(name => join(sources, name))], {
    encoding: 'utf8',
  })
  if (run.error !== undefined) return `no C compiler: ${compiler} cannot be run`
  if (run.status !== 0) {
    rmSync(made, { force: true })
    return `${compiler} failed\n${run.stderr.trim()}\n`
  }
  renameSync(made, output)
  return null
}

/** True where the binary is younger than every source. */
function isFresh(output) {
  if (!existsSync(output)) return false
  const built = statSync(output).mtimeMs
  return readdirSync(sources)
    .filter(name => /\.[ch]$/.test(name))
    .every(name => statSync(join(sources, name)).mtimeMs <= built)
}

/**
 * The folder with node_api.h and uv.h: of the Node that npm brings (in a checkout's node_modules, or beside this
 * package where it is installed), else beside the one that runs.
 */
function findHeaders() {
  const name = `node-linux-${process.arch}`
  const folders = [
    join(root, 'node_modules', name, 'include', 'node'),
    join(root, '..', name, 'include', 'node'),
    join(dirname(dirname(process.execPath)), 'include', 'node'),
  ]
  return (
    folders.find(
      folder => existsSync(join(folder, 'node_api.h')) && existsSync(join(folder, 'uv.h')),
    ) ?? null
  )
}
