import { expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import type { DiskFile, SendStream } from '../../env/env.ts'
import type { Reader } from '../insight/readers.ts'
import { ColdReads } from './cold-reads.ts'

const mebibyte = 1024 * 1024

interface Who {
  readonly group?: string
  readonly clientId?: string
  readonly host?: string
}

function world(options: { readonly jobsMax?: number; readonly groupsMax?: number } = {}) {
  const clock = new SimClock()
  const gone = new Set<string>()
  const reads = new ColdReads({
    clock,
    readers: { of: () => [].values() },
    jobsMax: options.jobsMax ?? 1,
    dropsBehind: true,
    groupsMax: options.groupsMax ?? 10,
    isKept: group => !gone.has(group),
  })
  const file = {} as unknown as DiskFile
  const stream: SendStream = {
    sentBytes: () => 0,
    hitBytes: () => null,
    isSettled: () => true,
    close: () => {},
  }
  /** What went to the disk: connections and what they may send. */
  const went: [connection: number, bytesMax: number][] = []
  const job = (connection: number, bytes = mebibyte) => {
    return { bytes, go: (bytesMax: number) => void went.push([connection, bytesMax]) }
  }
  const wait = (connection: number, who: Who = {}): void => {
    const { group = '', clientId = 'c', host = 'h' } = who
    const place = { connectionId: connection, group, clientId, host, topic: 't', partition: 0 }
    const reader = { ...place, stream, lag: null, fetchOffset: 0 } as unknown as Reader
    const range = { file, position: 0, length: mebibyte, offset: 0, hotFrom: Infinity, cold: true }
    reads.sent(reader, range)
    reads.wait(connection, job(connection))
  }
  return { clock, reads, gone, went, job, wait }
}

test('jobs wait for one another, by group, and are counted for it', () => {
  const { clock, reads, went, job, wait } = world()
  wait(1, { group: 'crowd' })
  for (const connection of [2, 3, 4]) wait(connection, { group: 'crowd' })
  wait(5, { group: 'one' })
  expect(went).toEqual([[1, 8 * mebibyte]])
  expect([...reads.numbers()]).toEqual([
    { group: 'crowd', jobs: 1, bytes: 0, waitSeconds: 0, waiting: 3 },
    { group: 'one', jobs: 0, bytes: 0, waitSeconds: 0, waiting: 1 },
  ])
  clock.advance(500)
  reads.end(1, 2 * mebibyte, job(1))
  // Others wait, so its job is short.
  expect(went.at(-1)).toEqual([5, 2 * mebibyte])
  clock.advance(500)
  reads.end(5, 1000, null)
  expect(went.at(-1)![0]).toBe(2)
  expect([...reads.numbers()]).toEqual([
    { group: 'crowd', jobs: 2, bytes: 2 * mebibyte, waitSeconds: 1, waiting: 3 },
    { group: 'one', jobs: 1, bytes: 1000, waitSeconds: 0.5, waiting: 0 },
  ])
})

test('a connection that leaves makes room, or is not waited for', () => {
  const { reads, went, wait } = world()
  for (const connection of [1, 2, 3]) wait(connection)
  reads.leave(2)
  expect(went.map(([connection]) => connection)).toEqual([1])
  reads.leave(1)
  expect(went.map(([connection]) => connection)).toEqual([1, 3])
  reads.leave(99)
  expect([...reads.numbers()]).toMatchObject([{ group: '', jobs: 2, waiting: 0 }])
})

test('who has no group shares with those of the same client id and host', () => {
  const { reads, went, wait } = world()
  wait(1, { clientId: 'rdkafka', host: 'a' })
  wait(2, { clientId: 'rdkafka', host: 'a' })
  wait(3, { clientId: 'rdkafka', host: 'b' })
  wait(4, { clientId: 'other', host: 'a' })
  reads.end(1, 2 * mebibyte, null)
  reads.end(3, 2 * mebibyte, null)
  expect(went.map(([connection]) => connection)).toEqual([1, 3, 4])
})

test('groups are counted by name as long as they are there and not too many', () => {
  const { reads, gone, wait } = world({ jobsMax: 8, groupsMax: 2 })
  for (const [at, group] of ['a', 'b', 'c', 'd'].entries()) wait(at, { group })
  const named = () => Array.from(reads.numbers(), ({ group, jobs }) => [group, jobs])
  expect(named()).toEqual([
    ['a', 1],
    ['b', 1],
    ['', 2],
  ])
  gone.add('a')
  expect(named()).toEqual([
    ['b', 1],
    ['', 2],
  ])
})
