import { describe, expect, test } from 'vitest'
import { batchOf } from '../../../test/helpers/logs.ts'
import { Trio } from '../../../test/helpers/trio.ts'
import { CutError } from '../log/log.ts'
import type { AppendResult } from './requests.ts'

/** Appends at broker 1; the answer as far as there is one. The clock is not moved. */
function send(trio: Trio, records: Uint8Array, acks = 1): { result?: AppendResult } {
  const answer: { result?: AppendResult } = {}
  const options = { acks, timeoutMs: 1000, origin: 'client' } as const
  trio.of(1).partition.append(records, options, result => (answer.result = result))
  return answer
}

const idempotent = () => batchOf(3, { producerId: 5, producerEpoch: 0, baseSequence: 0 })

describe('with flush.policy=ack', () => {
  test('acks=1 is answered when the batch is on the device here, however long that takes, and acks=0 waits for nothing', async () => {
    const trio = await Trio.start({ flushPolicy: 'ack' })
    trio.holdFlushes()
    const one = await trio.append(1, 3, 1)
    const none = await trio.append(1, 2, 0)
    await trio.clock.run(5000)
    expect([one.result, none.result]).toMatchObject([undefined, { ok: true, baseOffset: 3 }])
    await trio.endFlushes()
    expect(one.result).toMatchObject({ ok: true, baseOffset: 0, lastOffset: 2 })
    expect(trio.of(1).log.durableOffset).toBe(5)
  })

  test('acks=1 is KAFKA_STORAGE_ERROR where the flush fails', async () => {
    const trio = await Trio.start({ flushPolicy: 'ack' })
    trio.of(1).disk.failNext({ operation: 'sync', pathPattern: /\.log$/, code: 'EIO' })
    expect((await trio.append(1, 3, 1)).result).toMatchObject({
      ok: false,
      error: 'KAFKA_STORAGE_ERROR',
    })
  })

  test('a repeated batch is answered no sooner than the first', async () => {
    const trio = await Trio.start({ flushPolicy: 'ack' })
    trio.holdFlushes()
    const first = send(trio, idempotent())
    const staged = send(trio, idempotent())
    await trio.clock.settle()
    const written = send(trio, idempotent())
    await trio.clock.settle()
    expect([first, staged, written]).toEqual([{}, {}, {}])
    await trio.endFlushes()
    for (const { result } of [first, staged, written]) {
      expect(result).toMatchObject({ ok: true, baseOffset: 0, lastOffset: 2 })
    }
    const flushed = send(trio, idempotent())
    await trio.clock.settle()
    expect(flushed.result).toMatchObject({ ok: true, duplicate: true })
  })

  test('who waits is told when the partition is gone, or the batch cut off', async () => {
    const trio = await Trio.start({ flushPolicy: 'ack' })
    trio.holdFlushes()
    const moved = await trio.append(1, 3, 1)
    trio.of(1).partition.close('moved')
    expect(moved.result).toMatchObject({ ok: false, error: 'NOT_LEADER_OR_FOLLOWER' })

    const other = await Trio.start({ flushPolicy: 'ack' })
    const { partition, log } = other.of(1)
    const flush = Promise.withResolvers<void>()
    log.whenDurable = () => flush.promise
    const cut = send(other, batchOf(3))
    other.clock.runSoon()
    flush.reject(new CutError('it was cut'))
    await other.clock.settle()
    expect(cut.result).toMatchObject({ ok: false, error: 'NOT_LEADER_OR_FOLLOWER' })
    expect(partition.failure).toBeNull()
  })

  test('who waits when it becomes another policy is answered when the flush ends that was begun, and nobody waits after that', async () => {
    const trio = await Trio.start({ flushPolicy: 'ack' })
    const { partition, log } = trio.of(1)
    await trio.append(1, 1, 1)
    trio.holdFlushes()
    const before = await trio.append(1, 3, 1)
    partition.configure({ ...trio.config, flushPolicy: 'interval' })
    await trio.clock.settle()
    expect(before.result).toBeUndefined()
    await trio.endFlushes()
    expect(before.result).toMatchObject({ ok: true })
    expect(log.config.flushPolicy).toBe('interval')
    trio.holdFlushes()
    const after = await trio.append(1, 3, 1)
    expect(after.result).toMatchObject({ ok: true })
    // And back: what is written is flushed at once, and a repetition waits for it.
    partition.configure({ ...trio.config, flushPolicy: 'ack' })
    const back = await trio.append(1, 3, 1)
    expect(back.result).toBeUndefined()
    await trio.endFlushes()
    expect([back.result, log.durableOffset]).toMatchObject([{ ok: true }, 10])
  })

  test('a follower asks no other leader for more before what it has is on the device: that says that it has it', async () => {
    const trio = await Trio.start({ flushPolicy: 'ack' })
    await trio.append(1, 5)
    trio.holdFlushes()
    const given = trio.give(
      3,
      batchOf(5, { leaderEpoch: 7 }),
      { highWatermark: 0, logStartOffset: 0 },
      7,
    )
    await trio.clock.settle()
    const { partition, log } = trio.of(3)
    trio.followed.length = 0
    trio.elect(2, [3])
    expect([log.endOffset, partition.following, trio.followed]).toEqual([5, null, [null]])
    await trio.endFlushes()
    await given
    expect([partition.following?.leader, trio.followed]).toEqual([2, [null, 2]])
  })

  test('nor when the policy becomes that', async () => {
    const trio = await Trio.start({ flushPolicy: 'os' })
    await trio.append(1, 5)
    await trio.catchUp()
    const { partition } = trio.of(3)
    trio.holdFlushes()
    trio.followed.length = 0
    partition.configure({ ...trio.config, flushPolicy: 'ack' })
    expect([partition.following, trio.followed]).toEqual([null, [null]])
    await trio.endFlushes()
    expect([partition.following?.leader, trio.followed]).toEqual([1, [null, 1]])
  })
})

