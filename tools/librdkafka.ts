import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { downloadPackages } from './clients.ts'

/**
 * Brings librdkafka's own test-runner: the sources from the npm tarball that ships them, which is fetched and
 * never installed, since its install script downloads. Built once for a version into `.cache/librdkafka-VERSION`
 * in 2.5 minutes on two idle cores; quick when it is there.
 *
 *     node tools/librdkafka.ts
 */
export const librdkafkaVersion = '2.15.1'

const tarball = '@confluentinc/kafka-javascript@1.10.1'
const cache = join(import.meta.dirname, '..', '.cache')
const folder = join(cache, `librdkafka-${librdkafkaVersion}`)
const note = join(cache, `librdkafka-${librdkafkaVersion}.missing`)

/** What runs the tests: the program, the folder it must be started in, and where its libraries are. */
export interface TestRunner {
  readonly program: string
  readonly folder: string
  readonly libraryPath: string
}

export function testRunner(): TestRunner {
  const libraries = [join(folder, 'src'), join(folder, 'src-cpp'), join(folder, debianLibraries())]
  const tests = join(folder, 'tests')
  return {
    program: join(tests, 'test-runner'),
    folder: tests,
    libraryPath: libraries.filter(path => existsSync(path)).join(':'),
  }
}

/** Why it is not there, or null if it is. */
export function whyNoTestRunner(): string | null {
  if (existsSync(testRunner().program)) return null
  return existsSync(note) ? readFileSync(note, 'utf8') : 'not built yet: node tools/librdkafka.ts'
}

/** Builds it where it is not there yet; returns why it cannot be had, or null. */
export function ensureTestRunner(): string | null {
  if (existsSync(testRunner().program)) return null
  const partial = `${folder}.partial-${process.pid}`
  try {
    mkdirSync(partial, { recursive: true })
    fetchSources(partial)
    build(partial)
    // Filled beside its place and then renamed, so that a half-built one is never taken for whole.
    rmSync(folder, { recursive: true, force: true })
    renameSync(partial, folder)
    rmSync(note, { force: true })
  } catch (error) {
    if (!existsSync(folder)) writeFileSync(note, String(error).replaceAll(/\s+/g, ' ').trim())
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  return whyNoTestRunner()
}

function fetchSources(into: string): void {
  const npm = ['pack', '--silent', '--pack-destination', into, tarball]
  execFileSync('npm', npm, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 900_000 })
  const archive = readdirSync(into).find(name => name.endsWith('.tgz'))
  if (archive === undefined) throw new Error(`npm pack brought no archive of ${tarball}`)
  const parts = ['--strip-components=3', 'package/deps/librdkafka']
  run('tar', ['-xzf', archive, ...parts], into)
  rmSync(join(into, archive))
}

/** At everybody's priority: tests wait for it, and beside a compile a lower one gave it 3 % of a processor. */
function build(inside: string): void {
  const flags = debianFlags(inside)
  run('./configure', ['--disable-curl', '--disable-sasl', ...flags], inside)
  run('make', ['-j2', 'libs'], inside)
  run('make', ['-C', 'tests', '-j2', 'build'], inside)
  // Three quarters of it all, and of no more use.
  run('find', ['.', '-name', '*.o', '-delete', '-o', '-name', '*.a', '-delete'], inside)
}

/** The headers it is compiled with, each with the packages that have header and library. */
const wantedHeaders: readonly (readonly [header: string, ...packages: string[]])[] = [
  ['zstd.h', 'libzstd-dev', 'libzstd1'],
  ['openssl/ssl.h', 'libssl-dev', 'libssl3'],
  ['zlib.h', 'zlib1g-dev', 'zlib1g'],
  ['lz4.h', 'liblz4-dev', 'liblz4-1'],
]

/**
 * What the machine lacks is unpacked inside the build's own folder, which needs no root. Returns configure's
 * arguments that point there.
 */
function debianFlags(inside: string): string[] {
  const packages = wantedHeaders
    .filter(([header]) => !existsSync(join('/usr/include', header)))
    .flatMap(([, ...names]) => names)
  if (packages.length === 0) return []
  const archives = join(inside, 'archives')
  mkdirSync(archives)
  downloadPackages(packages, archives)
  for (const name of readdirSync(archives)) {
    run('dpkg', ['-x', join(archives, name), join(inside, 'debian')], inside)
  }
  const include = join(inside, 'debian/usr/include')
  const multiarch = join(include, debianLibraries().split('/').at(-1)!)
  return [
    `--CPPFLAGS=-I${include} -I${multiarch}`,
    `--LDFLAGS=-L${join(inside, debianLibraries())}`,
  ]
}

function debianLibraries(): string {
  return `debian/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`
}

function run(program: string, args: readonly string[], cwd: string): void {
  const result = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    timeout: 1_800_000,
    maxBuffer: 1 << 28,
  })
  if (result.status === 0) return
  const said = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim().slice(-2000)
  throw new Error(`${args.join(' ')} failed: ${result.error?.message ?? said}`)
}

if (import.meta.main) {
  const why = ensureTestRunner()
  if (why !== null) {
    console.log(`No librdkafka test-runner: ${why}`)
    process.exitCode = 1
  }
}
