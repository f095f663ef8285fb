import { describe, expect, test } from 'vitest'
import { Trio } from '../../../../test/helpers/trio.ts'
import { zeroUuid } from '../../../lib/uuid.ts'
import type { Reader, Readers } from '../../insight/readers.ts'
import type { Partitions } from '../../partition/partitions.ts'
import { ReplicationThrottle } from '../../throttle/replication-throttle.ts'
import type { FetchRequest } from '../../wire/messages/index.ts'
import type { RequestContext } from '../handler.ts'
import { FullFetch, SessionFetch, type Asked } from './asked.ts'
import type { Answered } from './carried.ts'
import { FetchCall } from './fetch-call.ts'
import type { Follower } from './follower.ts'
import { FollowerTraffic } from './follower-traffic.ts'
import { FetchSession } from './sessions/fetch-session.ts'
import type { FetchSessionCache } from './sessions/session-cache.ts'
import type { Wish } from './sessions/wish.ts'

const waitMs = 500

/** Broker 1 leads, broker 3 is not in sync; each fetch asks for the one partition of the three. */
class Bench {
  readonly trio: Trio
  readonly traffic: FollowerTraffic
  readonly answers: Answered[] = []
  minBytes = 1
  looks = 0
  readonly #session: FetchSession | null
  #ends: { closed: (() => void)[]; stopping: (() => void)[] } = { closed: [], stopping: [] }

  constructor(trio: Trio, reads: 'in a session' | 'without', rateMax = 100) {
    this.trio = trio
    const throttle = new ReplicationThrottle({
      brokerId: 1,
      rateMax: () => rateMax,
      listOf: () => '*',
      isBrought: () => false,
      windowMs: 1000,
      windowsMax: 11,
    })
    this.traffic = new FollowerTraffic(trio.clock, throttle)
    const traits = { id: 1, isPrivileged: true, usesTopicIds: false, createdMs: 0 }
    this.#session = reads === 'without' ? null : new FetchSession(traits)
  }

  static async start(reads: 'in a session' | 'without', rateMax?: number): Promise<Bench> {
    const trio = await Trio.start()
    trio.tell({ isr: [1, 2] })
    return new Bench(trio, reads, rateMax)
  }

  /** As its client does: asks again as soon as it is answered. */
  poll(follower: Follower | null, fetchOffset: number): { stop(): void } {
    let isStopped = false
    const goOn = async (): Promise<void> => {
      while (!isStopped) this.answers.push(await this.fetch(follower, fetchOffset))
    }
    void goOn()
    return { stop: () => void (isStopped = true) }
  }

  fetch(follower: Follower | null, fetchOffset: number): Answered | Promise<Answered> {
    const { clock } = this.trio
    const { partition } = this.trio.of(1)
    const partitions = {
      find: () => {
        this.looks++
        return partition
      },
    } as unknown as Partitions
    const reader = { lag: null, stream: { hitBytes: () => null, isSettled: () => true } }
    const readers = { reader: () => reader as unknown as Reader } as unknown as Readers
    const coldReads = { sent: () => null }
    const deps = { clock, readers, coldReads, followerTraffic: this.traffic, answerBytesMax: 5000 }
    const request = { maxWaitMs: waitMs, minBytes: this.minBytes, maxBytes: 5000 } as FetchRequest
    this.#ends = { closed: [], stopping: [] }
    const context = {
      receivedAtMs: clock.monotonic(),
      onClosed: act => void this.#ends.closed.push(act),
      onStopping: act => void this.#ends.stopping.push(act),
    } as RequestContext
    const asked = this.#asked(partitions, follower, fetchOffset)
    return new FetchCall(deps, asked, { request, context, follower }).run()
  }

