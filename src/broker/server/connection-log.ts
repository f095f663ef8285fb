import type { Clock, Connection } from '../../env/env.ts'
import type { ConnectionFault } from '../handlers/handler.ts'
import { LineLimit, type LineLimitOptions } from '../telemetry/line-limit.ts'
import type { LogFields, Logger } from '../telemetry/logger.ts'
import type { ErrorName } from '../wire/errors.ts'
import type { AnswerError } from './answer-errors.ts'
import type { ServerConnection } from './connection.ts'
import type { RequestFacts } from './open-request.ts'

interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: LogFields
}

/**
 * Errors by which clients are led through the protocol's ordinary course. MEMBER_ID_REQUIRED is every first JoinGroup
 * of a member (KIP-394), REBALANCE_IN_PROGRESS every heartbeat of a rebalance.
 */
const ordinary: ReadonlySet<ErrorName> = new Set(['MEMBER_ID_REQUIRED', 'REBALANCE_IN_PROGRESS'])

/** A consumer that waits for a topic asks for it several times a second: it is told once, and again after an hour. */
const waiting: Partial<LineLimitOptions> = { linesMax: 1, periodMs: 3_600_000 }

/** What is said of a handler that threw: whatever a client sent, that is a bug. Simulator and tests look for it. @internal */
export const ownFailure = 'Closed a connection for a failure of ours'

/**
 * One line for each refused request and each connection that is closed for a fault: who, what, and why. Lines
 * alike from one address are limited, because clients can cause them at will; how many were left out is told.
 */
export class ConnectionLog {
  readonly #logger: Logger
  readonly #limit: LineLimit<Line>
  readonly #waiting: LineLimit<Line>

  constructor(clock: Clock, logger: Logger) {
    this.#logger = logger
    const tell = ({ level, message, fields }: Line, leftOut: number): void =>
      logger[level]({ ...fields, like: message, leftOut }, 'Left out lines like one before')
    this.#limit = new LineLimit(clock, tell)
    this.#waiting = new LineLimit(clock, tell, waiting)
  }

  /** Tells how many lines were left out and not told of yet. */
  stop(): void {
    this.#limit.stop()
    this.#waiting.stop()
  }

  refused(connection: ServerConnection, facts: RequestFacts, errors: readonly AnswerError[]): void {
    const [first] = errors
    if (first === undefined) return
    const { error, message, about } = first
    const fields = {
      ...who(connection),
      ...what(facts),
      reason: error,
      ...(about === null ? {} : { about }),
      ...(message === null ? {} : { detail: message }),
      ...(errors.length === 1 ? {} : { errors: errors.length }),
    }
    const line = { message: 'Refused a request', fields } as const
    if (ordinary.has(error)) return this.#logger.debug(fields, line.message)
    const isWaiting = facts.api === 'Metadata' && error === 'UNKNOWN_TOPIC_OR_PARTITION'
    const kind = [facts.api, error, connection.connection.remote.host]
    if (isWaiting) kind.push(connection.clientId ?? '', about ?? '')
    this.#line(kind, { level: 'info', ...line }, isWaiting ? this.#waiting : this.#limit)
  }

  faulted(
    connection: ServerConnection,
    facts: RequestFacts | null,
    { reason, message }: ConnectionFault,
  ): void {
    this.#line([reason, facts?.api ?? '', connection.connection.remote.host], {
      level: 'warn',
      message: 'Closed a connection for a fault',
      fields: {
        ...who(connection),
        ...(facts === null ? {} : what(facts)),
        reason,
        detail: message,
      },
    })
  }

  /** Names no password and no token. */
  turnedAway(connection: ServerConnection, why: string): void {
    this.#line(['login', connection.connection.remote.host], {
      level: 'warn',
      message: 'Turned a client away that could not log in',
      fields: { ...who(connection), reason: why },
    })
  }

  failed(connection: ServerConnection, facts: RequestFacts | null, error: unknown): void {
    this.#line(['failed', facts?.api ?? '', connection.connection.remote.host], {
      level: 'error',
      message: ownFailure,
      fields: { ...who(connection), ...(facts === null ? {} : what(facts)), err: error },
    })
  }

  refusedConnection(connection: Connection, listener: string, reason: string): void {
    this.#line([reason, connection.remote.host], {
      level: 'warn',
      message: 'Refused a connection',
      fields: { remote: addressOf(connection), listener, reason },
    })
  }

  acceptFailed(listener: string, code: string): void {
    this.#line(['accept', code], {
      level: 'error',
      message: 'Failed to accept a connection',
      fields: { listener, code },
    })
  }

  ended(connection: ServerConnection, reason: string, detail: string): void {
    const fields = { ...who(connection), reason, ...(detail === '' ? {} : { detail }) }
    // The network's own verdicts have no line yet; ours were told as faults.
    if (reason === 'frame' || reason === 'short-file' || reason === 'callback') {
      this.#line([reason, connection.connection.remote.host], {
        level: 'warn',
        message: 'Closed a connection for a fault',
        fields,
      })
      return
    }
    this.#logger.debug(fields, 'Closed a connection')
  }

  #line(kind: readonly string[], line: Line, limit = this.#limit): void {
    if (limit.admits(kind.join(' '), line)) this.#logger[line.level](line.fields, line.message)
  }
}

function who(connection: ServerConnection): LogFields {
  return {
    clientId: connection.clientId,
    remote: addressOf(connection.connection),
    listener: connection.listenerName,
  }
}

function what({ api, apiVersion }: RequestFacts): LogFields {
  return { api, version: apiVersion }
}

function addressOf({ remote }: Connection): string {
  return `${remote.host}:${remote.port}`
}
