import { expect, test } from 'vitest'
import type { MemberAssignment } from '../coordinator/group-views.ts'
import { GroupAttribution } from './attribution.ts'

/** Groups as a test has them: each a member that is assigned partitions of one topic. */
class Views {
  revision = 0
  looks = 0
  readonly #members: MemberAssignment[] = []

  add(groupId: string, clientId: string, clientHost: string, partitions: number[]): void {
    const topics = [{ topic: 'orders', partitions }]
    this.#members.push({ groupId, memberId: `${clientId}-1`, clientId, clientHost, topics })
    this.revision++
  }

  assignments(): IterableIterator<MemberAssignment> {
    this.looks++
    return this.#members.values()
  }
}

const fetcher = { clientId: 'billing-1', host: '10.0.0.1', topic: 'orders', partition: 0 }

test('a fetch counts for the group whose member has its client id, host and partition', () => {
  const views = new Views()
  views.add('billing', 'billing-1', '/10.0.0.1', [0, 2])
  const attribution = new GroupAttribution(views)
  expect(attribution.groupOf(fetcher)).toBe('billing')
  expect(attribution.groupOf({ ...fetcher, partition: 2 })).toBe('billing')
  const others = [
    { partition: 1 },
    { topic: 'payments' },
    { host: '10.0.0.2' },
    { clientId: 'billing-2' },
    { clientId: null },
  ]
  for (const other of others) expect(attribution.groupOf({ ...fetcher, ...other })).toBe('')
})

test('a client without an id is a member without one', () => {
  const views = new Views()
  views.add('nameless', '', '/10.0.0.1', [0])
  expect(new GroupAttribution(views).groupOf({ ...fetcher, clientId: null })).toBe('nameless')
})

test('where two groups could be meant it is neither, and two members of one group are that group', () => {
  const views = new Views()
  views.add('billing', 'billing-1', '/10.0.0.1', [0, 1])
  views.add('billing', 'billing-1', '/10.0.0.1', [1])
  const attribution = new GroupAttribution(views)
  expect(attribution.groupOf({ ...fetcher, partition: 1 })).toBe('billing')
  views.add('audit', 'billing-1', '/10.0.0.1', [0])
  expect(attribution.groupOf(fetcher)).toBe('')
  expect(attribution.groupOf({ ...fetcher, partition: 1 })).toBe('billing')
  views.add('billing', 'billing-1', '/10.0.0.1', [0])
  expect(attribution.groupOf(fetcher)).toBe('')
})

test('groups are looked at again only when they changed', () => {
  const views = new Views()
  views.add('billing', 'billing-1', '/10.0.0.1', [0])
  const attribution = new GroupAttribution(views)
  const revision = attribution.revision
  for (let fetch = 0; fetch < 10; fetch++) attribution.groupOf(fetcher)
  expect(views.looks).toBe(1)
  views.add('audit', 'audit-1', '/10.0.0.9', [0])
  expect(attribution.revision).not.toBe(revision)
  attribution.groupOf(fetcher)
  expect(views.looks).toBe(2)
})
