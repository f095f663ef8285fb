import { expect, test } from 'vitest'
import { endpointFor, ListenerError, parseEndpoint, resolveListeners } from './listeners.ts'
import { defaultSettings } from './settings.ts'

const resolve = (listeners: string, advertisedListeners = '', map: string | null = null) =>
  resolveListeners(
    defaultSettings({
      listeners,
      advertisedListeners,
      ...(map === null ? {} : { listenerSecurityProtocolMap: map }),
    }),
    'machine.example',
  )
const dialled = { host: '127.0.0.1', port: 5000 }

test('a loopback listener answers with the address that the client dialled', () => {
  const [listener] = resolve('PLAINTEXT://localhost:0')
  expect(listener).toEqual({ name: 'PLAINTEXT', host: 'localhost', port: 0, advertised: null })
  expect(endpointFor(listener!, dialled)).toEqual(dialled)
})

test('others advertise themselves, or what they are told', () => {
  const [inside, outside] = resolve(
    'INSIDE://10.0.0.1:9092,OUTSIDE://0.0.0.0:9093',
    'outside://broker.example:19093',
  )
  expect(endpointFor(inside!, dialled)).toEqual({ host: '10.0.0.1', port: 9092 })
  expect(endpointFor(outside!, dialled)).toEqual({ host: 'broker.example', port: 19_093 })
})

test('an advertised port 0 is the one that was dialled', () => {
  const [listener] = resolve('A://127.0.0.1:0', 'A://localhost:0')
  expect(endpointFor(listener!, dialled)).toEqual({ host: 'localhost', port: 5000 })
})

test("a listener without a host is at every address and tells the machine's name, as Kafka's", () => {
  const [listener] = resolve('PLAINTEXT://:9092')
  expect(listener!.host).toBe('')
  expect(endpointFor(listener!, dialled)).toEqual({ host: 'machine.example', port: 9092 })
  const [told] = resolve('PLAINTEXT://:9092', 'PLAINTEXT://broker.example:9093')
  expect(endpointFor(told!, dialled)).toEqual({ host: 'broker.example', port: 9093 })
  expect(endpointFor(resolve('PLAINTEXT://:0')[0]!, dialled)).toEqual({
    host: 'machine.example',
    port: 5000,
  })
})

test('names are what Kafka takes, and what the map says they speak', () => {
  const names = (given: string, map: string) => resolve(given, '', map).map(({ name }) => name)
  const map = 'client-in:PLAINTEXT, docker.host : plaintext'
  const given = 'client-in://127.0.0.1:1,docker.host://127.0.0.1:2,9th://127.0.0.1:3'
  expect(names(given, map)).toEqual(['CLIENT-IN', 'DOCKER.HOST', '9TH'])
  expect(names('SSL://127.0.0.1:1', 'SSL:PLAINTEXT')).toEqual(['SSL'])
})

test('IPv6 stands in brackets', () => {
  expect(resolve('PLAINTEXT://[::1]:9092')[0]!.host).toBe('::1')
  expect(parseEndpoint('x', '[fe80::1]:1')).toEqual({ host: 'fe80::1', port: 1 })
})

test.each<[string, string, RegExp, string?]>([
  ['', '', /is empty/],
  ['PLAINTEXT:127.0.0.1:9092', '', /is not NAME:/],
  ['PLAINTEXT://127.0.0.1', '', /is not host:port/],
  ['PLAINTEXT://127.0.0.1:70000', '', /up to 65535/],
  ['SSL://127.0.0.1:9093', '', /not there yet/],
  ['A://127.0.0.1:1,a://127.0.0.1:2', '', /given twice/],
  ['A://0.0.0.0:9092', '', /set advertised.listeners=A:/],
  ['A://[::]:9092', '', /set advertised.listeners=A:/],
  ['A://127.0.0.1:1', '', /A is to speak SSL/, 'A:SSL'],
  ['PLAINTEXT://127.0.0.1:1', '', /is to speak SASL_SSL/, 'PLAINTEXT:SASL_SSL'],
  ['A://127.0.0.1:1', '', /'A' is not NAME:PROTOCOL/, 'A'],
  ['A://127.0.0.1:1', '', /'A:TLS' is not NAME:PROTOCOL/, 'B:PLAINTEXT,A:TLS'],
  ['A://127.0.0.1:1', 'B://x:1', /no listener is named B/],
  ['A://0.0.0.0:1', 'A://0.0.0.0:1', /clients cannot connect/],
])('listeners=%s advertised=%s is refused', (...given) => {
  const [listeners, advertised, message, map] = given
  expect(() => resolve(listeners, advertised, map)).toThrow(ListenerError)
  expect(() => resolve(listeners, advertised, map)).toThrow(message)
})
