import { describe, expect, test } from 'vitest'
import { resolveListeners } from '../config/listeners.ts'
import { defaultSettings } from '../config/settings.ts'
import { MetadataImage } from '../metadata/image.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import { directoryOf, registered } from '../../../test/metadata/brokers.ts'
import { Endpoints, type EndpointsOptions } from './endpoints.ts'

function seen(
  local: { readonly host: string; readonly port: number },
  changes: Partial<EndpointsOptions> & { readonly listenerName?: string } = {},
): string {
  const settings = defaultSettings({
    listeners: 'INTERNAL://0.0.0.0:9092,OUTSIDE://:9094,NEAR://127.0.0.1:9095',
    advertisedListeners: 'INTERNAL://orders-main-0-0.orders-brokers:9092,OUTSIDE://10.1.2.3:31094',
  })
  const endpoints = new Endpoints({
    brokerId: 7,
    listeners: resolveListeners(settings, 'machine'),
    tellsLoopback: true,
    image: () => imageOf(registered(7)),
    ...changes,
  })
  const listenerName = changes.listenerName ?? 'INTERNAL'
  const [{ brokerId, host, port } = { brokerId: -1, host: '', port: 0 }] = endpoints.seenFrom({
    listenerName,
    local,
  })
  expect(brokerId).toBe(7)
  return `${host}:${port}`
}

function imageOf(...brokers: readonly MetadataRecord[]): MetadataImage {
  return MetadataImage.empty.applyBatch(1, brokers)
}

const podIp = { host: '10.244.1.9', port: 9092 }

describe('who came over loopback', () => {
  test.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])(
    'is told localhost and the port that he dialled: %s',
    host => {
      expect(seen({ host, port: 9092 })).toBe('localhost:9092')
      expect(seen({ host, port: 9094 }, { listenerName: 'OUTSIDE' })).toBe('localhost:9094')
      expect(seen({ host, port: 19_095 }, { listenerName: 'NEAR' })).toBe('localhost:19095')
    },
  )

  test('is told what is advertised where the setting does not say so', () => {
    const loopback = { host: '127.0.0.1', port: 9092 }
    const off = { tellsLoopback: false }
    expect(seen(loopback, off)).toBe('orders-main-0-0.orders-brokers:9092')
    expect(seen(loopback, { ...off, listenerName: 'OUTSIDE' })).toBe('10.1.2.3:31094')
    expect(seen(loopback, { ...off, listenerName: 'NEAR' })).toBe('127.0.0.1:9092')
  })

  test('and where there are more brokers: their addresses differ by their names only', () => {
    const several = { image: () => imageOf(registered(7), registered(8)) }
    expect(seen({ host: '::1', port: 9092 }, several)).toBe('orders-main-0-0.orders-brokers:9092')
  })
})

test('who came by an address of the pod is told what is advertised', () => {
  expect(seen(podIp)).toBe('orders-main-0-0.orders-brokers:9092')
  expect(seen({ ...podIp, port: 9094 }, { listenerName: 'OUTSIDE' })).toBe('10.1.2.3:31094')
})

test('on the private listener everybody is told what he dialled', () => {
  const name = { listenerName: 'private' }
  expect(seen({ host: '10.244.1.9', port: 9091 }, name)).toBe('10.244.1.9:9091')
  expect(seen({ host: '127.0.0.1', port: 9091 }, name)).toBe('127.0.0.1:9091')
})

