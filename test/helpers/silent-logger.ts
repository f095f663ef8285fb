import type { Logger } from '../../src/broker/telemetry/logger.ts'

/** Says nothing. */
export const silentLogger: Logger = {
  fatal: () => {},
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  trace: () => {},
  child: () => silentLogger,
}
