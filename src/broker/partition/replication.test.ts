import { describe, expect, test } from 'vitest'
import { batchOf } from '../../../test/helpers/logs.ts'
import { Trio } from '../../../test/helpers/trio.ts'
import type { PartitionRead } from './requests.ts'

function consumes(fetchOffset: number): PartitionRead {
  return {
    fetchOffset,
    maxBytes: 4096,
    minOneBatch: true,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
  }
}

describe('R12: what is not committed', () => {
  test('consumers do not see, followers do', async () => {
    const trio = await Trio.start()
    await trio.append(1, 5)
    const { partition } = trio.of(1)
    expect(await partition.read(consumes(0))).toMatchObject({ range: null, readableOffset: 0 })
    expect((await trio.fetch(2)).read).toMatchObject({ range: {}, readableOffset: 5 })
    await trio.catchUp()
    expect(partition.highWatermark).toBe(5)
    expect(await partition.read(consumes(0))).toMatchObject({ range: {}, readableOffset: 5 })
  })

  test('stays, whatever its age, and goes at the followers when it goes at the leader', async () => {
    const trio = await Trio.start({ retentionMs: 1000 })
    await trio.append(1, 5)
    await trio.catchUp()
    await trio.append(1, 3)
    // Broker 3 has all of it, and broker 2 does not: it is not committed.
    await trio.fetch(3)
    await trio.clock.run(60_000)
    for (const id of [1, 2, 3]) await trio.of(id).partition.applyRetention(trio.clock.now())
    expect([1, 2, 3].map(id => trio.of(id).log.startOffset)).toEqual([0, 0, 0])
    await trio.catchUp()
    await trio.of(2).partition.applyRetention(trio.clock.now())
    expect(trio.of(2).log.startOffset).toBe(0)
    await trio.of(1).partition.applyRetention(trio.clock.now())
    expect(trio.of(1).log.startOffset).toBe(8)
    await trio.catchUp()
    // I-15: a follower begins where its leader does.
    expect([2, 3].map(id => trio.of(id).partition.extent?.startOffset)).toEqual([8, 8])
  })

  test('is not deleted, and I-28: a deletion is answered when all who live begin there', async () => {
    const trio = await Trio.start()
    await trio.append(1, 5)
    await trio.catchUp()
    await trio.append(1, 5)
    const { partition } = trio.of(1)
    expect(await partition.deleteBefore(6, 1000)).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
    const answers: unknown[] = []
    void partition.deleteBefore(4, 1000).then(answer => answers.push(answer))
    await trio.clock.settle()
    await trio.fetch(2)
    await trio.fetch(2)
    expect(answers).toEqual([])
    await trio.fetch(3)
    await trio.fetch(3)
    await trio.clock.settle()
    expect(answers).toEqual([{ error: 'NONE', lowWatermark: 4 }])
  })

  test('I-28: a deletion waits as long as it is told, and not for who is fenced', async () => {
    const trio = await Trio.start()
    await trio.append(1, 5)
    await trio.catchUp()
    const { partition } = trio.of(1)
    const late = partition.deleteBefore(2, 1000)
    await trio.clock.run(1000)
    expect(await late).toEqual({ error: 'REQUEST_TIMED_OUT', lowWatermark: -1 })
    const brokers = new Map(trio.role.brokers).set(3, { epoch: 30, isEligible: false })
    const answer = partition.deleteBefore(3, 1000)
    await trio.clock.settle()
    await trio.fetch(2)
    await trio.fetch(2)
    trio.tell({ brokers })
    expect(await answer).toEqual({ error: 'NONE', lowWatermark: 3 })
    const unheard = partition.deleteBefore(5, 1000)
    await trio.clock.settle()
    trio.elect(2)
    expect(await unheard).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER' })
  })
})

