import type { Env } from '../env/env.ts'
import { parseEndpoint } from './config/listeners.ts'
import { replicaFetchersMax } from './config/replication-settings.ts'
import type { Settings } from './config/settings.ts'
import { brokerStatusHandler, type BrokerStatus } from './handlers/10000-broker-status.ts'
import { saslHandshakeHandler } from './handlers/17-sasl-handshake.ts'
import { apiVersionsHandler } from './handlers/18-api-versions.ts'
import { saslAuthenticateHandler } from './handlers/36-sasl-authenticate.ts'
import { HandlerTable, type Handler } from './handlers/handler.ts'
import { CredentialFiles } from './security/credential-files.ts'
import { privateListenerName } from './handlers/endpoints.ts'
import { privateDoor } from './security/door.ts'
import { Server, type BoundListener, type ServerOptions } from './server/server.ts'
import { mebibyte } from './config/units.ts'

/** Of a cluster: as many as a pool of the operator's may have. */
const brokersMax = 100

/**
 * What one other broker has besides its fetchers: five lanes to a controller, the question for backlogs, and what comes and
 * goes (log ends of an election, whether somebody lives). What is left of connections that broke unseen finds room too.
 */
const otherConnectionsMax = 16

/**
 * For a whole cluster whose brokers fetch by as many connections as they may, so that nobody's heartbeat is turned away, and
 * for the operator. Clients, that are many, cannot take these places; a place that nobody has costs nothing.
 */
const connectionsMax = (brokersMax - 1) * (replicaFetchersMax + otherConnectionsMax) + 64

/** Announced by who has not logged in, too. The longest that an operator sends are configs of many topics. */
const frameBytesMax = 8 * mebibyte

export interface PrivateListenerOptions extends Pick<
  ServerOptions,
  'metrics' | 'logger' | 'fatal' | 'coldGate' | 'connectionClosed'
> {
  readonly env: Env
  readonly settings: Settings
  readonly status: () => BrokerStatus
  /** How far the metadata log is known; -1 while it is not. */
  readonly metadataSequence: () => number
}

/**
 * The way in for the operator, and for brokers to each other: on from the first moment of a start to the first of a
 * stop, and closed to who has not logged in. In the beginning it tells the status; what brokers serve comes in by `serve`.
 */
export class PrivateListener {
  readonly #server: Server
  readonly #handlers: HandlerTable

  private constructor(options: PrivateListenerOptions) {
    const { env, settings, metrics, logger } = options
    const { host, port } = parseEndpoint('private.listener', settings.privateListener)
    const files = new CredentialFiles(env, settings.privateCredentialsDir)
    const missing = files.missing()
    if (missing.length > 0) {
      const directory = settings.privateCredentialsDir
      logger.warn({ directory, missing }, 'Principals have no password, and cannot log in')
    }
    const table: HandlerTable = new HandlerTable([
      saslHandshakeHandler,
      saslAuthenticateHandler,
      apiVersionsHandler({ served: () => table.apis(), sequence: options.metadataSequence }),
      brokerStatusHandler(options.status, () => files.revision()),
    ])
    this.#handlers = table
    // A counter that is there from the beginning shows its first failure.
    metrics.loginFailures(privateListenerName)
    this.#server = new Server({
      ...options,
      clock: env.clock,
      network: env.network,
      settings: {
        ...settings,
        maxConnections: connectionsMax,
        maxConnectionsPerIp: connectionsMax,
        // Copies of records acknowledge those that clients' requests wait for with their memory: they may not wait for it.
        queuedMaxRequestBytes: Infinity,
        socketRequestMaxBytes: Math.min(settings.socketRequestMaxBytes, frameBytesMax),
      },
      listeners: [{ name: privateListenerName, host, port, advertised: null }],
      handlers: table,
      door: privateDoor(files, env.random),
    })
  }

  /** null where there is none. Rejects with a NetworkError where its address cannot be used. */
  static async start(options: PrivateListenerOptions): Promise<PrivateListener | null> {
    if (options.settings.privateListener === '') return null
    const listener = new PrivateListener(options)
    await listener.#server.start()
    return listener
  }

  get connectionCount(): number {
    return this.#server.connectionCount
  }

  /** Where it listens. */
  get bound(): BoundListener {
    return this.#server.listeners[0]!
  }

  /** What the broker serves its clients, it serves here too from now on. */
  serve(handlers: Iterable<Handler>): void {
    this.#handlers.add(handlers)
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }
}
