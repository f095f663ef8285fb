import { describe, expect, test } from 'vitest'
import type { SendStream } from '../../env/env.ts'
import type { Fetcher } from './attribution.ts'
import { Readers, type Attribution, type Fetching, type ReadersOptions } from './readers.ts'

class FakeStream implements SendStream {
  sent = 0
  hit: number | null = 0
  isClosed = false

  sentBytes(): number {
    return this.sent
  }

  hitBytes(): number | null {
    return this.hit
  }

  isSettled(): boolean {
    return true
  }

  close(): void {
    this.isClosed = true
  }
}

class SteppedClock {
  #nowMs = 0

  monotonic(): number {
    return this.#nowMs
  }

  /** With a scrape in each minute. */
  pass(minutes: number, readers: Readers): void {
    for (let minute = 0; minute < minutes; minute++) {
      this.#nowMs += 60_000
      void [...readers.sent(), ...readers.positions()]
    }
  }
}

interface WorldOptions extends Partial<Pick<ReadersOptions, 'isKept' | 'groupTotalsMax'>> {
  readonly groupOf?: (reader: Fetcher) => string
}

function world({ groupOf = () => '', isKept, groupTotalsMax = Infinity }: WorldOptions = {}) {
  const streams: FakeStream[] = []
  /** Raised by a test when what `groupOf` answers changes. */
  const attribution = { revision: 0, groupOf }
  const clock = new SteppedClock()
  const readers = new Readers({
    clock,
    attribution: () => attribution,
    isKept: isKept ?? (() => true),
    groupTotalsMax,
  })
  const connection = (connectionId: number, clientId = 'c'): Fetching => ({
    connectionId,
    clientId,
    remote: { host: '10.0.0.1', port: 40_000 + connectionId },
    openStream: () => {
      const stream = new FakeStream()
      streams.push(stream)
      return stream
    },
  })
  return { readers, streams, attribution, connection, clock }
}

