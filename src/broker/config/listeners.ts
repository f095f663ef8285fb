import { plainHost } from '../../env/network.ts'

/** A place to listen at, and what clients are told of it. */
export interface ListenerAddress {
  readonly name: string
  /** Empty: every address of the machine. */
  readonly host: string
  /** 0: a free one. */
  readonly port: number
  /** null: whatever address the client dialled (loopback listeners only). */
  readonly advertised: Endpoint | null
}

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** What is wrong with a listener setting, as a sentence with its remedy. */
export class ListenerError extends Error {
  override readonly name = 'ListenerError'
}

export interface ListenerSettings {
  readonly listeners: string
  readonly advertisedListeners: string
  readonly listenerSecurityProtocolMap: string
}

/**
 * Reads the settings of listeners together. `hostName` is the machine's, which a listener at every address tells
 * clients where `advertised.listeners` does not say otherwise.
 * @throws ListenerError
 */
export function resolveListeners(settings: ListenerSettings, hostName: string): ListenerAddress[] {
  const wanted = parseListeners('listeners', settings.listeners)
  if (wanted.length === 0) throw new ListenerError('listeners is empty: give NAME://host:port')
  checkProtocols(wanted, parseProtocols(settings.listenerSecurityProtocolMap))
  const told = new Map(
    parseListeners('advertised.listeners', settings.advertisedListeners).map(({ name, ...at }) => [
      name,
      at,
    ]),
  )
  for (const [name, at] of told) checkAdvertised(name, at, wanted)
  return wanted.map(listener => ({
    ...listener,
    advertised: told.get(listener.name) ?? advertisedByItself(listener, hostName),
  }))
}

/** What a client that reached `listener` at its `dialled` address is told to connect to. */
export function endpointFor(listener: ListenerAddress, dialled: Endpoint): Endpoint {
  if (listener.advertised === null) return dialled
  if (listener.advertised.port !== 0) return listener.advertised
  return { host: listener.advertised.host, port: dialled.port }
}

/** What a broker registers of a listener: where clients of other brokers' listeners of that name find this one (G46). */
export function registeredAs({ host, port, advertised }: ListenerAddress): Endpoint {
  return advertised === null ? { host, port } : { ...advertised, port: advertised.port || port }
}

/** `host:port`, with brackets around an IPv6 address. @throws ListenerError */
export function parseEndpoint(setting: string, given: string): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]/]*)):(\d{1,5})$/.exec(given.trim())
  const port = Number(match?.[3])
  if (match === null || port > 65_535) {
    throw new ListenerError(`${setting}: '${given}' is not host:port with a port up to 65535`)
  }
  return { host: match[1] ?? match[2] ?? '', port }
}

/**
 * The private listener's settings belong together.
 * @throws ListenerError
 */
export function checkPrivateListener(settings: {
  readonly privateListener: string
  readonly privateAdvertisedListener: string
  readonly privateCredentialsDir: string
}): void {
  if (settings.privateListener === '') return
  parseEndpoint('private.listener', settings.privateListener)
  checkPrivateAdvertised(settings.privateAdvertisedListener)
  if (settings.privateCredentialsDir !== '') return
  throw new ListenerError(
    'private.listener: nobody could log in there: set private.credentials.dir to the directory with the files operator and broker',
  )
}

function checkPrivateAdvertised(given: string): void {
  if (given === '') return
  const { host, port } = parseEndpoint('private.advertised.listener', given)
  if (!isWildcard(host) && port > 0) return
  throw new ListenerError(
    `private.advertised.listener: other brokers cannot connect to '${given}': give the host and the port that they use`,
  )
}

/** Whether `host` is the machine itself, by whatever way of writing. */
export function isLoopback(given: string): boolean {
  const host = plainHost(given)
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

interface Named extends Endpoint {
  readonly name: string
}

const protocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

/** NAME:PROTOCOL, several separated by commas, as Kafka has it (KIP-103). */
function parseProtocols(given: string): ReadonlyMap<string, string> {
  const setting = 'listener.security.protocol.map'
  const found = new Map<string, string>()
  for (const part of given.split(',').map(item => item.trim())) {
    if (part === '') continue
    const [name = '', protocol = '', ...rest] = part.split(':')
    const wanted = protocol.trim().toUpperCase()
    if (name === '' || rest.length > 0 || !protocols.includes(wanted)) {
      throw new ListenerError(
        `${setting}: '${part}' is not NAME:PROTOCOL with one of ${protocols.join(', ')}`,
      )
    }
    found.set(name.trim().toUpperCase(), wanted)
  }
  return found
}

/** A name that the map does not have is its own protocol where it is one's name, and PLAINTEXT else. */
function checkProtocols(wanted: readonly Named[], map: ReadonlyMap<string, string>): void {
  for (const { name } of wanted) {
    const protocol = map.get(name) ?? (protocols.includes(name) ? name : 'PLAINTEXT')
    if (protocol !== 'PLAINTEXT') {
      throw new ListenerError(
        `listeners: ${name} is to speak ${protocol}, which is not there yet: use PLAINTEXT`,
      )
    }
  }
}

function parseListeners(setting: string, given: string): Named[] {
  const found: Named[] = []
  for (const part of given.split(',').map(item => item.trim())) {
    if (part === '') continue
    const match = /^([\w.-]+):\/\/(.*)$/.exec(part)
    if (match === null) {
      throw new ListenerError(
        `${setting}: '${part}' is not NAME://host:port, as in PLAINTEXT://127.0.0.1:9092`,
      )
    }
    const name = match[1]!.toUpperCase()
    if (found.some(other => other.name === name)) {
      throw new ListenerError(`${setting}: the name ${name} is given twice: names must differ`)
    }
    found.push({ name, ...parseEndpoint(setting, match[2]!) })
  }
  return found
}

function checkAdvertised(name: string, at: Endpoint, wanted: readonly Named[]): void {
  if (!wanted.some(listener => listener.name === name)) {
    throw new ListenerError(
      `advertised.listeners: no listener is named ${name}: use a name from listeners`,
    )
  }
  if (isWildcard(at.host)) {
    throw new ListenerError(
      `advertised.listeners: clients cannot connect to '${at.host}': give the address that they use`,
    )
  }
}

function advertisedByItself(listener: Named, hostName: string): Endpoint | null {
  if (isLoopback(listener.host)) return null
  if (listener.host === '') return { host: hostName, port: listener.port }
  if (!isWildcard(listener.host)) return { host: listener.host, port: listener.port }
  throw new ListenerError(
    `listeners: ${listener.name} listens at every address, so nobody knows what to tell clients: ` +
      `set advertised.listeners=${listener.name}://HOST:${listener.port} with the host that they use`,
  )
}

function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::'
}
