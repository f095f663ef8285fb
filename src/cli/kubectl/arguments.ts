import { nearest } from '../../broker/config/nearest.ts'

const verbs = [
  'status',
  'plan',
  'restart',
  'drain',
  'undrain',
  'replace',
  'rebalance',
  'report',
  'import',
  'adopt',
] as const
type Verb = (typeof verbs)[number]

const ofBrokers: readonly Verb[] = ['drain', 'undrain', 'replace']

const rebalanceStates = ['Active', 'Paused', 'Cancelled'] as const
type RebalanceState = (typeof rebalanceStates)[number]

/** What a command line asks of the plugin. */
export interface Wish {
  readonly verb: Verb
  /** Of a LogCluster, or of a LogBroker for `drain`, `undrain` and `replace`. */
  readonly name: string | null
  /** Given to kubectl with every call: context, kubeconfig, whom to impersonate. */
  readonly connection: readonly string[]
  /** Which namespaces: kubectl's own words for it; empty for the one of the context. */
  readonly scope: readonly string[]
  /** The plugin's own options. */
  readonly broker: string | null
  readonly acceptDataLoss: string | null
  readonly output: string | null
  readonly state: RebalanceState | null
  /** A quantity, or `none`. */
  readonly throttle: string | null
  readonly input: string | null
  readonly isExport: boolean
  readonly isTopicsOnly: boolean
}

export type Read =
  | { readonly kind: 'wish'; readonly wish: Wish }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'refused'; readonly problem: string }

/** kubectl's options that say where and as whom; each has a value. */
const connectionOptions = [
  '--context',
  '--kubeconfig',
  '--cluster',
  '--user',
  '--as',
  '--as-group',
  '--token',
  '--server',
  '--request-timeout',
]

const ownOptions: Readonly<Record<string, readonly Verb[]>> = {
  '--broker': ['restart'],
  '--accept-data-loss': ['replace'],
  '--output': ['report'],
  '--state': ['rebalance'],
  '--throttle': ['rebalance'],
  '--input': ['import'],
  '--export': ['report'],
  '--topics-only': ['import'],
}

/** Those that stand alone. */
const flags: readonly string[] = ['--export', '--topics-only']

const short: Readonly<Record<string, string>> = { '-n': '--namespace', '-s': '--server' }

/** Reads what stands after `kubectl logcluster`. */
export function readArguments(args: readonly string[]): Read {
  const [word] = args
  if (word === undefined || word === 'help' || args.includes('--help') || args.includes('-h')) {
    return { kind: 'help' }
  }
  if (word === 'version' || word === '--version') return { kind: 'version' }
  const parsed = parse(args)
  if (typeof parsed === 'string') return { kind: 'refused', problem: parsed }
  const [verb, name = null, ...more] = parsed.words
  if (!isVerb(verb)) return { kind: 'refused', problem: unknownVerb(verb ?? '') }
  if (more.length > 0) return { kind: 'refused', problem: `${verb} takes one name at most` }
  const problem = whatIsWrong(verb, name, parsed)
  if (problem !== null) return { kind: 'refused', problem }
  const own = (option: string): string | null => parsed.own.get(option) ?? null
  return {
    kind: 'wish',
    wish: {
      verb,
      name,
      connection: parsed.connection,
      scope: parsed.scope,
      broker: own('--broker'),
      acceptDataLoss: own('--accept-data-loss'),
      output: own('--output'),
      state: rebalanceStates.find(state => state === own('--state')) ?? null,
      throttle: own('--throttle'),
      input: own('--input'),
      isExport: own('--export') !== null,
      isTopicsOnly: own('--topics-only') !== null,
    },
  }
}

interface Parsed {
  readonly words: string[]
  readonly connection: string[]
  readonly scope: string[]
  readonly own: Map<string, string>
}

/** Sorts words and options; a sentence where one is none. */
function parse(args: readonly string[]): Parsed | string {
  const parsed: Parsed = { words: [], connection: [], scope: [], own: new Map() }
  const rest = [...args]
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (!arg.startsWith('-')) {
      parsed.words.push(arg)
      continue
    }
    if (arg === '-A' || arg === '--all-namespaces') {
      parsed.scope.push('--all-namespaces')
      continue
    }
    const [given, inline] = split(arg)
    const option = short[given] ?? given
    if (!isKnown(option)) return unknownOption(given)
    if (flags.includes(option)) {
      if (inline !== undefined) return `${given} takes no value`
      parsed.own.set(option, '')
      continue
    }
    const value = inline ?? rest.shift()
    if (value === undefined) return `${given} needs a value after it`
    if (option === '--namespace') parsed.scope.push(`--namespace=${value}`)
    else if (option in ownOptions) parsed.own.set(option, value)
    else parsed.connection.push(`${option}=${value}`)
  }
  return parsed
}