describe('readers', () => {
  test('one connection has one stream for each partition, and a connection that ends leaves its counts', () => {
    const { readers, streams, connection } = world()
    const by = connection(1)
    const reader = readers.reader(by, 't', 0)
    expect(readers.reader(connection(1), 't', 0)).toBe(reader)
    readers.reader(by, 't', 1)
    expect(streams).toHaveLength(2)
    streams[0]!.sent = 10
    streams[1]!.sent = 5
    streams[1]!.hit = 4
    readers.closeConnection(1)
    expect(streams.every(stream => stream.isClosed)).toBe(true)
    expect([...readers.sent()]).toEqual([{ topic: 't', group: '', sentBytes: 15, hitBytes: 4 }])
    expect([...readers.positions()]).toEqual([])
  })

  test('counts for the group that it reads for at the time, and no total ever falls', () => {
    let group = ''
    const { readers, streams, attribution, connection } = world({ groupOf: () => group })
    readers.reader(connection(1), 't', 0)
    streams[0]!.sent = streams[0]!.hit = 100
    group = 'billing'
    attribution.revision++
    readers.reader(connection(1), 't', 0)
    streams[0]!.sent = streams[0]!.hit = 130
    expect([...readers.sent()]).toEqual([
      { topic: 't', group: '', sentBytes: 100, hitBytes: 100 },
      { topic: 't', group: 'billing', sentBytes: 30, hitBytes: 30 },
    ])
  })

  test('asks for the group of a reader once, and again only when groups changed', () => {
    const asked: Fetcher[] = []
    const groupOf = (reader: Fetcher): string => (asked.push(reader), 'g')
    const { readers, attribution, connection } = world({ groupOf })
    for (let fetch = 0; fetch < 100; fetch++) readers.reader(connection(1), 't', 0)
    expect(asked).toMatchObject([{ clientId: 'c', host: '10.0.0.1', topic: 't', partition: 0 }])
    attribution.revision++
    for (let fetch = 0; fetch < 100; fetch++) readers.reader(connection(1), 't', 0)
    expect(asked).toHaveLength(2)
  })

  test('counts for no group before groups are known, and for its own from then on', () => {
    const known: { attribution: Attribution | null } = { attribution: null }
    const { streams, connection } = world()
    const readers = new Readers({
      clock: new SteppedClock(),
      attribution: () => known.attribution,
      isKept: () => true,
      groupTotalsMax: Infinity,
    })
    readers.reader(connection(1), 't', 0)
    streams[0]!.sent = 10
    known.attribution = { revision: 0, groupOf: () => 'g' }
    readers.reader(connection(1), 't', 0)
    streams[0]!.sent = 11
    const told = Array.from(readers.sent(), ({ group, sentBytes }) => [group, sentBytes])
    expect(told).toEqual([
      ['', 10],
      ['g', 1],
    ])
  })

  test('an unmeasured part makes the sum unknown', () => {
    const { readers, streams, connection } = world()
    readers.reader(connection(1), 't', 0)
    readers.reader(connection(2), 't', 0)
    streams[1]!.hit = null
    expect([...readers.sent()]).toMatchObject([{ hitBytes: null }])
  })

  test('what followers are sent does not count: it says nothing of consumers and the page cache', () => {
    const { readers, streams, connection } = world()
    readers.reader(connection(1), 't', 0).isFollower = true
    readers.reader(connection(2), 't', 0)
    streams[0]!.sent = 100
    streams[1]!.sent = 7
    expect([...readers.sent()]).toMatchObject([{ topic: 't', sentBytes: 7 }])
    readers.closeConnection(1)
    expect([...readers.sent()]).toMatchObject([{ topic: 't', sentBytes: 7 }])
  })

  test('tells where everybody reads', () => {
    const { readers, connection } = world({ groupOf: () => 'g' })
    readers.reader(connection(1), 't', 0).fetchOffset = 42
    readers.reader(connection(1), 't', 1)
    expect([...readers.positions()]).toMatchObject([{ partition: 0, fetchOffset: 42, group: 'g' }])
  })

  test('totals of topics and groups that are gone go; beyond the bound readers count for no group', () => {
    const gone = new Set<string>()
    const { readers, streams, connection } = world({
      groupOf: reader => reader.clientId ?? '',
      isKept: (topic, group) => !gone.has(topic) && !gone.has(group),
      groupTotalsMax: 2,
    })
    for (const [at, clientId] of ['a', 'b', 'c', 'd'].entries()) {
      readers.reader(connection(at, clientId), 't', 0)
      streams[at]!.sent = 1
      readers.closeConnection(at)
    }
    const told = () => Array.from(readers.sent(), ({ group, sentBytes }) => [group, sentBytes])
    expect(told()).toEqual([
      ['a', 1],
      ['b', 1],
      ['', 2],
    ])
    gone.add('a')
    expect(told()).toEqual([
      ['b', 1],
      ['', 2],
    ])
    gone.add('t')
    expect(told()).toEqual([])
  })

  test('who asked for long no more is away, until it asks again', () => {
    const { readers, connection, clock } = world()
    for (const partition of [0, 1]) readers.reader(connection(1), 't', partition).fetchOffset = 7
    const away = () => Array.from(readers.positions(), ({ isAway }) => isAway)
    clock.pass(5, readers)
    expect(away()).toEqual([false, false])
    readers.reader(connection(1), 't', 0)
    clock.pass(1, readers)
    expect(away()).toEqual([false, true])
    expect([...readers.of('t', 0)]).toHaveLength(1)
    expect([...readers.of('t', 1)]).toHaveLength(0)
    readers.reader(connection(1), 't', 1)
    expect(away()).toEqual([false, false])
    expect([...readers.of('t', 1)]).toHaveLength(1)
  })

  test('readers of topics that are gone go while their connection stays, once they are away', () => {
    const gone = new Set<string>()
    const { readers, streams, connection, clock } = world({ isKept: topic => !gone.has(topic) })
    for (const topic of ['stays', 'goes']) readers.reader(connection(1), topic, 0)
    gone.add('goes')
    clock.pass(5, readers)
    expect(streams.map(({ isClosed }) => isClosed)).toEqual([false, false])
    clock.pass(1, readers)
    // A client that stands still may be sent something yet.
    expect(streams.map(({ isClosed }) => isClosed)).toEqual([false, false])
    readers.reader(connection(1), 'stays', 0)
    clock.pass(1, readers)
    expect(streams.map(({ isClosed }) => isClosed)).toEqual([false, true])
    readers.reader(connection(1), 'goes', 0)
    expect(streams).toHaveLength(3)
  })
})
