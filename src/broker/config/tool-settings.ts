import { int, long, longMax } from './setting.ts'
import { minute } from './units.ts'

/**
 * Settings that tools read or change on any broker, test suites of clients among them, and that nothing here goes
 * by. Names, ranges and defaults are Kafka's.
 */
export const toolSettings = {
  'background.threads': int({
    default: 10,
    unit: 'threads',
    min: 1,
    effect: 'never',
    doc: 'Nothing here runs in threads of this kind.',
  }),
  'num.io.threads': int({
    default: 8,
    unit: 'threads',
    min: 1,
    effect: 'never',
    doc: 'Requests are answered by one event loop.',
  }),
  'num.network.threads': int({
    default: 3,
    unit: 'threads',
    min: 1,
    effect: 'never',
    doc: 'Connections are served by one event loop.',
  }),
  'replica.alter.log.dirs.io.max.bytes.per.second': long({
    default: longMax,
    unit: 'bytes',
    effect: 'never',
    described: 'where given',
    doc: 'A broker has one data directory.',
  }),
  'sasl.kerberos.min.time.before.relogin': long({
    default: minute,
    unit: 'ms',
    effect: 'never',
    doc: 'There is no Kerberos here.',
  }),
} as const
