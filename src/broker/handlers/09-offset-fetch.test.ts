import { expect, test } from 'vitest'
import { zeroUuid, type Uuid } from '../../lib/uuid.ts'
import type { OffsetValue } from '../coordinator/groups/records.ts'
import { offsetFetchHandler, type OffsetFetchDeps } from './09-offset-fetch.ts'
import type { RequestContext } from './handler.ts'

const former = 'Zm9ybWVyZm9ybWVyZm9ybQ'
const present = 'cHJlc2VudHByZXNlbnRwcg'

/** A group that committed 7 for a topic that had `topicId` then, and has `present` now. */
function deps(topicId: Uuid): OffsetFetchDeps {
  const value: OffsetValue = {
    offset: 7,
    topicId,
    leaderEpoch: 0,
    metadata: '',
    commitTimeMs: 0,
    expireTimeMs: -1,
  }
  const topic = { id: present, name: 'topic' }
  return {
    coordinator: { refusal: () => 'NONE', views: { offset: () => value } },
    image: () => ({ topicById: (id: Uuid) => (id === present ? topic : undefined) }),
  } as unknown as OffsetFetchDeps
}

/** What is told of groups that are asked for in version 9. */
function askedFor(...topics: readonly ({ name: string; partitionIndexes: number[] }[] | null)[]) {
  const whole = deps(zeroUuid)
  const value = whole.coordinator.views.offset('g', 'a', 0)!
  const partitions = new Map([0, 1, 2].map(at => [at, value]))
  const views = { offset: () => value, offsets: () => new Map([['a', partitions]]) }
  const coordinator = { refusal: () => 'NONE', views } as never
  const handler = offsetFetchHandler({ ...whole, coordinator })
  const groups = topics.map(some => {
    const named = some?.map(topic => ({ ...topic, topicId: zeroUuid })) ?? null
    return { groupId: 'g', memberId: null, memberEpoch: -1, topics: named }
  })
  const request = { groupId: '', topics: null, groups, requireStable: false }
  const told = handler.handle(request, { apiVersion: 9 } as RequestContext)
  return (
    told as { groups: { topics: { name: string; partitions: { partitionIndex: number }[] }[] }[] }
  ).groups.map(group =>
    group.topics.map(topic => [topic.name, ...topic.partitions.map(one => one.partitionIndex)]),
  )
}

test('however often a group, a topic and a partition are named, each is answered once', () => {
  const all = Array.from({ length: 1000 }, () => null)
  expect(askedFor(...all)).toEqual([[['a', 0, 1, 2]]])
  expect(
    askedFor(
      [
        { name: 'a', partitionIndexes: [1, 1, 0, 1] },
        { name: 'b', partitionIndexes: [] },
      ],
      [{ name: 'a', partitionIndexes: [2, 0] }],
    ),
  ).toEqual([[['a', 1, 0, 2], ['b']]])
  expect(askedFor([{ name: 'a', partitionIndexes: [1] }], null)).toEqual([[['a', 0, 1, 2]]])
})

/** The offset that is told to who asks in a version. */
async function told(committedFor: Uuid, apiVersion: number): Promise<unknown> {
  const topicId = apiVersion < 10 ? zeroUuid : present
  const topics = [{ name: 'topic', topicId, partitionIndexes: [0] }]
  const group = { groupId: 'g', memberId: null, memberEpoch: -1, topics }
  const request = { groupId: 'g', topics, groups: [group], requireStable: false }
  const context = { apiVersion } as RequestContext
  const answer = await offsetFetchHandler(deps(committedFor)).handle(request, context)
  const found = apiVersion < 8 ? answer!.topics! : answer!.groups![0]!.topics
  return found[0]!.partitions[0]!.committedOffset
}

test('an offset of a topic that had the name before is none, for who asks by id', async () => {
  expect([await told(present, 10), await told(zeroUuid, 10), await told(former, 10)]).toEqual([
    7, 7, -1,
  ])
  for (const byName of [7, 9]) expect(await told(former, byName)).toBe(7)
})
