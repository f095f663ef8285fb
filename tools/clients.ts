import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { fetchNodeRdkafka } from './node-rdkafka.ts'

/**
 * Brings the test clients that npm does not: kcat and promtool from Debian, confluent-kafka, kafka-python and
 * aiokafka from PyPI, codecs for kafkajs from npm, Apache Kafka's own from Maven Central, our drivers of Go's clients, built with
 * the Go of the machine, and node-rdkafka, whose install script would compile librdkafka
 * once more: it is compiled against the one of tools/librdkafka.ts, where that was built. Without root, into `.cache/clients/NAME-VERSION`, once. What cannot be had is said in
 * `.cache/clients/NAME.missing`, and the suites that need it skip themselves; with `CI=true` that is a failure.
 *
 *     node tools/clients.ts
 */
export type ClientName =
  | 'kcat'
  | 'promtool'
  | 'confluent-kafka'
  | 'kafka-python'
  | 'aiokafka'
  | 'kafkajs-codecs'
  | 'node-rdkafka'
  | 'java'
  | 'surroundings'
  | 'go'

interface ClientKit {
  readonly name: ClientName
  readonly version: string
  /** Programs that must be there to fetch and run it. */
  readonly needs: readonly string[]
  /** Who wants it: a program that asks for it by name, or suites of tools/long-suites.ts alone; else any of them. */
  readonly only?: 'by name' | 'long suites'
  /** Fills `folder`, which is empty; throws where it cannot. */
  fetch(folder: string): void
}

/** What cannot be had here. */
export interface MissingKit {
  readonly name: ClientName
  readonly why: string
}

/** For a download that hangs. */
const patienceMs = 900_000

/** Apache Kafka's version. */
const kafka = '4.3.1'
const cache = join(import.meta.dirname, '..', '.cache', 'clients')
const goDrivers = join(import.meta.dirname, '..', 'test/scenarios/drivers/go')

export const clientKits: Readonly<Record<ClientName, ClientKit>> = {
  kcat: {
    name: 'kcat',
    version: '1.7.1',
    needs: [],
    fetch: folder => fetchFromDebian(['kcat'], ['kcat', ...kcatLibraries], folder),
  },
  promtool: {
    name: 'promtool',
    version: '2.42.0',
    needs: [],
    fetch: folder => fetchFromDebian(['promtool', 'prometheus'], ['prometheus'], folder),
  },
  'confluent-kafka': {
    name: 'confluent-kafka',
    version: '2.16.1',
    needs: ['python3'],
    fetch: folder => fetchFromPyPi('confluent-kafka', [], folder),
  },
  'kafka-python': {
    name: 'kafka-python',
    version: '3.0.12',
    only: 'long suites',
    needs: ['python3'],
    fetch: folder => fetchFromPyPi('kafka-python', codecsOfKafkaPython, folder),
  },
  aiokafka: {
    name: 'aiokafka',
    version: '0.14.0',
    only: 'long suites',
    needs: ['python3'],
    fetch: folder => fetchFromPyPi('aiokafka', ['cramjam==2.14.0'], folder),
  },
  'kafkajs-codecs': {
    name: 'kafkajs-codecs',
    version: '1',
    only: 'long suites',
    needs: ['npm'],
    fetch: fetchKafkajsCodecs,
  },
  'node-rdkafka': {
    name: 'node-rdkafka',
    version: '3.6.1-mocha',
    only: 'long suites',
    needs: ['python3', 'c++', 'make', 'npm'],
    fetch: fetchNodeRdkafka,
  },
  java: {
    name: 'java',
    version: `${kafka}-core`,
    needs: ['java', 'mvn'],
    fetch: folder => fetchJava(folder, ['kafka-tools', 'kafka_2.13']),
  },
  surroundings: {
    name: 'surroundings',
    version: kafka,
    only: 'by name',
    needs: ['java', 'mvn'],
    fetch: folder => fetchJava(folder, surroundings),
  },
  go: {
    name: 'go',
    version: versionOfGoDrivers(),
    only: 'long suites',
    needs: ['go'],
    fetch: buildGoDrivers,
  },
}

/** Where a kit is, once it is there. */
export function kitFolder(name: ClientName): string {
  return join(cache, `${name}-${clientKits[name].version}`)
}

/** Why a kit is not there, or null if it is. */
export function whyMissing(name: ClientName): string | null {
  const absent = clientKits[name].needs.filter(program => !hasProgram(program))
  if (absent.length > 0) return `${absent.join(' and ')} not found on this machine`
  if (existsSync(kitFolder(name))) return null
  const note = noteOf(name)
  return existsSync(note) ? readFileSync(note, 'utf8') : 'not fetched yet: node tools/clients.ts'
}

