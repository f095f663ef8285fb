import { expect, test } from 'vitest'
import { etcdPlace, etcdPlaceProblem } from './etcd-place.ts'

test.each([
  ['etcd://a:2379/orders', ['http://a:2379'], '/logcluster/orders/'],
  ['etcd://etcd.example:80/orders', ['http://etcd.example:80'], '/logcluster/orders/'],
  ['etcd://a:2379,[::1]:2380/x.y', ['http://a:2379', 'http://[::1]:2380'], '/logcluster/x.y/'],
])('%s names members and keys', (text, urls, prefix) => {
  expect(etcdPlace(text)).toEqual({ urls, prefix })
})

test.each([
  'etcd://a:2379',
  'etcd://a:2379/',
  'etcd://a/orders',
  'etcd:///orders',
  'etcd://a:1,b/o',
  'http://a:2379/o',
  'etcd://a:2379/o/p',
  'etcd://a:/orders',
  'etcd://a:65536/orders',
  'etcd://a:2379?b/orders',
  'etcd://a:2379#b/orders',
  'etcd://user:secret@a:2379/orders',
  'etcd://user@a:2379/orders',
])('%s is no place in etcd', text => {
  expect(etcdPlace(text)).toBe(null)
})

test('a user is refused in a sentence that does not tell the password', () => {
  const told = etcdPlaceProblem('etcd://root:secret@a:2379/orders')
  expect(told).toMatch(/without authentication and without TLS.*leave out what is before the @/)
  expect(told).not.toContain('secret')
  expect(etcdPlaceProblem('etcd://a/orders')).toBe(null)
})
