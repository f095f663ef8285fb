import type { LogFields, Logger } from '../../src/broker/telemetry/logger.ts'

/** Hands each line from `info` on to `note`, as text. */
export function noteLogger(note: (text: string) => void, always: LogFields = {}): Logger {
  const at =
    (level: string) =>
    (fields: LogFields, message: string): void =>
      note(`${level} ${message} ${JSON.stringify({ ...always, ...fields }, plainErrors)}`)
  return {
    fatal: at('fatal'),
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: () => {},
    trace: () => {},
    child: fields => noteLogger(note, { ...always, ...fields }),
  }
}

function plainErrors(_name: string, value: unknown): unknown {
  if (value instanceof Error) return value.message
  return typeof value === 'bigint' ? String(value) : value
}