describe('what waits for its turn (here: to be made anew in another codec)', () => {
  const waiting = () => Trio.start({ compressionType: 'gzip' })

  /** Codecs have a thread of their own. */
  async function answered<T>(trio: Trio, answer: { result?: T }): Promise<T> {
    while (answer.result === undefined) {
      await new Promise(resolve => setImmediate(resolve))
      await trio.clock.settle()
    }
    return answer.result
  }

  test.each([1, -1, 0])('is not written where another leads by then: acks=%i', async acks => {
    const trio = await waiting()
    const answer = send(trio, batchOf(5), acks)
    trio.elect(2)
    expect(await answered(trio, answer)).toMatchObject({
      ok: false,
      error: 'NOT_LEADER_OR_FOLLOWER',
      logStartOffset: -1,
    })
    expect(trio.of(1).log.endOffset).toBe(0)
  })

  test('is not written where the same one leads again: it came in another epoch, and Produce knows no fenced ones', async () => {
    const trio = await waiting()
    const answer = send(trio, batchOf(5))
    trio.elect(2)
    trio.elect(1)
    expect(await answered(trio, answer)).toMatchObject({
      ok: false,
      error: 'NOT_LEADER_OR_FOLLOWER',
    })
    expect(trio.of(1).log.endOffset).toBe(0)
  })

  test('is not written where the partition has gone', async () => {
    const trio = await waiting()
    const answer = send(trio, batchOf(5))
    trio.of(1).partition.close('moved')
    expect(await answered(trio, answer)).toMatchObject({
      ok: false,
      error: 'NOT_LEADER_OR_FOLLOWER',
    })
  })

  test.each([
    ['the cluster is frozen', { isFrozen: true }, 1],
    ['too few are in sync', { isr: [1] }, -1],
  ])('is not written where by then %s', async (_, changes, acks) => {
    const trio = await waiting()
    const answer = send(trio, batchOf(5), acks)
    trio.tell(changes)
    expect(await answered(trio, answer)).toMatchObject({
      ok: false,
      error: 'NOT_ENOUGH_REPLICAS',
      logStartOffset: 0,
    })
    expect(trio.of(1).log.endOffset).toBe(0)
  })

  test('a repetition of what was written is no answer of a leader either', async () => {
    const trio = await waiting()
    await answered(trio, send(trio, idempotent()))
    const answer = send(trio, idempotent())
    trio.elect(2)
    expect(await answered(trio, answer)).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER' })
  })

  test('I-15: of a leader that is followed no longer a follower takes nothing', async () => {
    const trio = await Trio.start()
    // A gap, as a compacted log has it, is made known before anything is written.
    const batch = batchOf(3, { leaderEpoch: 7, baseOffset: 4 })
    const told = { leaderEpoch: 7, fetchOffset: 0, highWatermark: 0, logStartOffset: 0 }
    const answer: { result?: unknown } = {}
    trio.of(3).partition.appendFetched(batch, told, result => (answer.result = result))
    trio.elect(2)
    expect(await answered(trio, answer)).toMatchObject({ ok: false, error: 'FENCED_LEADER_EPOCH' })
    expect(trio.of(3).log.endOffset).toBe(0)
  })
})