describe('R3, I-11: a fetch of a follower', () => {
  const from = (over: object, reader: object = {}) => ({
    ...consumes(0),
    currentLeaderEpoch: 7,
    ...over,
    reader: {
      kind: 'follower' as const,
      brokerId: 2,
      brokerEpoch: 20,
      logStartOffset: 0,
      isRepeated: false,
      ...reader,
    },
  })

  test.each([
    ['says its epoch', from({ currentLeaderEpoch: -1 }), 'FENCED_LEADER_EPOCH'],
    ['says no earlier one', from({ currentLeaderEpoch: 6 }), 'FENCED_LEADER_EPOCH'],
    ['says no later one', from({ currentLeaderEpoch: 8 }), 'UNKNOWN_LEADER_EPOCH'],
    ['is of the registered start', from({}, { brokerEpoch: 19 }), 'NOT_LEADER_OR_FOLLOWER'],
    ['is of a start at all', from({}, { brokerEpoch: -1 }), 'NOT_LEADER_OR_FOLLOWER'],
    ['is of a replica', from({}, { brokerId: 4 }), 'NOT_LEADER_OR_FOLLOWER'],
    ['has all of that', from({}), 'NONE'],
  ])('%s', async (_, request, error) => {
    const trio = await Trio.start()
    expect(await trio.of(1).partition.read(request)).toMatchObject({ error })
  })

  test('that is answered by a follower is not counted', async () => {
    const trio = await Trio.start()
    expect((await trio.fetch(2, 3)).read.error).toBe('NOT_LEADER_OR_FOLLOWER')
  })

  test('counts for nothing where its offset is none of ours, or its log parts from ours', async () => {
    const trio = await Trio.start()
    await trio.append(1, 5)
    trio.elect(2)
    trio.elect(1)
    await trio.append(1, 5)
    const { partition } = trio.of(1)
    const beyond = await partition.read(from({ currentLeaderEpoch: 9, fetchOffset: 11 }))
    expect(beyond.error).toBe('OFFSET_OUT_OF_RANGE')
    const request = from({ currentLeaderEpoch: 9, fetchOffset: 10, lastFetchedEpoch: 8 })
    expect((await partition.read(request)).diverging).toEqual({ epoch: 7, endOffset: 5 })
    await trio.fetch(3)
    await trio.fetch(3)
    await trio.fetch(3)
    expect([trio.of(3).log.endOffset, partition.highWatermark]).toEqual([10, 0])
  })

  test('counts once: looked at again after a long poll, it says nothing new', async () => {
    const trio = await Trio.start()
    const { partition } = trio.of(1)
    await partition.read(from({}))
    await trio.append(1, 5)
    await partition.read(from({ fetchOffset: 5 }, { isRepeated: true }))
    await trio.catchUp([3])
    expect(partition.highWatermark).toBe(0)
  })
})

describe('R4: what the leader does not have', () => {
  test('is cut from a leader that was deposed, and all logs are the same (I-13)', async () => {
    const trio = await Trio.start()
    await trio.append(1, 5)
    await trio.catchUp()
    // Broker 1 writes on, is not heard, and does not hear that it is deposed.
    await trio.append(1, 4)
    trio.elect(2, [2, 3])
    await trio.append(2, 2)
    await trio.append(2, 1)
    trio.of(1).partition.take(trio.role)
    await trio.catchUp()
    expect([1, 2, 3].map(id => trio.of(id).log.endOffset)).toEqual([8, 8, 8])
    expect(await trio.bytes(1)).toEqual(await trio.bytes(2))
    expect(await trio.bytes(3)).toEqual(await trio.bytes(2))
    expect(trio.of(2).partition.highWatermark).toBe(8)
  })

  test('is cut where the leader does not know the epoch of it (KIP-279)', async () => {
    const trio = await Trio.start()
    await trio.append(1, 5)
    await trio.catchUp()
    // Two leaders in a row that nobody else hears of.
    trio.elect(2, [2])
    await trio.append(2, 3)
    trio.elect(3, [3])
    await trio.append(3, 6)
    trio.elect(1, [1])
    await trio.append(1, 1)
    for (const id of [2, 3]) trio.of(id).partition.take(trio.role)
    await trio.catchUp()
    expect(await trio.bytes(2)).toEqual(await trio.bytes(1))
    expect(await trio.bytes(3)).toEqual(await trio.bytes(1))
    expect(trio.of(1).partition.highWatermark).toBe(6)
    expect(trio.committedCuts).toEqual([])
  })

  test('what was committed stays, though a follower was told a lower watermark', async () => {
    const trio = await Trio.start()
    await trio.append(1, 5)
    await trio.catchUp()
    // Committed with the second fetch of both, and broker 3 does not know it.
    await trio.append(1, 4)
    for (const id of [2, 3]) await trio.fetch(id)
    await trio.fetch(3)
    await trio.fetch(2)
    expect([1, 3].map(id => trio.of(id).partition.highWatermark)).toEqual([9, 5])
    trio.elect(3)
    await trio.catchUp()
    expect([1, 2, 3].map(id => trio.of(id).log.endOffset)).toEqual([9, 9, 9])
  })

  test('R3: nothing is cut on the word of a leader of another epoch', async () => {
    const trio = await Trio.start()
    await trio.append(1, 5)
    await trio.catchUp()
    const { partition, log } = trio.of(2)
    await partition.truncate({ epoch: 7, endOffset: 2 }, 6)
    await partition.leaveRange({ startOffset: 0, endOffset: 3 }, 8)
    expect(log.endOffset).toBe(5)
    await partition.leaveRange({ startOffset: 0, endOffset: 0 }, 7)
    expect([log.endOffset, partition.fetchPosition.offset]).toEqual([0, 0])
    // It had been told that all five were committed.
    expect(trio.committedCuts).toEqual([[0, { offset: 0, highWatermark: 5 }]])
  })

  test('I-14: a leader notes its epoch though it writes nothing, or a follower would cut too little', async () => {
    const trio = await Trio.start()
    await trio.append(1, 5)
    await trio.catchUp()
    await trio.append(1, 3)
    trio.elect(2, [2, 3])
    expect(trio.of(2).log.latestEpoch).toBe(8)
    trio.of(1).partition.take(trio.role)
    await trio.fetch(1)
    expect(trio.of(1).log.endOffset).toBe(5)
  })

  test('I-16: a follower of a leader that begins later begins there', async () => {
    const trio = await Trio.start()
    const { partition } = trio.of(2)
    await partition.leaveRange({ startOffset: 40, endOffset: 60 }, 7)
    expect(partition.extent).toMatchObject({ startOffset: 40, highWatermark: 40, endOffset: 40 })
    expect(partition.fetchPosition).toEqual({ offset: 40, lastFetchedEpoch: -1 })
  })

  test('who is elected while it is being cut does not serve before that is done', async () => {
    const trio = await Trio.start()
    await trio.append(1, 5)
    await trio.catchUp()
    const { partition, log } = trio.of(2)
    const cut = partition.leaveRange({ startOffset: 0, endOffset: 0 }, 7)
    trio.elect(2)
    expect([partition.availability(), log.latestEpoch]).toEqual(['NOT_LEADER_OR_FOLLOWER', 7])
    await cut
    expect([partition.availability(), log.latestEpoch, log.endOffset]).toEqual(['NONE', 8, 0])
  })
})

