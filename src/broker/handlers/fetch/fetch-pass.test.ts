import { expect, test } from 'vitest'
import { SimClock } from '../../../../sim/clock.ts'
import { zeroUuid } from '../../../lib/uuid.ts'
import type { Reader, Readers } from '../../insight/readers.ts'
import type { Partition } from '../../partition/partition.ts'
import type { PartitionRead } from '../../partition/requests.ts'
import { ReplicationThrottle } from '../../throttle/replication-throttle.ts'
import type { RequestContext } from '../handler.ts'
import type { Asked } from './asked.ts'
import { carried, noRecords } from './carried.ts'
import { FetchPass, type Look } from './fetch-pass.ts'
import { FollowerTraffic } from './follower-traffic.ts'
import type { Wish } from './sessions/wish.ts'

const throttle = new ReplicationThrottle({
  brokerId: 1,
  rateMax: () => 100,
  listOf: () => '*',
  isBrought: () => false,
  windowMs: 1000,
  windowsMax: 11,
})
const followerTraffic = new FollowerTraffic(new SimClock(), throttle)
const reads: PartitionRead[] = []

/** Has 600 bytes for whoever asks, and one follower in sync. */
const partition = {
  id: { topicId: zeroUuid, topic: 'topic', partition: 0 },
  role: { isr: [1, 2] },
  read: (request: PartitionRead) => {
    reads.push(request)
    const range = { file: {}, position: 0, length: 600, cold: false, isCaughtUp: false }
    const known = { error: 'NONE', highWatermark: 7, logStartOffset: 0, readableOffset: 9 }
    return { ...known, range, diverging: null }
  },
} as unknown as Partition

const wish: Wish = {
  topicId: zeroUuid,
  topic: 'topic',
  partition: 0,
  fetchOffset: 5,
  partitionMaxBytes: 1000,
  currentLeaderEpoch: 3,
  lastFetchedEpoch: 3,
  logStartOffset: 0,
}

function lookOf(brokerId: number | null): Look {
  const reader = { lag: null, stream: { hitBytes: () => null, isSettled: () => true } }
  const readers = { reader: () => reader as unknown as Reader } as unknown as Readers
  const asked = { wishes: () => [wish], find: () => partition } as unknown as Asked
  const deps = { readers, coldReads: { sent: () => null }, answerBytesMax: 5000, followerTraffic }
  const look = new FetchPass(deps, asked, {
    follower: brokerId === null ? null : { brokerId, brokerEpoch: 8 },
    isRepeated: false,
    context: {} as RequestContext,
    bytesMax: 5000,
    isClosed: () => false,
  }).run()
  if (look instanceof Promise) throw new Error('a look that waits')
  return look
}

/** A look that is answered. */
function answerOf(brokerId: number | null) {
  const { found, ...look } = lookOf(brokerId)
  const follower = brokerId === null ? null : { brokerId, brokerEpoch: 8 }
  const deps = { coldReads: { sent: () => null }, followerTraffic }
  return { ...look, found: found.map(each => carried(deps, follower, each)) }
}

test('KIP-73: a follower that is not in sync gets no records once the rate is exceeded, and waits; where it stands counts', () => {
  // What is looked at and not answered counts for nothing.
  for (const _ of [1, 2, 3]) expect(lookOf(3)).toMatchObject({ bytes: 600, urgent: true })
  expect(answerOf(3)).toMatchObject({ bytes: 600, urgent: true })
  expect(answerOf(3)).toMatchObject({ bytes: 0, urgent: false })
  expect(reads.at(-1)).toMatchObject({ reader: { kind: 'follower', brokerId: 3 }, fetchOffset: 5 })
  expect(answerOf(3).found[0]).toMatchObject({ records: noRecords, result: { range: null } })
  expect(answerOf(2)).toMatchObject({ bytes: 600 })
  expect(answerOf(null)).toMatchObject({ bytes: 600 })
  expect([...followerTraffic.sentBytes()]).toEqual([
    [3, 600],
    [2, 600],
  ])
})
