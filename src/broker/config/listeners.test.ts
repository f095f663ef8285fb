import { expect, test } from 'vitest'
import { endpointFor, ListenerError, parseEndpoint, resolveListeners } from './listeners.ts'

const dialled = { host: '127.0.0.1', port: 5000 }

test('a loopback listener answers with the address that the client dialled', () => {
  const [listener] = resolveListeners('PLAINTEXT://localhost:0', '')
  expect(listener).toEqual({ name: 'PLAINTEXT', host: 'localhost', port: 0, advertised: null })
  expect(endpointFor(listener!, dialled)).toEqual(dialled)
})

test('others advertise themselves, or what they are told', () => {
  const [inside, outside] = resolveListeners(
    'INSIDE://10.0.0.1:9092,OUTSIDE://0.0.0.0:9093',
    'outside://broker.example:19093',
  )
  expect(endpointFor(inside!, dialled)).toEqual({ host: '10.0.0.1', port: 9092 })
  expect(endpointFor(outside!, dialled)).toEqual({ host: 'broker.example', port: 19_093 })
})

test('an advertised port 0 is the one that was dialled', () => {
  const [listener] = resolveListeners('A://127.0.0.1:0', 'A://localhost:0')
  expect(endpointFor(listener!, dialled)).toEqual({ host: 'localhost', port: 5000 })
})

test('IPv6 stands in brackets', () => {
  expect(resolveListeners('PLAINTEXT://[::1]:9092', '')[0]!.host).toBe('::1')
  expect(parseEndpoint('x', '[fe80::1]:1')).toEqual({ host: 'fe80::1', port: 1 })
})

test.each([
  ['', '', /is empty/],
  ['PLAINTEXT:127.0.0.1:9092', '', /is not NAME:/],
  ['PLAINTEXT://127.0.0.1', '', /is not host:port/],
  ['PLAINTEXT://127.0.0.1:70000', '', /up to 65535/],
  ['SSL://127.0.0.1:9093', '', /not there yet/],
  ['A://127.0.0.1:1,a://127.0.0.1:2', '', /given twice/],
  ['A://:9092', '', /set advertised.listeners=A:/],
  ['A://127.0.0.1:1', 'B://x:1', /no listener is named B/],
  ['A://0.0.0.0:1', 'A://0.0.0.0:1', /clients cannot connect/],
])('listeners=%s advertised=%s is refused', (listeners, advertised, message) => {
  expect(() => resolveListeners(listeners, advertised)).toThrow(ListenerError)
  expect(() => resolveListeners(listeners, advertised)).toThrow(message)
})
