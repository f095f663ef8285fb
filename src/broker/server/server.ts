import type { Clock, ColdGate, Connection, Listener, Network, Timer } from '../../env/env.ts'
import { InvariantError } from '../../lib/assert.ts'
import { deferred } from '../../lib/deferred.ts'
import type { ListenerAddress } from '../config/listeners.ts'
import type { Settings } from '../config/settings.ts'
import type { HandlerTable } from '../handlers/handler.ts'
import { clientDoor, type Door } from '../security/door.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { ConnectionLimits } from './connection-limits.ts'
import { ConnectionLog } from './connection-log.ts'
import { ServerConnection, type ConnectionHost } from './connection.ts'
import { Dispatcher } from './dispatch.ts'
import { OutputBudget } from './output-budget.ts'
import { Turns } from './turns.ts'

export interface ServerOptions {
  readonly clock: Clock
  readonly network: Network
  readonly settings: Settings
  readonly listeners: readonly ListenerAddress[]
  readonly handlers: HandlerTable
  readonly metrics: Metrics
  readonly logger: Logger
  /** What connections find; that of clients where it is left out. */
  readonly door?: Door
  /** Says when what a device may have to deliver leaves; where it is left out, at once. */
  readonly coldGate?: ColdGate
  /** An invariant broke: the process must end. */
  fatal(error: InvariantError): void
  /** A connection is gone: whoever keeps something for it lets go. */
  connectionClosed?(connectionId: number): void
}

/** A listener at work. */
export interface BoundListener {
  readonly name: string
  readonly host: string
  readonly port: number
}

/**
 * The front door of the room: sockets on one side, handlers on the other. Requests of one connection are handled in the order in which they
 * came and answered in it (G13, G14); what one client asks, sends or does not take is bounded, for itself and in the sum of all; a broken frame
 * ends its connection and nobody else's, and a broken invariant the process.
 */
export class Server {
  readonly #options: ServerOptions
  readonly #log: ConnectionLog
  readonly #limits: ConnectionLimits
  readonly #connections = new Set<ServerConnection>()
  readonly #listeners: { readonly name: string; readonly listener: Listener }[] = []
  readonly #host: ConnectionHost
  #isOverPressure = false
  #sweeping: Timer | null = null
  /** Resolves when the last connection is gone, once we stop. */
  #stopping: { readonly allGone: () => void } | null = null

  constructor(options: ServerOptions) {
    const { settings, clock } = options
    this.#options = options
    this.#log = new ConnectionLog(clock, options.logger)
    this.#limits = new ConnectionLimits(settings)
    this.#host = this.#makeHost()
  }

