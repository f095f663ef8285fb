import { destination, pino, type DestinationStream } from 'pino'
import type { Clock } from '../../env/env.ts'

/** Facts beside a message. Never secrets, never bytes of records. */
export type LogFields = Readonly<Record<string, unknown>>

/** Constant messages with key-values: `logger.info({ topic, partition }, 'Opened a log')`. */
export interface Logger {
  fatal(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  debug(fields: LogFields, message: string): void
  trace(fields: LogFields, message: string): void
  /** The same logger with fields that every line has. */
  child(fields: LogFields): Logger
}

/** Lines that could not be written, and are tried again with the next one; more are dropped. */
const waitingBytesMax = 1024 * 1024

export interface LoggerOptions {
  readonly level: string
  readonly clock: Pick<Clock, 'now'>
  /** Takes whole lines; standard output where it is left out. */
  readonly stream?: DestinationStream
}

/** JSON lines: level by name, time in milliseconds since 1970, the fields, the message. */
export function createLogger({ level, clock, stream }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":${clock.now()}`,
      formatters: { level: label => ({ level: label }) },
    },
    stream ?? standardOutput(),
  )
}

/** Written at once: a line must not be lost with the process that it explains. Where nobody takes the lines, nothing ends for it. */
function standardOutput(): DestinationStream {
  const output = destination({ dest: 1, sync: true, maxLength: waitingBytesMax })
  output.on('error', () => {})
  return output
}
