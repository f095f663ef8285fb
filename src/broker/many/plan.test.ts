import { describe, expect, test } from 'vitest'
import { load } from '../config/load.ts'
import { defaultsOfMany, plan, takeBrokers, type Plan } from './plan.ts'

function planned(count: number, ...settings: readonly string[]): Plan | string {
  const args = settings.flatMap(setting => ['--set', setting])
  const readFile = (): string => ''
  const defaults = defaultsOfMany(count)
  const loaded = load({ args, environment: {}, readFile, version: '0', defaults })
  if (loaded.kind !== 'configuration') throw new Error('no configuration')
  return plan(count, loaded.configuration)
}

function settingsOf(found: Plan | string, id: number): Record<string, string> {
  if (typeof found === 'string') throw new Error(found)
  return Object.fromEntries(
    found.brokers[id]!.settings.map(line => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
  )
}

describe('--brokers', () => {
  test('is taken out of the arguments, wherever it stands', () => {
    const rest = ['--config', 'x', '--set', 'a=b']
    expect(takeBrokers(rest)).toEqual({ count: null, rest })
    expect(takeBrokers(['--brokers', '3', ...rest])).toEqual({ count: 3, rest })
    expect(takeBrokers(['--config', 'x', '--brokers=9', '--set', 'a=b'])).toEqual({
      count: 9,
      rest,
    })
  })

  test.each(['0', '10', '-1', 'three', '', '3x'])('refuses %j', text => {
    expect(takeBrokers(['--brokers', text]).count).toBe(
      `--brokers takes a number from 1 to 9, and not '${text}'`,
    )
  })
})

test('--brokers is refused where it is given twice', () => {
  expect(takeBrokers(['--brokers', '3', '--brokers=5']).count).toBe(
    '--brokers is given twice: leave one of them out',
  )
})

describe('the plan of a cluster on one machine', () => {
  test('gives each broker ports and a folder of its own, and all of them a folder together', () => {
    const found = planned(3)
    expect(settingsOf(found, 2)).toEqual({
      'node.id': '2',
      'log.dirs': './data/cluster/2',
      listeners: 'PLAINTEXT://127.0.0.1:9094',
      'http.address': '127.0.0.1:9406',
      'private.listener': '127.0.0.1:19094',
      'metadata.dir': './data/cluster/metadata',
      'private.credentials.dir': './data/cluster/metadata/credentials',
      'cluster.size': '3',
      'default.replication.factor': '3',
    })
    expect((found as Plan).brokers[1]!.addresses).toEqual([
      { setting: 'listeners', text: '127.0.0.1:9093' },
      { setting: 'http.address', text: '127.0.0.1:9405' },
      { setting: 'private.listener', text: '127.0.0.1:19093' },
    ])
  })

  test('counts up from what is given for the first one, and leaves free ports free', () => {
    const listeners = 'listeners=PLAINTEXT://:60000,INSIDE://[::1]:0'
    const advertised = 'advertised.listeners=PLAINTEXT://box:7000'
    const found = planned(5, listeners, advertised, 'http.address=', 'log.dirs=/srv/x')
    expect(settingsOf(found, 4)).toMatchObject({
      listeners: 'PLAINTEXT://:60004,INSIDE://[::1]:0',
      'advertised.listeners': 'PLAINTEXT://box:7004',
      'private.listener': '127.0.0.1:50004',
      'log.dirs': '/srv/x/4',
      'metadata.dir': '/srv/x/metadata',
    })
    expect(settingsOf(found, 4)).not.toHaveProperty(['http.address'])
    expect((found as Plan).brokers[4]!.addresses.map(({ text }) => text)).toEqual([
      ':60004',
      '127.0.0.1:50004',
    ])
    const free = planned(2, 'listeners=PLAINTEXT://127.0.0.1:0', 'http.address=127.0.0.1:0')
    expect((free as Plan).brokers.flatMap(({ addresses }) => addresses)).toEqual([])
    expect(settingsOf(free, 1)).toMatchObject({ 'private.listener': '127.0.0.1:0' })
  })

  test('puts the private listener beside an IPv6 address, whatever digits are in that', () => {
    const found = planned(2, 'listeners=PLAINTEXT://[::1]:9092,INSIDE://[fe80::12:7]:9192')
    expect(settingsOf(found, 1)).toMatchObject({
      listeners: 'PLAINTEXT://[::1]:9093,INSIDE://[fe80::12:7]:9193',
      'private.listener': '127.0.0.1:19093',
    })
  })

  test.each([
    'listeners=PLAINTEXT://127.0.0.1:65534',
    'advertised.listeners=PLAINTEXT://box:65534',
  ])('refuses ports beyond the last one: %s', setting => {
    expect(planned(2, setting)).not.toBeTypeOf('string')
    expect(planned(3, setting)).toBe(
      `${setting.split('=')[0]} of broker 2 would have port 65536, and 65535 is the last. ` +
        'The ports of the others follow those of the first broker: give it other ones.',
    )
  })

  test('refuses a place that two brokers would have, or two listeners of one', () => {
    const both = 'The ports of the others follow those of the first broker: give it other ones'
    expect(planned(3, 'http.address=127.0.0.1:9094')).toBe(
      'listeners of broker 2 and http.address of broker 0 would both be 127.0.0.1:9094. ' +
        `${both}, further from one another.`,
    )
    expect(planned(1, 'http.address=:9092')).toMatch(/would both be :9092/)
    expect(planned(3, 'listeners=PLAINTEXT://127.0.0.1:9392')).not.toBeTypeOf('string')
    expect(planned(2, 'listeners=A://127.0.0.1:9092,B://127.0.0.2:9093')).not.toBeTypeOf('string')
    expect(planned(2, 'listeners=A://127.0.0.1:9092 , B://:9093')).toMatch(/both be 127.0.0.1:9093/)
  })

  test('makes as many copies as there are brokers, three at most, unless told how many', () => {
    const factor = 'default.replication.factor'
    expect([1, 2, 3, 5].map(count => settingsOf(planned(count), 0)[factor])).toEqual([
      '1',
      '2',
      '3',
      '3',
    ])
    expect(settingsOf(planned(3, `${factor}=2`), 0)).not.toHaveProperty([factor])
  })

  test('refuses min.insync.replicas by the number of copies that the brokers make, before any of them starts', () => {
    const one = 'min.insync.replicas=1'
    expect([1, 2].map(count => typeof planned(count, one))).toEqual(['object', 'object'])
    expect(() => planned(3, one)).toThrow(/^--set: min.insync.replicas cannot be given at start/)
  })

  test('refuses what only one broker can have', () => {
    expect(planned(3, 'node.id=7')).toBe(
      '--brokers gives each broker its own node.id; leave it out',
    )
    expect(planned(3, 'broker.id=7')).toMatch(/broker\.id/)
    expect(planned(3, 'metadata.dir=/x')).toMatch(/metadata\.dir/)
    expect(planned(3, 'private.advertised.listener=h:1')).toMatch(/private\.advertised\.listener/)
  })
})
