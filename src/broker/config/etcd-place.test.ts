import { expect, test } from 'vitest'
import { etcdPlace } from './etcd-place.ts'

test.each([
  ['etcd://a:2379/orders', ['http://a:2379'], '/logcluster/orders/'],
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
])('%s is no place in etcd', text => {
  expect(etcdPlace(text)).toBe(null)
})
