import { expect, test } from 'vitest'
import { DiskError, type Disk, type DiskFile } from '../../../env/env.ts'
import { deferred } from '../../../lib/deferred.ts'
import { Segment } from '../segment/segment.ts'
import { DirtyLedger } from './dirty-ledger.ts'

/** Segments whose write-backs end when the test says so. */
function setUp(over: { readonly budgetBytes?: number; readonly stepBytes?: number } = {}) {
  const started: [name: string, from: number, length: number][] = []
  const pending: { resolve(): void; reject(error: Error): void }[] = []
  const pressure: boolean[] = []
  const failures: DiskError[] = []
  const ledger = new DirtyLedger({
    budgetBytes: over.budgetBytes ?? 1000,
    stepBytes: over.stepBytes ?? 100,
    onPressure: isOver => void pressure.push(isOver),
    onFailure: error => void failures.push(error),
  })
  const segment = (name: string): Segment => {
    const file = {
      path: name,
      writeBack(from: number, length: number) {
        started.push([name, from, length])
        const end = deferred<void>()
        pending.push({ resolve: () => end.resolve(), reject: error => end.reject(error) })
        return end.promise
      },
    } as unknown as DiskFile
    return new Segment({ disk: null as unknown as Disk, logPath: '/', baseOffset: 0 }, file, null)
  }
  const finish = async (at = 0): Promise<void> => {
    pending.splice(at, 1)[0]!.resolve()
    await Promise.resolve()
      .then(() => {})
      .then(() => {})
  }
  return { ledger, started, pending, pressure, failures, segment, finish }
}

test('write-back starts when a segment has grown by a step, one at a time, and goes on behind it', async () => {
  const { ledger, started, segment, finish } = setUp()
  const a = segment('a')
  ledger.wrote(a, 0, 60)
  expect(started).toEqual([])
  ledger.wrote(a, 60, 130)
  ledger.wrote(a, 130, 300)
  expect(started).toEqual([['a', 0, 130]])
  expect(ledger.dirtyBytes).toBe(300)
  await finish()
  expect(ledger.dirtyBytes).toBe(170)
  expect(started[1]).toEqual(['a', 130, 170])
  await finish()
  expect(ledger.dirtyBytes).toBe(0)
})

test('above half the budget the largest files go first, four at a time', async () => {
  const { ledger, started, segment, finish } = setUp({ stepBytes: 10_000 })
  for (const [name, length] of [
    ['a', 90],
    ['b', 150],
    ['c', 80],
    ['d', 60],
    ['e', 70],
    ['f', 40],
  ] as const) {
    ledger.wrote(segment(name), 0, length)
  }
  expect(started).toEqual([])
  ledger.wrote(segment('g'), 0, 30)
  expect(started.map(([name]) => name)).toEqual(['b', 'a', 'c', 'e'])
  await finish()
  expect(ledger.dirtyBytes).toBe(370)
  expect(started.length).toBe(4)
})

test('pressure begins above the budget and ends at three quarters of it', async () => {
  const { ledger, pressure, segment, finish } = setUp()
  const a = segment('a')
  const b = segment('b')
  ledger.wrote(a, 0, 900)
  ledger.wrote(b, 0, 200)
  expect([pressure, ledger.isOver]).toEqual([[true], true])
  await finish(1)
  expect(ledger.dirtyBytes).toBe(900)
  expect(pressure).toEqual([true])
  await finish()
  expect(pressure).toEqual([true, false])
})

test('a flush cleans what it covered; a removed segment is forgotten', () => {
  const { ledger, segment } = setUp()
  const a = segment('a')
  ledger.wrote(a, 0, 80)
  ledger.flushed(a, 50)
  expect(ledger.dirtyBytes).toBe(30)
  ledger.forget(a)
  expect(ledger.dirtyBytes).toBe(0)
  ledger.flushed(a, 80)
  expect(ledger.dirtyBytes).toBe(0)
})

test('a failed write-back is told', async () => {
  const { ledger, pending, failures, segment } = setUp()
  ledger.wrote(segment('a'), 0, 200)
  pending[0]!.reject(new DiskError('writeBack', 'a', 'EIO'))
  await new Promise(resolve => setImmediate(resolve))
  expect(failures.map(({ code }) => code)).toEqual(['EIO'])
})

test('write-backs that fail on segments that are gone are over, as others are: the next four begin', async () => {
  const { ledger, started, pending, failures, segment } = setUp({ stepBytes: 10_000 })
  const settle = () => new Promise(resolve => setImmediate(resolve))
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const segments = names.map(segment)
  for (const each of segments) ledger.wrote(each, 0, 200)
  const first = segments.slice(0, 4)
  expect(started.length).toBe(4)
  for (const each of first) {
    each.remove()
    ledger.forget(each)
  }
  for (const each of pending.splice(0)) each.reject(new DiskError('writeBack', 'a', 'EIO'))
  await settle()
  expect(failures).toEqual([])
  expect(started.slice(4).map(([name]) => name)).toEqual(['e', 'f', 'g', 'h'])
  for (const each of pending.splice(0)) each.resolve()
  await settle()
  expect(ledger.dirtyBytes).toBe(0)
})

test('of a segment that is gone no further step is written back', async () => {
  const { ledger, started, segment, finish } = setUp()
  const a = segment('a')
  ledger.wrote(a, 0, 100)
  ledger.wrote(a, 100, 300)
  ledger.forget(a)
  await finish()
  expect(started).toEqual([['a', 0, 100]])
  expect(ledger.dirtyBytes).toBe(0)
})

test('what failed of a segment is not tried again', async () => {
  const { ledger, started, pending, segment } = setUp({ stepBytes: 10_000 })
  const a = segment('a')
  ledger.wrote(a, 0, 600)
  pending[0]!.reject(new DiskError('writeBack', 'a', 'EIO'))
  await new Promise(resolve => setImmediate(resolve))
  ledger.wrote(a, 600, 700)
  expect(started.length).toBe(1)
})