function split(arg: string): [option: string, value: string | undefined] {
  const at = arg.indexOf('=')
  return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)]
}

function isKnown(option: string): boolean {
  return option === '--namespace' || option in ownOptions || connectionOptions.includes(option)
}

function isVerb(word: string | undefined): word is Verb {
  return verbs.some(verb => verb === word)
}

function whatIsWrong(verb: Verb, name: string | null, { scope, own }: Parsed): string | null {
  const foreign = [...own.keys()].find(option => !ownOptions[option]!.includes(verb))
  if (foreign !== undefined) return `${foreign} is for ${ownOptions[foreign]!.join(', ')} only`
  if (verb !== 'status' && name === null) {
    return `${verb} needs the name of a ${ofBrokers.includes(verb) ? 'LogBroker' : 'LogCluster'}`
  }
  if (verb === 'import' && !own.has('--input')) {
    return 'import needs --input=FILE, a document of report --export; - reads it from standard input'
  }
  if (scope.includes('--all-namespaces') && (verb !== 'status' || name !== null)) {
    return '--all-namespaces is for status without a name'
  }
  const accepted = own.get('--accept-data-loss')
  if (accepted !== undefined && accepted !== name) {
    return `--accept-data-loss must repeat the name of the broker, ${name}: what is on its disk alone is lost`
  }
  return verb === 'rebalance' ? whatIsWrongOfRebalance(own) : null
}

function whatIsWrongOfRebalance(own: Parsed['own']): string | null {
  const state = own.get('--state')
  if (state === undefined && !own.has('--throttle')) {
    return 'rebalance needs --state or --throttle: status tells how far it is'
  }
  if (state === undefined || rebalanceStates.some(each => each === state)) return null
  return `--state is one of ${rebalanceStates.join(', ')}`
}

function unknownVerb(word: string): string {
  const near = nearest(word, verbs)
  const hint = near === null ? `there are ${verbs.join(', ')}` : `did you mean ${near}?`
  return `${word} is no command of kubectl logcluster: ${hint}`
}

function unknownOption(option: string): string {
  const names = [
    '--namespace',
    '--all-namespaces',
    ...Object.keys(ownOptions),
    ...connectionOptions,
  ]
  const near = nearest(option, names)
  return `${option} is no option of kubectl logcluster${near === null ? '' : `: did you mean ${near}?`}`
}

export const usage = `Looks after LogClusters.

Usage: kubectl logcluster COMMAND [NAME] [options]

  status [CLUSTER]   what the operator says, and what the brokers say themselves
  plan CLUSTER       what the operator is about to do and waits for, and what a restart of each broker would risk now
  restart CLUSTER    has the operator restart its brokers, one after another; --broker=NAME: only that one
  drain BROKER       has the operator move leadership off a broker, until undrain BROKER; a node needs no more than
                     kubectl drain
  replace BROKER     has the operator give a broker a new, empty disk; the old one is kept.
                     Where partitions have no other copy, the operator waits for --accept-data-loss=BROKER.
  rebalance CLUSTER  says how replicas move when brokers come and go; --state=Paused: none begins to move,
                     --state=Cancelled: what is on its way is called off too, --state=Active: goes on;
                     --throttle=50Mi: so many bytes a second and broker at most, --throttle=none: as many as may be
  report CLUSTER     writes specs, status, events, logs and the brokers' own words into a folder, without
                     secrets; --output=FOLDER. --export: and export.json, topics with their configs and committed
                     offsets, which import reads; for that you need the right to exec into a pod
  import CLUSTER     makes the topics of an export.json, and commits its offsets; --input=FILE. It overwrites nothing.
                     --topics-only leaves out the offsets
  adopt CLUSTER      gives volumes that were kept their claims again, where those are gone, with their namespace or by
                     themselves: what the same LogCluster needs to find its disks. You need the right to change volumes

Options of kubectl that say where and as whom are passed on: -n, -A (status), --context, --kubeconfig, --as, ...
KUBECTL in the environment names another kubectl than the one on the PATH.`