  /** Where it listens, after `start`. */
  get listeners(): readonly BoundListener[] {
    return this.#listeners.map(({ name, listener }) => ({
      name,
      host: listener.host,
      port: listener.port,
    }))
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Listens everywhere, or nowhere. Rejects with the NetworkError of the first listener that could not. */
  async start(): Promise<void> {
    const { listeners, clock, settings } = this.#options
    try {
      for (const address of listeners) await this.#listen(address)
    } catch (error) {
      await this.#closeListeners()
      throw error
    }
    const periodMs = sweepPeriodMs(settings)
    let sweptMs = clock.monotonic()
    let isSpared = false
    this.#sweeping = clock.every(periodMs, () => {
      const nowMs = clock.monotonic()
      // The process stood still: what was sent meanwhile is read first. One that always is late spares nobody for ever.
      isSpared = nowMs - sweptMs - periodMs > sweepLateMsMax && !isSpared
      sweptMs = nowMs
      if (isSpared) return
      for (const connection of this.#connections) connection.sweep(nowMs)
    })
  }

  /** Too many bytes are dirty (`over`): connections that produce are not read until it is over. */
  setPressure(over: boolean): void {
    if (over === this.#isOverPressure) return
    this.#isOverPressure = over
    if (over) this.#options.metrics.pressurePauses.value++
    for (const connection of this.#connections) connection.pressureChanged()
  }

  /**
   * Stops accepting and reading, answers what was taken, and closes; what is not answered within
   * `graceful.stop.timeout.ms` is dropped. Resolves when every connection is gone.
   */
  async stop(): Promise<void> {
    const { clock, settings, logger } = this.#options
    const gone = deferred<void>()
    this.#stopping = { allGone: () => gone.resolve() }
    await this.#closeListeners()
    for (const connection of this.#connections) connection.stop()
    this.#tellIfAllGone()
    const timeout = clock.after(settings.gracefulStopTimeoutMs, () => {
      logger.warn({ connections: this.#connections.size }, 'Dropped requests that took too long')
      for (const connection of this.#connections) connection.close('stop-timeout')
    })
    await gone.promise
    timeout.cancel()
    this.#sweeping?.cancel()
    this.#log.stop()
  }

  async #listen(address: ListenerAddress): Promise<void> {
    const { network, settings, metrics, logger, coldGate } = this.#options
    const { name, host, port } = address
    const listener = await network.listen(
      {
        host,
        port,
        frameSizeMax: settings.socketRequestMaxBytes,
        requestMemoryMax: settings.queuedMaxRequestBytes,
        ...(coldGate === undefined ? {} : { coldGate }),
      },
      {
        accepted: connection => this.#accept(connection, name),
        acceptFailed: code => {
          metrics.connectionRefused(code)
          this.#log.acceptFailed(name, code)
        },
      },
    )
    this.#listeners.push({ name, listener })
    logger.info({ listener: name, host: listener.host, port: listener.port }, 'Listening')
  }

  #accept(connection: Connection, listenerName: string): ServerConnection | null {
    const { metrics } = this.#options
    const limit = this.#stopping === null ? this.#limits.enter(connection.remote.host) : 'stopping'
    if (limit !== null) {
      metrics.connectionRefused(limit)
      this.#log.refusedConnection(connection, listenerName, limit)
      return null
    }
    metrics.connectionsAccepted.value++
    const accepted = new ServerConnection(this.#host, connection, listenerName)
    this.#connections.add(accepted)
    return accepted
  }

  #makeHost(): ConnectionHost {
    const { clock, handlers, settings, metrics, door = clientDoor } = this.#options
    return {
      clock,
      dispatcher: new Dispatcher(handlers, metrics, door),
      openSession: () => door.openSession(),
      limits: {
        requestsInFlightMax: settings.connectionsRequestsInFlightMax,
        queuedOutputBytesMax: settings.connectionsQueuedOutputBytes,
        frameTimeoutMs: settings.connectionsFrameTimeoutMs,
        idleMsMax: idleMsMax(settings),
      },
      output: new OutputBudget(settings.queuedMaxOutputBytes),
      turns: new Turns(clock),
      isUnderPressure: () => this.#isOverPressure,
      refused: (connection, facts, errors) => this.#log.refused(connection, facts, errors),
      turnedAway: (connection, why) => {
        metrics.loginFailures(connection.listenerName).value++
        this.#log.turnedAway(connection, why)
      },
      faulted: (connection, facts, fault) => {
        metrics.connectionFault(fault.reason)
        this.#log.faulted(connection, facts, fault)
      },
      failed: (connection, facts, error) => {
        this.#log.failed(connection, facts, error)
        if (error instanceof InvariantError) this.#options.fatal(error)
      },
      ended: (connection, reason, detail) => this.#ended(connection, reason, detail),
    }
  }

  #ended(connection: ServerConnection, reason: string, detail: string): void {
    if (!this.#connections.delete(connection)) return
    const { metrics } = this.#options
    this.#limits.leave(connection.connection.remote.host)
    metrics.connectionClosed(reason)
    if (networkFaults.has(reason)) metrics.connectionFault(reason)
    this.#log.ended(connection, reason, detail)
    this.#options.connectionClosed?.(connection.connection.id)
    this.#tellIfAllGone()
  }

  #tellIfAllGone(): void {
    if (this.#connections.size === 0) this.#stopping?.allGone()
  }

  async #closeListeners(): Promise<void> {
    await Promise.all(this.#listeners.splice(0).map(({ listener }) => listener.close()))
  }
}

/** Ends that the network decides on for what a client sent. */
const networkFaults: ReadonlySet<string> = new Set(['frame'])

/** A negative time is none, as in Kafka. */
function idleMsMax({ connectionsMaxIdleMs }: Settings): number {
  return connectionsMaxIdleMs < 0 ? Infinity : connectionsMaxIdleMs
}

/** A look at connections that comes later than this finds none of them as they are. */
const sweepLateMsMax = 1_000

/** Often enough that a timeout is late by a tenth, and not more often than needed. */
function sweepPeriodMs(settings: Settings): number {
  const shortest = Math.min(settings.connectionsFrameTimeoutMs, idleMsMax(settings))
  return Math.max(50, Math.min(5000, shortest / 10))
}
