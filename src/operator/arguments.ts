import { parseArgs } from 'node:util'

/** What the operator is started with. */
export interface OperatorArguments {
  /** Only these namespaces; all where empty. */
  readonly watchNamespaces: readonly string[]
  /** Where `/metrics` and the probes are served. */
  readonly httpHost: string
  readonly httpPort: number
  readonly leaseNamespace: string
  readonly leaseName: string
  readonly logLevel: string
  /** `repository:tag` of brokers whose LogCluster names no image. */
  readonly defaultImage: string
  /** null: the pod's service account, or KUBECONFIG and `~/.kube/config` where this is no pod. */
  readonly kubeconfig: string | null
}

/** An argument that cannot be; the message says which and what to do. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError'
}

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

interface Option {
  readonly name: string
  readonly variable: string
  readonly default: string
  readonly help: string
}

const options: readonly Option[] = [
  {
    name: 'watch-namespaces',
    variable: 'WATCH_NAMESPACES',
    default: '',
    help: 'Only these namespaces, separated by commas. All where it is empty.',
  },
  {
    name: 'http-address',
    variable: 'HTTP_ADDRESS',
    default: '0.0.0.0:8080',
    help: 'Where /metrics, /healthz and /readyz are served.',
  },
  {
    name: 'lease-namespace',
    variable: 'POD_NAMESPACE',
    default: 'default',
    help: 'The namespace of the Lease by which one of several operators leads.',
  },
  {
    name: 'lease-name',
    variable: 'LEASE_NAME',
    default: 'logcluster-operator',
    help: 'The name of that Lease.',
  },
  {
    name: 'default-image',
    variable: 'DEFAULT_IMAGE',
    default: 'localhost/logcluster',
    help: 'The image of brokers whose LogCluster names none.',
  },
  {
    name: 'kubeconfig',
    variable: 'KUBECONFIG',
    default: '',
    help: "A kubeconfig. The pod's service account where it is empty, or ~/.kube/config outside of a pod.",
  },
  {
    name: 'log-level',
    variable: 'LOG_LEVEL',
    default: 'info',
    help: `One of ${levels.join(', ')}.`,
  },
]

/** What `--help` prints. */
export const operatorHelp = [
  'logcluster operator: keeps LogClusters, their brokers and their topics as they are wanted.',
  '',
  ...options.map(
    ({ name, variable, default: value, help }) =>
      `  --${name.padEnd(18)} ${help} [$${variable}]${value === '' ? '' : ` (default ${value})`}`,
  ),
].join('\n')

/**
 * An argument wins over its variable of the environment, that over the default.
 * @throws ArgumentError
 */
export function readArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): OperatorArguments | 'help' {
  const given = parse(args)
  if (given['help'] === true) return 'help'
  const value = (name: string): string => {
    const option = options.find(it => it.name === name)!
    const argument = given[name]
    if (typeof argument === 'string') return argument
    const variable = environment[option.variable]
    return variable === undefined || variable === '' ? option.default : variable
  }
  const { host, port } = endpoint(value('http-address'))
  const logLevel = value('log-level').toLowerCase()
  if (!levels.includes(logLevel)) {
    throw new ArgumentError(`--log-level ${logLevel} is none of ${levels.join(', ')}`)
  }
  return {
    watchNamespaces: value('watch-namespaces')
      .split(',')
      .map(name => name.trim())
      .filter(name => name !== ''),
    httpHost: host,
    httpPort: port,
    leaseNamespace: value('lease-namespace'),
    leaseName: value('lease-name'),
    logLevel,
    defaultImage: value('default-image'),
    kubeconfig: value('kubeconfig') === '' ? null : value('kubeconfig'),
  }
}

function parse(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  try {
    const texts = options.map(({ name }) => [name, { type: 'string' }] as const)
    return parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(texts), help: { type: 'boolean', short: 'h' } },
    }).values
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ArgumentError(`${reason}; --help lists what there is`)
  }
}

/** @throws ArgumentError */
function endpoint(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) {
    throw new ArgumentError(`--http-address ${text} is no HOST:PORT; give one such as 0.0.0.0:8080`)
  }
  return { host: match[1] ?? match[2]!, port }
}
