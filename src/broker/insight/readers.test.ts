import { describe, expect, test } from 'vitest'
import type { SendStream } from '../../env/env.ts'
import { Readers, type ReaderId, type ReadersOptions } from './readers.ts'

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

  close(): void {
    this.isClosed = true
  }
}

function world(
  groupOf: (reader: ReaderId) => string = () => '',
  options: Omit<ReadersOptions, 'groupOf'> = {},
) {
  const streams: FakeStream[] = []
  const openStream = () => {
    const stream = new FakeStream()
    streams.push(stream)
    return stream
  }
  return { readers: new Readers({ openStream }, { groupOf, ...options }), streams }
}

const id: ReaderId = { connectionId: 1, clientId: 'c', host: '10.0.0.1', topic: 't', partition: 0 }

describe('readers', () => {
  test('one connection has one stream for each partition, and a connection that ends leaves its counts', () => {
    const { readers, streams } = world()
    const reader = readers.reader(id)
    expect(readers.reader(id)).toBe(reader)
    readers.reader({ ...id, partition: 1 })
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
    const { readers, streams } = world(() => group)
    readers.reader(id)
    streams[0]!.sent = streams[0]!.hit = 100
    group = 'billing'
    readers.reader(id)
    streams[0]!.sent = streams[0]!.hit = 130
    expect([...readers.sent()]).toEqual([
      { topic: 't', group: '', sentBytes: 100, hitBytes: 100 },
      { topic: 't', group: 'billing', sentBytes: 30, hitBytes: 30 },
    ])
  })

  test('an unmeasured part makes the sum unknown', () => {
    const { readers, streams } = world()
    readers.reader(id)
    readers.reader({ ...id, connectionId: 2 })
    streams[1]!.hit = null
    expect([...readers.sent()]).toMatchObject([{ hitBytes: null }])
  })

  test('tells where everybody reads', () => {
    const { readers } = world(() => 'g')
    readers.reader(id).fetchOffset = 42
    readers.reader({ ...id, partition: 1 })
    expect([...readers.positions()]).toMatchObject([{ partition: 0, fetchOffset: 42, group: 'g' }])
  })

  test('totals of topics and groups that are gone go; beyond the bound readers count for no group', () => {
    const gone = new Set<string>()
    const { readers, streams } = world(reader => reader.clientId ?? '', {
      isKept: (topic, group) => !gone.has(topic) && !gone.has(group),
      groupTotalsMax: 2,
    })
    for (const [at, clientId] of ['a', 'b', 'c', 'd'].entries()) {
      readers.reader({ ...id, connectionId: at, clientId })
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
})
