import type { Clock, Connection } from '../../env/env.ts'
import type { ConnectionFault } from '../handlers/handler.ts'
import { LineLimit } from '../telemetry/line-limit.ts'
import type { LogFields, Logger } from '../telemetry/logger.ts'
import type { AnswerError } from './answer-errors.ts'
import type { ServerConnection } from './connection.ts'
import type { RequestFacts } from './open-request.ts'

/**
 * One line for each refused request and each connection that is closed for a fault: who, what, and why. Lines
 * alike from one address are limited, because clients can cause them at will.
 */
export class ConnectionLog {
  readonly #logger: Logger
  readonly #limit: LineLimit

  constructor(clock: Clock, logger: Logger) {
    this.#logger = logger
    this.#limit = new LineLimit(clock)
  }

  refused(connection: ServerConnection, facts: RequestFacts, errors: readonly AnswerError[]): void {
    const [first] = errors
    if (first === undefined) return
    this.#line('info', [facts.api, first.error, connection.connection.remote.host], {
      message: 'Refused a request',
      fields: {
        ...who(connection),
        ...what(facts),
        reason: first.error,
        ...(first.message === null ? {} : { detail: first.message }),
        ...(errors.length === 1 ? {} : { errors: errors.length }),
      },
    })
  }

  faulted(
    connection: ServerConnection,
    facts: RequestFacts | null,
    { reason, message }: ConnectionFault,
  ): void {
    this.#line('warn', [reason, connection.connection.remote.host], {
      message: 'Closed a connection for a fault',
      fields: {
        ...who(connection),
        ...(facts === null ? {} : what(facts)),
        reason,
        detail: message,
      },
    })
  }

  failed(connection: ServerConnection, facts: RequestFacts | null, error: unknown): void {
    this.#line('error', ['failed', facts?.api ?? '', connection.connection.remote.host], {
      message: 'Closed a connection for a failure of ours',
      fields: { ...who(connection), ...(facts === null ? {} : what(facts)), err: error },
    })
  }

  refusedConnection(connection: Connection, listener: string, reason: string): void {
    this.#line('warn', [reason, connection.remote.host], {
      message: 'Refused a connection',
      fields: { remote: addressOf(connection), listener, reason },
    })
  }

  acceptFailed(listener: string, code: string): void {
    this.#line('error', ['accept', code], {
      message: 'Failed to accept a connection',
      fields: { listener, code },
    })
  }

  ended(connection: ServerConnection, reason: string, detail: string): void {
    const fields = { ...who(connection), reason, ...(detail === '' ? {} : { detail }) }
    // The network's own verdicts have no line yet; ours were told as faults.
    if (reason === 'frame' || reason === 'short-file' || reason === 'callback') {
      this.#line('warn', [reason, connection.connection.remote.host], {
        message: 'Closed a connection for a fault',
        fields,
      })
      return
    }
    this.#logger.debug(fields, 'Closed a connection')
  }

  #line(
    level: 'info' | 'warn' | 'error',
    kind: readonly string[],
    line: { readonly message: string; readonly fields: LogFields },
  ): void {
    const leftOut = this.#limit.take(kind.join(' '))
    if (leftOut === null) return
    const fields = leftOut === 0 ? line.fields : { ...line.fields, leftOut }
    this.#logger[level](fields, line.message)
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
