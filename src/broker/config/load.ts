import { minInsyncReplicasByDefault } from '../metadata/decided-configs.ts'
import { whyAbsent } from './absent-settings.ts'
import { decidedProblems } from './decided-settings.ts'
import { kubernetesDefaults, kubernetesProblems } from './kubernetes-settings.ts'
import {
  checkPrivateListener,
  ListenerError,
  parseEndpoint,
  resolveListeners,
} from './listeners.ts'
import { memoryDefaults } from './memory-defaults.ts'
import { nearest } from './nearest.ts'
import { parseProperties } from './properties.ts'
import { replicationProblems } from './replication-settings.ts'
import { helpText } from './settings-text.ts'
import { sizeProblems } from './sizes.ts'
import type { Setting, SettingValue } from './setting.ts'
import { isProblem, parse, type Parsed } from './setting-value.ts'
import {
  camel,
  settingNames,
  settingOf,
  type Configuration,
  type SettingName,
  type Settings,
} from './settings.ts'

/** What the process was started with. */
export interface Invocation {
  /** Arguments after the program's name. */
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The text of a file. May throw. */
  readonly readFile: (path: string) => string
  readonly version: string
  /** How much memory the process may have; not given where nothing limits it. */
  readonly memoryBytesMax?: number
  /** Of what is not given, where it is another than the table's. */
  readonly defaults?: Partial<Settings>
  /** For brokers that run, and not for one that starts: what the metadata log decides is given to those. */
  readonly isForRunning?: true
}

/** A configuration to run with, or a text to print instead (`--help`, `--version`). */
export type Loaded =
  | { readonly kind: 'configuration'; readonly configuration: Configuration }
  | { readonly kind: 'text'; readonly text: string }

/** Everything that is wrong with a configuration: what, where, and what to do about it. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly problems: readonly string[]
  /** Where to say so, as far as that could be read; empty: nowhere. */
  readonly terminationLogFile: string

  constructor(problems: readonly string[], terminationLogFile = '') {
    super(problems.join('\n'))
    this.problems = problems
    this.terminationLogFile = terminationLogFile
  }
}

/**
 * The settings to run with: defaults < `--config FILE` < `LOGCLUSTER_*` < `--set key=value`.
 * @throws ConfigurationError with every problem found, not only the first
 */
export function load(invocation: Invocation): Loaded {
  const problems: string[] = []
  const options = readArguments(invocation.args, problems)
  if (options.wants === 'help') return { kind: 'text', text: helpText() }
  if (options.wants === 'version') return { kind: 'text', text: `logcluster ${invocation.version}` }
  const layers = [
    options.file === null ? [] : readConfigFile(options.file, invocation, problems),
    readEnvironment(invocation.environment, problems),
    options.set,
  ]
  const given = merge(layers, problems)
  const { environment, memoryBytesMax = Infinity, defaults = {} } = invocation
  const surroundings = {
    ...defaults,
    ...(given.has('queued.max.request.bytes') ? {} : memoryDefaults(memoryBytesMax, greatest)),
    ...kubernetesDefaults(environment),
  }
  const configuration = settle(given, problems, surroundings)
  if (invocation.isForRunning !== true)
    problems.push(...decidedProblems(given, configuration.settings))
  if (problems.length > 0) {
    const terminationLogFile = given.get('termination.log.file')?.text.trim() ?? ''
    throw new ConfigurationError(problems, terminationLogFile)
  }
  return { kind: 'configuration', configuration }
}

/** A text that was given for a name, and where: `broker.properties line 3`. */
interface Entry {
  readonly name: string
  readonly text: string
  readonly where: string
}

/** An entry of a known setting; `factor` turns an alias's unit into the setting's. */
interface Given extends Entry {
  readonly factor: number
}

interface Options {
  wants: 'run' | 'help' | 'version'
  file: string | null
  readonly set: Entry[]
}