/** Fetches what is not there yet, and what is named. Returns the kits that cannot be had, with the reason. */
export function ensureClients(...named: readonly ClientName[]): MissingKit[] {
  return ensureKits(kit => kit.only !== 'by name' || named.includes(kit.name))
}

/** Fetches what the suites want that are not long. Returns the kits of them that cannot be had, with the reason. */
export function ensureShortClients(): MissingKit[] {
  return ensureKits(kit => kit.only === undefined)
}

function ensureKits(isWanted: (kit: ClientKit) => boolean): MissingKit[] {
  mkdirSync(cache, { recursive: true })
  const kits = Object.values(clientKits).filter(isWanted)
  for (const kit of kits) ensureClient(kit)
  return kits.flatMap(({ name }) => {
    const why = whyMissing(name)
    return why === null ? [] : [{ name, why }]
  })
}

/** Fetches one of them, where it is not there. */
export function ensureKit(name: ClientName): void {
  mkdirSync(cache, { recursive: true })
  ensureClient(clientKits[name])
}

/** A kit is filled beside its place and then renamed, so that a half-fetched one is never taken for whole. */
function ensureClient(kit: ClientKit): void {
  const folder = kitFolder(kit.name)
  if (existsSync(folder) || kit.needs.some(program => !hasProgram(program))) return
  const partial = `${folder}.partial-${process.pid}`
  try {
    mkdirSync(partial)
    kit.fetch(partial)
    renameSync(partial, folder)
    rmSync(noteOf(kit.name), { force: true })
  } catch (error) {
    if (!existsSync(folder)) writeFileSync(noteOf(kit.name), oneLine(error))
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

function noteOf(name: ClientName): string {
  return join(cache, `${name}.missing`)
}

/** Every library that kcat loads, the C library apart, so that nothing needs to be installed. */
const kcatLibraries = 'librdkafka1 libyajl2 libsasl2-2 liblz4-1 libzstd1 libssl3 zlib1g'.split(' ')

/** Unpacks Debian's packages into `folder`, or points there to the program that the machine has. */
function fetchFromDebian(
  programs: readonly string[],
  packages: readonly string[],
  folder: string,
): void {
  const installed = programs.flatMap(program => programPath(program) ?? [])
  if (installed.length === programs.length) {
    mkdirSync(join(folder, 'usr/bin'), { recursive: true })
    for (const path of installed) symlinkSync(path, join(folder, 'usr/bin', basename(path)))
    return
  }
  if (!hasProgram('apt-get') || !hasProgram('dpkg')) {
    throw new Error(`needs apt-get and dpkg, or an installed ${programs.join(' and ')}`)
  }
  downloadPackages(packages, folder)
  for (const name of readdirSync(folder)) {
    execFileSync('dpkg', ['-x', join(folder, name), folder])
    rmSync(join(folder, name))
  }
}

/** From the machine's package lists or, where those are missing or stale, from lists of our own: no root needed. */
export function downloadPackages(packages: readonly string[], folder: string): void {
  const download = (...options: string[]): boolean =>
    spawnSync('apt-get', ['-qq', ...sandbox, ...options, 'download', ...packages], {
      cwd: folder,
      timeout: patienceMs,
    }).status === 0
  if (download()) return
  const lists = join(cache, `apt-${process.pid}`)
  mkdirSync(join(lists, 'lists/partial'), { recursive: true })
  mkdirSync(join(lists, 'archives/partial'), { recursive: true })
  const own = [
    `-oDir::State::Lists=${lists}/lists`,
    `-oDir::Cache=${lists}`,
    '-oDebug::NoLocking=1',
  ]
  run('apt-get', ['-qq', ...sandbox, ...own, 'update'])
  const isThere = download(...own)
  rmSync(lists, { recursive: true, force: true })
  if (!isThere) throw new Error(`apt-get has no ${packages[0]} for this machine`)
}

/** apt's own unprivileged user may not write into our cache. */
const sandbox = ['-oAPT::Sandbox::User=root', '-oAcquire::Retries=5']

/** Without these it produces only gzip. */
const codecsOfKafkaPython = ['lz4==4.4.5', 'python-snappy==0.7.3', 'zstandard==0.25.0']

/** Wheels only: nothing is compiled and no script of a package runs. */
function fetchFromPyPi(name: ClientName, more: readonly string[], folder: string): void {
  const wanted = `${name}==${clientKits[name].version}`
  const install = '-m pip install --quiet --disable-pip-version-check --no-input'.split(' ')
  const quietly = ['--root-user-action=ignore', '--only-binary=:all:']
  run('python3', [...install, ...quietly, '--target', folder, wanted, ...more])
  const module = { 'confluent-kafka': 'confluent_kafka', 'kafka-python': 'kafka' }[name as string]
  run('python3', ['-c', `import ${module ?? name}`], { PYTHONPATH: folder })
}

/**
 * What applications register with kafkajs for the codecs that it leaves out; it has no zstd here, which Node has. Its plug-in
 * for lz4 stands on an addon that current Nodes do not compile, so a prebuilt one takes its place. No script of a package runs.
 */
function fetchKafkajsCodecs(folder: string): void {
  const quiet = ['--silent', '--no-save', '--ignore-scripts', '--prefix', folder]
  run('npm', ['install', ...quiet, 'kafkajs-snappy@1.1.0', 'lz4-napi@2.10.0'])
  const place = createRequire(join(folder, 'node_modules/'))
  for (const name of ['kafkajs-snappy', 'lz4-napi']) place.resolve(name)
}

/** What runs beside Kafka in processes of its own: Connect with files, MirrorMaker 2, Streams with its word count. */
const surroundings = [
  'connect-runtime',
  'connect-file',
  'connect-mirror',
  'kafka-streams',
  'kafka-streams-examples',
]

/**
 * Artifacts of Apache Kafka, all they need, and a logger that is silent below WARN. The client tools are kafka-tools, and
 * the broker for those that are still in it.
 */
function fetchJava(folder: string, artifacts: readonly string[]): void {
  const pom = join(folder, 'pom.xml')
  writeFileSync(pom, javaProject(artifacts))
  writeFileSync(join(folder, 'log4j2.properties'), javaLogging)
  const to = `-DoutputDirectory=${join(folder, 'lib')}`
  run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', to])
}

/** Of their sources and of the modules that they are built with: a change of either is another kit. */
function versionOfGoDrivers(): string {
  const files = readdirSync(goDrivers, { recursive: true, encoding: 'utf8' })
  const hash = createHash('sha256')
  for (const name of files.filter(file => /\.(go|mod|sum)$/.test(file)).toSorted()) {
    hash.update(`${name}\n`).update(readFileSync(join(goDrivers, name)))
  }
  return hash.digest('hex').slice(0, 12)
}

/** The programs of one module; those of an old version of a client are the same sources with modules of their own. */
function buildGoDrivers(folder: string): void {
  // Debian's is too old for the clients, and fetches no newer one unless told.
  const env = { GOTOOLCHAIN: 'auto', GOFLAGS: '-buildvcs=false -trimpath' }
  const build = (...args: string[]): void => run('go', ['-C', goDrivers, 'build', ...args], env)
  build('-o', `${folder}/`, './sarama', './kafka-go', './franz-go', './watch')
  build('-modfile=sarama-1.45.0.mod', '-o', join(folder, 'sarama-1.45.0'), './sarama')
}

function javaProject(artifacts: readonly string[]): string {
  const dependency = (group: string, name: string, at: string): string =>
    `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${at}</version></dependency>`
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>logcluster</groupId><artifactId>test-clients</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    ${artifacts.map(name => dependency('org.apache.kafka', name, kafka)).join('\n    ')}
    ${dependency('org.apache.logging.log4j', 'log4j-core', '2.25.1')}
    ${dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', '2.25.1')}
  </dependencies>
</project>
`
}

const javaLogging = `rootLogger.level = WARN
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %p %m (%c)%n
`

function run(program: string, args: readonly string[], env: Record<string, string> = {}): void {
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: patienceMs,
  })
  if (result.status === 0) return
  const said = `${result.stderr ?? ''}${result.stdout ?? ''}`
    .trim()
    .split('\n')
    .slice(0, 2)
    .join(' ')
  throw new Error(`${program} failed: ${result.error?.message ?? said}`)
}

function hasProgram(name: string): boolean {
  return programPath(name) !== null
}

function programPath(name: string): string | null {
  const folders = (process.env['PATH'] ?? '').split(':')
  return folders.map(folder => join(folder, name)).find(path => existsSync(path)) ?? null
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').trim()
}

if (import.meta.main) {
  const missing = ensureClients()
  for (const { name, why } of missing) console.log(`No ${name}: ${why}`)
  if (missing.length > 0 && process.env['CI'] === 'true') process.exitCode = 1
}