describe('I-15: what a follower appends', () => {
  test('goes where its log ends; where it follows in another epoch, nowhere', async () => {
    const trio = await Trio.start()
    const told = { highWatermark: 0, logStartOffset: 0 }
    const batch = batchOf(3, { leaderEpoch: 7 })
    expect(await trio.give(2, batch, told, 6)).toMatchObject({
      ok: false,
      error: 'FENCED_LEADER_EPOCH',
    })
    expect(await trio.give(1, batch, told, 7)).toMatchObject({
      ok: false,
      error: 'FENCED_LEADER_EPOCH',
    })
    expect(await trio.give(2, batch, told, 7)).toEqual({ ok: true })
    expect(await trio.give(2, batch, told, 7)).toMatchObject({ ok: false })
    expect([trio.of(1).log.endOffset, trio.of(2).log.endOffset]).toEqual([0, 3])
  })

  test('is not of a later epoch than the fetch: its leader is one no longer', async () => {
    const trio = await Trio.start()
    const told = { highWatermark: 0, logStartOffset: 0 }
    const later = batchOf(3, { leaderEpoch: 8, baseOffset: 3 })
    const records = Buffer.concat([batchOf(3, { leaderEpoch: 7 }), later])
    await trio.give(2, records, told, 7)
    expect(trio.of(2).log.endOffset).toBe(3)
  })

  test('counts with flush.policy=ack when it is on the device', async () => {
    const trio = await Trio.start({ flushPolicy: 'ack' })
    const told = { highWatermark: 0, logStartOffset: 0 }
    const batch = batchOf(3, { leaderEpoch: 7 })
    expect(await trio.give(2, batch, told, 7)).toEqual({ ok: true })
    expect(trio.of(2).log.durableOffset).toBe(3)
    trio.of(3).disk.failNext({ operation: 'sync', pathPattern: /\.log$/, code: 'EIO' })
    expect(await trio.give(3, batch, told, 7)).toMatchObject({
      ok: false,
      error: 'KAFKA_STORAGE_ERROR',
    })
    expect(trio.of(3).partition.following).toBeNull()
  })
})