function readArguments(args: readonly string[], problems: string[]): Options {
  const options: Options = { wants: 'run', file: null, set: [] }
  const rest = args.flatMap(arg => {
    const match = /^(--config|--set)=(.*)$/s.exec(arg)
    return match === null ? [arg] : [match[1]!, match[2]!]
  })
  for (let at = 0; at < rest.length; at++) {
    const arg = rest[at]!
    if (arg === '--help' || arg === '-h') return { ...options, wants: 'help' }
    if (arg === '--version') return { ...options, wants: 'version' }
    if (arg !== '--config' && arg !== '--set') {
      problems.push(
        `${arg} is no option: there are --config FILE, --set name=value, --brokers N, --help, --version`,
      )
      continue
    }
    const value = rest[++at]
    if (value === undefined) problems.push(`${arg} needs a value after it`)
    else if (arg === '--config') options.file = value
    else options.set.push(...readAssignment(value, problems))
  }
  return options
}

function readAssignment(assignment: string, problems: string[]): Entry[] {
  const at = assignment.indexOf('=')
  if (at > 0) {
    const name = assignment.slice(0, at).trim()
    return [{ name, text: assignment.slice(at + 1), where: '--set' }]
  }
  problems.push(`--set ${assignment}: write name=value`)
  return []
}

function readConfigFile(file: string, invocation: Invocation, problems: string[]): Entry[] {
  let content: string
  try {
    content = invocation.readFile(file)
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    problems.push(`--config ${file}: the file cannot be read (${because})`)
    return []
  }
  return parseProperties(content).map(({ key, value, line }) => ({
    name: key,
    text: value,
    where: `${file} line ${line}`,
  }))
}

const environmentPrefix = 'LOGCLUSTER_'
/**
 * Not settings: switches of the addon's loader and of tests, and what Kubernetes tells every pod of services
 * whose names begin with ours.
 */
const foreign =
  /^LOGCLUSTER_(?:NATIVE(?:_FILE)?$|TEST_)|_SERVICE_(?:HOST|PORT)(?:_|$)|_PORT(?:_\d+_(?:TCP|UDP).*)?$/

function readEnvironment(environment: Invocation['environment'], problems: string[]): Entry[] {
  const byVariable = new Map(
    [...bySettingName.keys()].map(name => [variableOf(name), name] as const),
  )
  const found: Entry[] = []
  for (const [variable, value] of Object.entries(environment)) {
    if (value === undefined || !variable.startsWith(environmentPrefix)) continue
    if (foreign.test(variable)) continue
    const name = byVariable.get(variable)
    if (name !== undefined) found.push({ name, text: value, where: variable })
    else problems.push(unknown(variable, 'the environment', byVariable.keys()))
  }
  return found
}

function variableOf(name: string): string {
  return environmentPrefix + name.toUpperCase().replaceAll('.', '_')
}

/** Every name and alias, with the setting it means and its factor. */
const bySettingName: ReadonlyMap<string, { name: SettingName; factor: number }> = new Map(
  settingNames.flatMap(name => [
    [name, { name, factor: 1 }] as const,
    ...Object.entries(settingOf(name).aliases).map(
      ([alias, factor]) => [alias, { name, factor }] as const,
    ),
  ]),
)

/**
 * Later layers win. Within one, as in Kafka, the finest unit does (`log.retention.ms` over `.hours`), and of two names
 * in one unit the setting's own (`log.dirs` over `log.dir`), whatever their order; what is given twice counts as it stands last.
 */
function merge(layers: readonly (readonly Entry[])[], problems: string[]): Map<SettingName, Given> {
  const merged = new Map<SettingName, Given>()
  for (const layer of layers) {
    const own = new Map<SettingName, Given>()
    for (const entry of layer) {
      const meant = bySettingName.get(entry.name)
      if (meant === undefined) {
        problems.push(unknown(entry.name, entry.where, bySettingName.keys()))
        continue
      }
      const { name, factor } = meant
      const given = { ...entry, factor }
      const former = own.get(name)
      if (former === undefined || !standsOver(former, given, name)) own.set(name, given)
      if (name === 'node.id' && former !== undefined) checkIds(former, given, problems)
    }
    for (const [name, entry] of own) merged.set(name, entry)
  }
  return merged
}

