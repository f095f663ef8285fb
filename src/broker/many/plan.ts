import type { Configuration, Settings } from '../config/settings.ts'

/** How many brokers one command starts: a laptop's worth, each with ports of its own in a row. */
const brokerCountMax = 9

/** What the processes of a cluster on this machine are given. */
export interface Plan {
  /** By node id, from 0. */
  readonly brokers: readonly PlannedBroker[]
  /** The folder that they share. */
  readonly metadataDir: string
  /** Passwords of their private listeners: files `broker` and `operator`. */
  readonly credentialsDir: string
}

export interface PlannedBroker {
  readonly id: number
  /** In the order of the command line: `name=value`. */
  readonly settings: readonly string[]
  /** host:port of every address that it will listen at and that is no free one. */
  readonly addresses: readonly PlannedAddress[]
}

interface PlannedAddress {
  /** The setting that it comes from. */
  readonly setting: string
  readonly text: string
}

/** Takes `--brokers N` out of the arguments. `count`: null where it is not among them, or what is wrong with it. */
export function takeBrokers(args: readonly string[]): {
  readonly count: number | string | null
  readonly rest: readonly string[]
} {
  const at = args.findIndex(arg => arg === '--brokers' || arg.startsWith('--brokers='))
  if (at < 0) return { count: null, rest: args }
  const isSplit = args[at] === '--brokers'
  const text = isSplit ? (args[at + 1] ?? '') : args[at]!.slice('--brokers='.length)
  const rest = args.toSpliced(at, isSplit ? 2 : 1)
  if (rest.some(arg => arg === '--brokers' || arg.startsWith('--brokers='))) {
    return { count: '--brokers is given twice: leave one of them out', rest }
  }
  const isNumber = /^[1-9]$/.test(text)
  const problem = `--brokers takes a number from 1 to ${brokerCountMax}, and not '${text}'`
  return { count: isNumber ? Number(text) : problem, rest }
}

/** What each broker has of its own, and so nobody can give for all. */
const own = [
  'node.id',
  'broker.id',
  'metadata.dir',
  'metadata.log.dir',
  'metadata.store',
  'cluster.size',
  'private.listener',
  'private.advertised.listener',
  'private.credentials.dir',
]

/** What `count` brokers of one command go by where nothing else is given. */
export function defaultsOfMany(count: number): Partial<Settings> {
  return { defaultReplicationFactor: Math.min(3, count) }
}

/** From a broker's port for clients to that of its private listener. */
const privateDistance = 10_000

/**
 * `count` brokers from the settings that were given for all, over `defaultsOfMany`: ports count up from the first broker's (0 stays a free
 * one), and each has a folder of its own in the data directory. A string says what cannot be.
 */
export function plan(count: number, { settings, given }: Configuration): Plan | string {
  const mine = own.find(name => given.has(name))
  if (mine !== undefined) return `--brokers gives each broker its own ${mine}; leave it out`
  const root = given.has('log.dirs') || given.has('log.dir') ? settings.logDirs : './data/cluster'
  const metadataDir = `${root}/metadata`
  const credentialsDir = `${metadataDir}/credentials`
  const first: Readonly<Record<string, string>> = {
    listeners: settings.listeners,
    'advertised.listeners': settings.advertisedListeners,
    'http.address': settings.httpAddress,
    'private.listener': `127.0.0.1:${privatePort(settings.listeners)}`,
  }
  const ofAll = [
    `metadata.dir=${metadataDir}`,
    `private.credentials.dir=${credentialsDir}`,
    `cluster.size=${count}`,
    ...(given.has('default.replication.factor')
      ? []
      : [`default.replication.factor=${settings.defaultReplicationFactor}`]),
  ]
  const brokers = Array.from({ length: count }, (_, id) => {
    const listening = Object.entries(first).flatMap(([name, text]) =>
      text === '' ? [] : [{ name, text: shifted(text, id) }],
    )
    return {
      id,
      settings: [
        `node.id=${id}`,
        `log.dirs=${root}/${id}`,
        ...listening.map(({ name, text }) => `${name}=${text}`),
        ...ofAll,
      ],
      addresses: listening.flatMap(({ name, text }) =>
        name === 'advertised.listeners' ? [] : addressesIn(name, text),
      ),
    }
  })
  const wrong = firstImpossible(brokers)
  return wrong ?? { brokers, metadataDir, credentialsDir }
}

/** A port that is none, or that two would have; null where all can be. What other processes have is seen when it is tried. */
function firstImpossible(brokers: readonly PlannedBroker[]): string | null {
  const remedy = 'The ports of the others follow those of the first broker: give it other ones'
  const taken: (PlannedAddress & { readonly id: number })[] = []
  for (const { id, settings, addresses } of brokers) {
    const none = settings.find(line => places.has(nameIn(line)) && portsIn(line).some(isNoPort))
    if (none !== undefined) {
      const name = nameIn(none)
      const port = portsIn(none).find(isNoPort)
      return `${name} of broker ${id} would have port ${port}, and 65535 is the last. ${remedy}.`
    }
    for (const address of addresses) {
      const other = taken.find(({ text }) => areSame(text, address.text))
      if (other !== undefined) {
        return (
          `${address.setting} of broker ${id} and ${other.setting} of broker ${other.id} would both be ${address.text}. ` +
          `${remedy}, further from one another.`
        )
      }
      taken.push({ ...address, id })
    }
  }
  return null
}

const places: ReadonlySet<string> = new Set([
  'listeners',
  'advertised.listeners',
  'http.address',
  'private.listener',
])

function nameIn(setting: string): string {
  return setting.slice(0, setting.indexOf('='))
}

function portsIn(text: string): number[] {
  return Array.from(text.matchAll(/:(\d+)(?=\s*(?:,|$))/g), ([, port]) => Number(port))
}

function isNoPort(port: number): boolean {
  return port > 65_535
}

/** One port, and one host or every address. */
function areSame(one: string, other: string): boolean {
  const [[host, port], [otherHost, otherPort]] = [splitAddress(one), splitAddress(other)]
  const isEvery = (text: string): boolean => everyAddress.has(text)
  return port === otherPort && (host === otherHost || isEvery(host) || isEvery(otherHost))
}

const everyAddress: ReadonlySet<string> = new Set(['', '0.0.0.0', '[::]'])

function splitAddress(text: string): [host: string, port: string] {
  const at = text.lastIndexOf(':')
  return [text.slice(0, at), text.slice(at + 1)]
}

/** Of the first broker, beside its first listener; 0 stays a free one. */
function privatePort(listeners: string): number {
  const port = portsIn(listeners).at(0) ?? 0
  if (port === 0) return 0
  return port + privateDistance > 65_535 - brokerCountMax
    ? port - privateDistance
    : port + privateDistance
}

/** Every port in a list of addresses, `by` higher; 0 stays. */
function shifted(text: string, by: number): string {
  const places = text.split(',').map(place => {
    return place.trim().replace(/:(\d{1,5})$/, (_, port: string) => {
      return `:${port === '0' ? 0 : Number(port) + by}`
    })
  })
  return places.join(',')
}

function addressesIn(setting: string, text: string): PlannedAddress[] {
  return text
    .split(',')
    .map(place => place.replace(/^.*:\/\//, ''))
    .filter(place => !place.endsWith(':0'))
    .map(place => ({ setting, text: place }))
}
