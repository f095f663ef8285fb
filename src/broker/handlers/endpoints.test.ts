import { describe, expect, test } from 'vitest'
import { resolveListeners } from '../config/listeners.ts'
import { defaultSettings } from '../config/settings.ts'
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
    isSole: () => true,
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
    const several = { isSole: () => false }
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
