import { expect, test } from 'vitest'
import { DiskError } from '../env/disk.ts'
import { NetworkError } from '../env/network.ts'
import { ConfigurationError } from './config/load.ts'
import { DirectoryError } from './log/directory/error.ts'
import { StoreError } from './metadata/store.ts'
import { DataPathError } from './open-env.ts'
import { refusalOf, terminationLine } from './refusal.ts'

const ofListen = Object.assign(new Error('listen EADDRINUSE: address already in use :::9404'), {
  syscall: 'listen',
  code: 'EADDRINUSE',
})

test.each([
  [new ConfigurationError(['a is wrong', 'b too']), 'ConfigurationInvalid', 78],
  [new DirectoryError('locked', '/d', 'Stop it.'), 'DataDirectoryLocked', 1],
  [new DirectoryError('foreign', '/d', 'Stop it.'), 'DataDirectoryForeign', 1],
  [new DirectoryError('failed', '/d', 'Stop it.'), 'DataDirectoryFailed', 1],
  [new StoreError('damaged', 'Stop it.'), 'MetadataStoreDamaged', 1],
  [new DataPathError('Stop it.'), 'DataPathUnavailable', 1],
  [new NetworkError('Stop it.', 'EADDRINUSE'), 'AddressInUse', 1],
  [new NetworkError('Stop it.', 'EACCES'), 'AddressUnusable', 1],
  [ofListen, 'AddressInUse', 1],
  [new DiskError('write', '/d', 'ENOSPC'), 'DiskFull', 1],
  [new DiskError('sync', '/d', 'EIO'), 'DiskFailed', 1],
  [new TypeError('Stop it.'), 'BrokerFailed', 1],
  ['Stop it.', 'BrokerFailed', 1],
])('%s is told as %s', (error, reason, exitCode) => {
  expect(refusalOf(error)).toMatchObject({ reason, exitCode })
})

test('every problem of a configuration is told, as sentences', () => {
  const { message } = refusalOf(new ConfigurationError(['a is wrong', 'b too']))
  expect(message).toBe('a is wrong. b too.')
})

test('the line is one line of JSON, whatever the message says', () => {
  const line = terminationLine(refusalOf(new Error('one\ntwo "three"')))
  expect(line).not.toContain('\n')
  expect(JSON.parse(line)).toEqual({ reason: 'BrokerFailed', message: 'one\ntwo "three".' })
})

test.each(['a', 'ü', '"', '\n'])('a long message of %j is cut, not the JSON around it', letter => {
  const line = terminationLine(refusalOf(new Error(`Begin ${letter.repeat(20_000)}`)))
  expect(Buffer.byteLength(line)).toBeLessThanOrEqual(4096)
  const { reason, message } = JSON.parse(line) as { reason: string; message: string }
  expect(reason).toBe('BrokerFailed')
  expect(message).toMatch(/^Begin [^]* \.\.\.$/)
})