describe('of several brokers', () => {
  const at = (id: number, isFenced = false): MetadataRecord =>
    registered(id, {
      isFenced,
      rack: `rack-${id}`,
      listeners: [
        { name: 'INTERNAL', host: `internal-${id}`, port: 9092 },
        ...(id === 9 ? [] : [{ name: 'OUTSIDE', host: `outside-${id}`, port: 30_000 + id }]),
      ],
      peer: { host: `peer-${id}`, port: 9091 },
    })
  const brokers = [at(9), at(7), at(8, true)]

  function endpointsOf(...records: readonly MetadataRecord[]): Endpoints {
    const settings = defaultSettings({
      listeners: 'INTERNAL://0.0.0.0:9092,OUTSIDE://:9094',
      advertisedListeners: 'INTERNAL://internal-7:9092,OUTSIDE://outside-7:30007',
    })
    return new Endpoints({
      brokerId: 7,
      listeners: resolveListeners(settings, 'machine'),
      tellsLoopback: true,
      image: () => imageOf(...records),
    })
  }

  const way = (listenerName: string) => ({ listenerName, local: podIp })
  const told = (endpoints: Endpoints, listenerName: string): string[] =>
    endpoints
      .seenFrom(way(listenerName))
      .map(({ brokerId, host, port }) => `${brokerId} ${host}:${port}`)

  test('each is told at its address for the listener of the client, in the order of their ids (G46)', () => {
    const endpoints = endpointsOf(at(9), at(7), at(8))
    expect(told(endpoints, 'INTERNAL')).toEqual([
      '7 internal-7:9092',
      '8 internal-8:9092',
      '9 internal-9:9092',
    ])
    expect(endpoints.seenFrom(way('INTERNAL')).map(({ rack }) => rack)).toEqual([
      'rack-7',
      'rack-8',
      'rack-9',
    ])
  })

  test('one without such a listener is not told, and is offline to whoever comes by it', () => {
    const endpoints = endpointsOf(at(9), at(7), at(8))
    expect(told(endpoints, 'OUTSIDE')).toEqual(['7 outside-7:30007', '8 outside-8:30008'])
    const seen = endpoints.look(way('OUTSIDE'))
    expect([7, 8, 9, 10].map(id => seen.has(id))).toEqual([true, true, false, false])
    expect([7, 8, 9, 10].map(id => seen.isRegistered(id))).toEqual([true, true, true, false])
    expect([7, 8, 9, 10].map(id => seen.isOffline(id))).toEqual([false, false, true, true])
  })

  test('one that is fenced is told only to who asks for such', () => {
    const endpoints = endpointsOf(...brokers)
    expect(told(endpoints, 'INTERNAL')).toEqual(['7 internal-7:9092', '9 internal-9:9092'])
    const { all } = endpoints.look(way('INTERNAL'))
    expect(all.map(({ brokerId, isFenced }) => [brokerId, isFenced])).toEqual([
      [7, false],
      [8, true],
      [9, false],
    ])
  })

  test('one whose directory failed is offline, and told', () => {
    const failed = { type: 'directoryFailed', directoryId: directoryOf(9) } as const
    const seen = endpointsOf(at(7), at(9), failed).look(way('INTERNAL'))
    expect([seen.isOffline(7), seen.isOffline(9), seen.has(9)]).toEqual([false, true, true])
  })

  test('this one is told where nobody else is heard of: somebody has to be asked', () => {
    const endpoints = endpointsOf(at(7, true), at(8, true))
    expect(told(endpoints, 'INTERNAL')).toEqual(['7 internal-7:9092'])
  })

  test('those who come by the private listener are told of the private listeners', () => {
    expect(told(endpointsOf(at(7), at(8)), 'private')).toEqual(['7 peer-7:9091', '8 peer-8:9091'])
  })

  test('one that registered with a port that it did not know yet is told by nobody else', () => {
    const unknown = registered(8, { listeners: [{ name: 'INTERNAL', host: 'h', port: 0 }] })
    expect(told(endpointsOf(at(7), unknown), 'INTERNAL')).toEqual(['7 internal-7:9092'])
  })

  test('the controller is the one to ask for changes, and this one while it is not heard of', () => {
    const claim = (brokerId: number) =>
      ({ type: 'epochClaimed', epoch: 1, brokerId, claimId: directoryOf(1) }) as const
    expect(endpointsOf(...brokers, claim(9)).controllerId).toBe(9)
    expect(endpointsOf(...brokers, claim(8)).controllerId).toBe(7)
    expect(endpointsOf(...brokers, claim(10)).controllerId).toBe(7)
  })
})