function standsOver(former: Given, later: Given, name: SettingName): boolean {
  if (former.factor !== later.factor) return former.factor < later.factor
  return former.name === name && later.name !== name
}

/** Under which of two numbers the broker would come up is nothing to guess at. */
function checkIds(one: Given, other: Given, problems: string[]): void {
  if (one.name === other.name || Number(one.text) === Number(other.text)) return
  problems.push(
    `${one.where}: ${one.name} is ${one.text.trim()}, and ${other.where}: ${other.name} is ${other.text.trim()}. ` +
      'They are one setting: leave one of them out',
  )
}

function unknown(name: string, where: string, names: Iterable<string>): string {
  const why = whyAbsent(name)
  if (why !== null) return `${where}: ${name} is Kafka's, and none here: ${why}. Leave it out`
  const meant = nearest(name, names)
  const hint = meant === null ? '' : `; did you mean ${meant}?`
  return `${where}: there is no setting ${name}${hint} (--help lists all)`
}

function settle(
  given: ReadonlyMap<SettingName, Given>,
  problems: string[],
  surroundings: Readonly<Record<string, SettingValue>>,
): Configuration {
  const values: Record<string, SettingValue> = {}
  const texts = new Map<string, string>()
  for (const name of settingNames) {
    const entry = given.get(name)
    values[camel(name)] = surroundings[camel(name)] ?? settingOf(name).default
    if (entry === undefined) continue
    const parsed = read(name, entry, problems)
    if (parsed === null) continue
    values[camel(name)] = parsed.value
    texts.set(entry.name, entry.name === name ? parsed.text : entry.text.trim())
  }
  if (!given.has('min.insync.replicas')) {
    const factor = values['defaultReplicationFactor'] as number
    values['minInsyncReplicas'] = minInsyncReplicasByDefault(factor)
  }
  if (!given.has('replica.socket.timeout.ms')) {
    const [waitMs, timeoutMs] = [values['replicaFetchWaitMaxMs'], values['replicaSocketTimeoutMs']]
    values['replicaSocketTimeoutMs'] = Math.max(timeoutMs as number, waitMs as number)
  }
  const settings = Object.freeze(values) as Settings
  if (problems.length === 0) checkTogether(settings, problems)
  return { settings, given: texts }
}

const greatest = {
  queuedMaxRequestBytes: settingOf('queued.max.request.bytes').default as number,
  socketRequestMaxBytes: settingOf('socket.request.max.bytes').default as number,
}

function read(name: SettingName, entry: Given, problems: string[]): Parsed | null {
  const setting = settingOf(name)
  const parsed = parse(setting, scaled(setting, entry))
  if (!isProblem(parsed)) return parsed
  problems.push(`${entry.where}: ${entry.name} ${parsed.problem}`)
  return null
}

/** An alias's number in the setting's unit; negative ones ("without limit") stay. */
function scaled(setting: Setting, entry: Given): string {
  const isNumber = setting.type === 'int' || setting.type === 'long'
  if (!isNumber || entry.factor === 1 || !/^\s*\+?\d+\s*$/.test(entry.text)) return entry.text
  return BigInt(Math.round(Number(entry.text) * entry.factor)).toString()
}

/** What no single row can tell. */
function checkTogether(settings: Settings, problems: string[]): void {
  problems.push(
    ...sizeProblems(settings).map(({ text }) => text),
    ...replicationProblems(settings),
    ...kubernetesProblems(settings),
  )
  if (settings.logDirs.trim() === '' || settings.logDirs.includes(',')) {
    problems.push('log.dirs must name one directory: to use several disks, run several brokers')
  }
  try {
    resolveListeners(settings, '')
    if (settings.httpAddress !== '') parseEndpoint('http.address', settings.httpAddress)
    checkPrivateListener(settings)
  } catch (error) {
    if (!(error instanceof ListenerError)) throw error
    problems.push(error.message)
  }
}