  end(how: 'closed' | 'stopping'): void {
    for (const act of this.#ends[how]) act()
  }

  /** How often the request asked to be told that its connection closed, or that the broker stops. */
  get listeners(): readonly number[] {
    return [this.#ends.closed.length, this.#ends.stopping.length]
  }

  get withRecords(): number {
    return this.answers.filter(({ found }) =>
      found.some(({ records }) => 'length' in records && records.length > 0),
    ).length
  }

  #asked(partitions: Partitions, follower: Follower | null, fetchOffset: number): Asked {
    const reads = follower === null ? 'consumer' : 'follower'
    const wish: Wish = {
      topicId: zeroUuid,
      topic: 'orders',
      partition: 0,
      fetchOffset,
      partitionMaxBytes: 5000,
      currentLeaderEpoch: follower === null ? -1 : 7,
      lastFetchedEpoch: -1,
      logStartOffset: 0,
    }
    const session = this.#session
    if (session === null) {
      const { clock } = this.trio
      const sessions = {} as FetchSessionCache
      return new FullFetch({ partitions, sessions, clock }, reads, [wish], null)
    }
    if (session.size === 0) session.begin([{ wish, result: nothingTold }])
    session.update([wish], [])
    session.advance()
    return new SessionFetch(partitions, reads, session, session.epoch)
  }
}

const nothingTold = {
  error: 'NONE',
  highWatermark: -1,
  logStartOffset: -1,
  readableOffset: -1,
  range: null,
  diverging: null,
}
const third = { brokerId: 3, brokerEpoch: 30 }

describe.each(['in a session', 'without'] as const)('a fetch %s', reads => {
  test('KIP-73: who is held back waits for the whole of his wait, however much is appended meanwhile', async () => {
    const bench = await Bench.start(reads)
    const { trio } = bench
    await trio.append(1, 100)
    const polling = bench.poll(third, 0)
    for (let at = 0; at < 1000; at++) {
      await trio.append(1, 1)
      await trio.clock.run(2)
    }
    polling.stop()
    expect(bench.answers.length).toBeGreaterThan(2)
    expect(bench.answers.length).toBeLessThan(8)
    expect(bench.withRecords).toBe(1)
    expect(bench.looks).toBeLessThan(20)
  })

  test('what is looked at and not enough is not sent, and counts once when it is', async () => {
    const bench = await Bench.start(reads, 1e9)
    bench.minBytes = 400
    await bench.trio.append(1, 5)
    const answer = Promise.resolve(bench.fetch(third, 0))
    await bench.trio.clock.settle()
    expect([...bench.traffic.sentBytes()]).toEqual([])
    await bench.trio.append(1, 5)
    await bench.trio.append(1, 5)
    const { found } = await answer
    const sizeBytes = bench.trio.of(1).log.sizeBytes
    expect(found).toMatchObject([{ records: { length: sizeBytes } }])
    expect([...bench.traffic.sentBytes()]).toEqual([[3, sizeBytes]])
  })

  test('a watermark that moves by nobody knows how much ends no wait with too little', async () => {
    const bench = await Bench.start(reads)
    const { trio } = bench
    // Broker 1 comes to lead with records that are not known to be committed.
    trio.elect(2)
    await trio.append(2, 5)
    await trio.fetch(1)
    trio.elect(1)
    bench.minBytes = 4000
    let isDone = false
    const answer = Promise.resolve(bench.fetch(null, 0))
    void answer.then(() => (isDone = true))
    await trio.catchUp([2])
    expect([trio.of(1).partition.highWatermark, isDone]).toEqual([5, false])
    await trio.clock.run(waitMs)
    expect((await answer).found).toMatchObject([{ result: { highWatermark: 5 } }])
  })

  test('who waits is answered when the wait is over, the broker stops, or another leads, and asked once for each', async () => {
    const bench = await Bench.start(reads)
    const { trio } = bench
    bench.minBytes = 5000
    let isDone = false
    const late = Promise.resolve(bench.fetch(null, 0)).then(() => (isDone = true))
    for (let at = 0; at < 10; at++) await trio.append(1, 1)
    await trio.clock.run(waitMs - 1)
    expect([isDone, bench.listeners]).toEqual([false, [1, 1]])
    await trio.clock.run(1)
    await late
    const stopped = Promise.resolve(bench.fetch(null, 0))
    bench.end('stopping')
    expect((await stopped).error).toBe('NONE')
    const closed = Promise.resolve(bench.fetch(null, 0))
    bench.end('closed')
    expect((await closed).found).toEqual([])
    const deposed = Promise.resolve(bench.fetch(null, 0))
    trio.elect(2)
    expect((await deposed).found).toMatchObject([{ result: { error: 'NOT_LEADER_OR_FOLLOWER' } }])
  })
})
