/** A place to listen at, and what clients are told of it. */
export interface ListenerAddress {
  readonly name: string
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

/**
 * Reads `listeners` and `advertised.listeners` together.
 * @throws ListenerError
 */
export function resolveListeners(listeners: string, advertised: string): ListenerAddress[] {
  const wanted = parseListeners('listeners', listeners)
  if (wanted.length === 0) throw new ListenerError('listeners is empty: give NAME://host:port')
  const told = new Map(
    parseListeners('advertised.listeners', advertised).map(({ name, ...at }) => [name, at]),
  )
  for (const [name, at] of told) checkAdvertised(name, at, wanted)
  return wanted.map(listener => ({
    ...listener,
    advertised: told.get(listener.name) ?? advertisedByItself(listener),
  }))
}

/** What a client that reached `listener` at its `dialled` address is told to connect to. */
export function endpointFor(listener: ListenerAddress, dialled: Endpoint): Endpoint {
  if (listener.advertised === null) return dialled
  if (listener.advertised.port !== 0) return listener.advertised
  return { host: listener.advertised.host, port: dialled.port }
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

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

interface Named extends Endpoint {
  readonly name: string
}

const encrypted = new Set(['SSL', 'SASL_PLAINTEXT', 'SASL_SSL'])

function parseListeners(setting: string, given: string): Named[] {
  const found: Named[] = []
  for (const part of given.split(',').map(item => item.trim())) {
    if (part === '') continue
    const match = /^([A-Za-z][A-Za-z0-9_]*):\/\/(.*)$/.exec(part)
    if (match === null) {
      throw new ListenerError(
        `${setting}: '${part}' is not NAME://host:port, as in PLAINTEXT://127.0.0.1:9092`,
      )
    }
    const name = match[1]!.toUpperCase()
    if (encrypted.has(name)) {
      throw new ListenerError(`${setting}: ${name} is not there yet: use PLAINTEXT`)
    }
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

function advertisedByItself(listener: Named): Endpoint | null {
  if (isLoopback(listener.host)) return null
  if (!isWildcard(listener.host)) return { host: listener.host, port: listener.port }
  throw new ListenerError(
    `listeners: ${listener.name} listens at every address, so nobody knows what to tell clients: ` +
      `set advertised.listeners=${listener.name}://HOST:${listener.port} with the host that they use`,
  )
}

function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::'
}