describe('whoever waits for news', () => {
  function listen(trio: Trio, reads: 'consumer' | 'follower'): string[] {
    const heard: string[] = []
    trio
      .of(1)
      .partition.newsFor(reads)
      .watchers.add({
        grew: bytes => heard.push(bytes > 0 ? 'grew' : 'grew by nobody knows what'),
        changed: () => heard.push('changed'),
        startMoved: () => heard.push('told'),
      })
    return heard
  }

  test('a follower is woken by what is appended, and told of what is committed', async () => {
    const trio = await Trio.start()
    const heard = listen(trio, 'follower')
    await trio.append(1, 5)
    expect(heard).toEqual(['grew'])
    await trio.catchUp()
    expect(heard).toEqual(['grew', 'told'])
    trio.elect(2)
    expect(heard).toEqual(['grew', 'told', 'changed'])
  })

  test('a consumer is woken by what is committed', async () => {
    const trio = await Trio.start()
    const heard = listen(trio, 'consumer')
    await trio.append(1, 5)
    expect(heard).toEqual([])
    await trio.catchUp()
    expect(heard).toEqual(['grew'])
    trio.tell({ leaderEpoch: 8 })
    expect(heard).toEqual(['grew', 'changed'])
  })
})

describe('R11: acks=all', () => {
  test('is answered when all who are in sync have it, and is not waited for too long (I-8)', async () => {
    const trio = await Trio.start()
    const first = await trio.append(1, 5, -1)
    await trio.fetch(2)
    await trio.fetch(2)
    await trio.fetch(3)
    expect(first.result).toBeUndefined()
    await trio.fetch(3)
    expect(first.result).toMatchObject({ ok: true, baseOffset: 0, lastOffset: 4 })
    const second = await trio.append(1, 5, -1)
    await trio.clock.run(600)
    const third = await trio.append(1, 5, -1)
    await trio.clock.run(399)
    expect(second.result).toBeUndefined()
    await trio.clock.run(1)
    expect(second.result).toMatchObject({ ok: false, error: 'REQUEST_TIMED_OUT' })
    await trio.clock.run(599)
    expect(third.result).toBeUndefined()
    await trio.clock.run(1)
    expect(third.result).toMatchObject({ ok: false, error: 'REQUEST_TIMED_OUT' })
    expect(trio.of(1).log.endOffset).toBe(15)
  })

  test('I-8: nothing is written where too few are in sync', async () => {
    const trio = await Trio.start()
    trio.tell({ isr: [1] })
    expect((await trio.append(1, 5, -1)).result).toMatchObject({ error: 'NOT_ENOUGH_REPLICAS' })
    expect((await trio.append(1, 5, 1)).result).toMatchObject({ ok: true })
    expect([trio.of(1).log.endOffset, trio.of(1).partition.highWatermark]).toEqual([5, 0])
  })

  test('is refused when the replica moves to other brokers', async () => {
    const trio = await Trio.start()
    const answer = await trio.append(1, 5, -1)
    trio.of(1).partition.close('moved')
    expect(answer.result).toMatchObject({ ok: false, error: 'NOT_LEADER_OR_FOLLOWER' })
  })
})

test('a leader that hears nobody for 12 s is none, until it hears somebody (durability.md 1.6)', async () => {
  const trio = await Trio.start()
  const { partition } = trio.of(1)
  for (const id of [0, 2, 3]) trio.heardMs.set(id, 0)
  await trio.clock.run(12_000)
  expect(partition.availability()).toBe('NONE')
  await trio.clock.run(1)
  expect(partition.availability()).toBe('NOT_LEADER_OR_FOLLOWER')
  trio.heardMs.set(3, trio.clock.monotonic())
  expect(partition.availability()).toBe('NONE')
})

test('in-sync sets are asked for with what was fetched, and taken over when they are committed', async () => {
  const trio = await Trio.start()
  await trio.append(1, 5)
  const { partition } = trio.of(1)
  for (let second = 0; second < 15; second++) {
    await trio.fetch(2)
    await trio.clock.run(1000)
    partition.tick()
  }
  expect(trio.asked.map(({ isr }) => isr.map(({ brokerId }) => brokerId))).toEqual([[1, 2]])
  const [{ leaderEpoch, partitionEpoch }] = trio.asked as [(typeof trio.asked)[number]]
  partition.altered(partitionEpoch, {
    kind: 'committed',
    leaderEpoch,
    partitionEpoch: partitionEpoch + 1,
    isr: [1, 2],
    isRecovering: false,
  })
  expect([partition.role?.isr, partition.highWatermark]).toEqual([[1, 2], 5])
})
