import { describe, expect, test } from 'vitest'
import { readWhole } from '../src/env/disk.ts'
import { utf8 } from '../src/lib/bytes.ts'
import { Prng } from '../src/lib/prng.ts'
import type { SimOperation } from './disk-faults.ts'
import { SimCrash } from './disk-faults.ts'
import { SimDisk } from './disk.ts'

const page = 4096

function filled(length: number, byte: number): Uint8Array {
  return new Uint8Array(length).fill(byte)
}

function contentOf(disk: SimDisk, path: string): string | null {
  const bytes = readWhole(disk, path)
  return bytes === null ? null : Buffer.from(bytes).toString()
}

describe('what is cached', () => {
  test('writes and reads make pages cached; drop and evict take clean ones away', async () => {
    const disk = new SimDisk()
    const file = disk.open('/a', 'create')
    file.write(0, [filled(3 * page, 1)])
    expect(file.residency(0, 3 * page)).toEqual({
      cachedBytes: 3 * page,
      dirtyBytes: 3 * page,
      writebackBytes: 0,
    })
    disk.evict()
    expect(file.isResident(0, 3 * page)).toBe(true)
    await file.sync()
    file.dropCache(1, 3 * page - 2)
    expect([0, 1, 2].map(at => file.isResident(at * page, page))).toEqual([true, false, true])
    disk.evict('/a')
    expect(file.residency(0, 3 * page)!.cachedBytes).toBe(0)
    file.read(page, new Uint8Array(10))
    await file.readAsync(2 * page, new Uint8Array(page))
    expect([0, 1, 2].map(at => file.isResident(at * page, page))).toEqual([false, true, true])
    expect([disk.coldBytesSync, disk.coldBytesAsync]).toEqual([10, page])
  })

  test('write-back makes pages clean but not durable', async () => {
    const disk = new SimDisk()
    const file = disk.open('/a', 'create')
    await file.sync()
    await disk.syncDirectory('/')
    file.write(0, [filled(2 * page, 7)])
    await file.writeBack(0, 2 * page)
    expect(file.residency(0, 2 * page)!.dirtyBytes).toBe(0)
    disk.evict()
    const target = new Uint8Array(1)
    file.read(page, target)
    expect(target[0]).toBe(7)
    const sizes = new Set<number>()
    for (let seed = 0; seed < 50; seed++) {
      sizes.add(disk.crashMachine(new Prng(seed)).stat('/a')!.size)
    }
    expect(sizes).toContain(0)
    expect(sizes).toContain(2 * page)
  })
})

describe('planned faults', () => {
  test('a failing write says how much went in', () => {
    const disk = new SimDisk()
    const file = disk.open('/logs.log', 'create')
    const other = disk.open('/other', 'create')
    disk.failNext({ operation: 'write', pathPattern: /\.log$/, code: 'ENOSPC', written: 3 })
    other.write(0, [utf8('fine')])
    expect(() => file.write(0, [utf8('ab'), utf8('cdef')])).toThrow(
      expect.objectContaining({ code: 'ENOSPC', written: 3, path: '/logs.log' }),
    )
    expect(contentOf(disk, '/logs.log')).toBe('abc')
    file.write(3, [utf8('def')])
    expect(contentOf(disk, '/logs.log')).toBe('abcdef')
  })

  test('reads, opens and directory syncs fail when told to, once', async () => {
    const disk = new SimDisk()
    const file = disk.open('/a', 'create')
    file.write(0, [utf8('x')])
    for (const operation of ['read', 'readAsync', 'open', 'syncDirectory'] as const) {
      disk.failNext({ operation, code: 'EIO' })
    }
    const io = expect.objectContaining({ code: 'EIO' })
    expect(() => file.read(0, new Uint8Array(1))).toThrow(io)
    expect(file.read(0, new Uint8Array(1))).toBe(1)
    await expect(file.readAsync(0, new Uint8Array(1))).rejects.toEqual(io)
    expect(() => disk.open('/a', 'read')).toThrow(io)
    await expect(disk.syncDirectory('/')).rejects.toEqual(io)
    await disk.syncDirectory('/')
  })

  test('a full disk takes a short write', () => {
    const disk = new SimDisk({ capacityBytes: 3 * page })
    const file = disk.open('/a', 'create')
    file.write(0, [filled(page, 1)])
    expect(() => file.write(page, [filled(page, 2), filled(2 * page, 3)])).toThrow(
      expect.objectContaining({ code: 'ENOSPC', written: 2 * page }),
    )
    expect(disk.space('/').freeBytes).toBe(0)
    file.truncate(page)
    expect(disk.space('/').freeBytes).toBe(2 * page)
  })

  test('after a failed fsync all seems well until the pages are dropped', async () => {
    const disk = new SimDisk()
    const file = disk.open('/a', 'create')
    await disk.syncDirectory('/')
    file.write(0, [filled(2 * page, 1)])
    disk.failNext({ operation: 'sync', code: 'EIO' })
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
    await file.sync()
    expect(readWhole(disk, '/a')!.every(byte => byte === 1)).toBe(true)
    const crashed = readWhole(disk.clone().crashMachine(new Prng(1)), '/a')
    expect(crashed).toEqual(filled(2 * page, 0))
    disk.evict()
    expect(readWhole(disk, '/a')).toEqual(filled(2 * page, 0))
  })

  test('what is written again after a failed fsync is durable after the next', async () => {
    const disk = new SimDisk()
    const file = disk.open('/a', 'create')
    await disk.syncDirectory('/')
    file.write(0, [filled(2 * page, 1)])
    disk.failNext({ operation: 'sync', code: 'EIO' })
    await expect(file.sync()).rejects.toThrow()
    file.write(10, [filled(1, 2)])
    await file.sync()
    const left = readWhole(disk.crashMachine(new Prng(1)), '/a')!
    expect([left[0], left[10], left[page - 1], left[page]]).toEqual([1, 2, 1, 0])
  })
})

describe('a write by a thread', () => {
  /** A disk that goes on when it is told to. */
  function stepwise() {
    const steps: (() => void)[] = []
    const disk = new SimDisk({ later: act => steps.push(act) })
    const step = async (): Promise<void> => {
      steps.shift()?.()
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    }
    const file = disk.open('/a', 'create')
    file.write(0, [utf8('one')])
    return { disk, file, step }
  }

  test('goes in by halves, as its bytes are then', async () => {
    const { disk, file, step } = stepwise()
    const bytes = utf8('cdef')
    const written = file.writeAsync(3, [utf8('ab'), bytes])
    expect([disk.underWayCount, contentOf(disk, '/a')]).toEqual([1, 'one'])
    await step()
    expect(contentOf(disk, '/a')).toBe('oneabc')
    bytes.fill(120)
    await step()
    await written
    expect([disk.underWayCount, contentOf(disk, '/a')]).toEqual([0, 'oneabcxxx'])
  })

  test('that fails says how much went in, when it is done', async () => {
    const { disk, file, step } = stepwise()
    disk.failNext({ operation: 'writeAsync', code: 'ENOSPC', written: 3 })
    const written = file.writeAsync(3, [utf8('abcdef')])
    const told = { operation: 'writeAsync', code: 'ENOSPC', written: 3 }
    const rejected = expect(written).rejects.toMatchObject(told)
    await step()
    expect(disk.underWayCount).toBe(1)
    await step()
    await rejected
    expect(contentOf(disk, '/a')).toBe('oneabc')
  })

  test('a crash finds any part of it, and not less than was there', async () => {
    const { disk, file, step } = stepwise()
    const written = file.writeAsync(3, [utf8('abcd')])
    const found = (): Set<string | null> => {
      const left = Array.from({ length: 60 }, (_, seed) =>
        disk.clone().crashProcess(new Prng(seed)),
      )
      return new Set(left.map(one => contentOf(one, '/a')))
    }
    expect(found()).toEqual(new Set(['one', 'onea', 'oneab', 'oneabc', 'oneabcd']))
    await step()
    expect(found()).toEqual(new Set(['oneab', 'oneabc', 'oneabcd']))
    const next = disk.crashProcess(new Prng(1))
    expect(next.underWayCount).toBe(0)
    await step()
    await expect(written).rejects.toThrow(SimCrash)
  })

  test('a machine crash finds what was synced, and of the rest any part', async () => {
    const { disk, file, step } = stepwise()
    const synced = [file.sync(), disk.syncDirectory('/')]
    for (let at = 0; at < 2; at++) await step()
    await Promise.all(synced)
    void file.writeAsync(3, [filled(2 * page, 7)]).catch(() => {})
    const sizes = new Set<number>()
    for (let seed = 0; seed < 100; seed++) {
      const left = disk.clone().crashMachine(new Prng(seed))
      expect(contentOf(left, '/a')!.slice(0, 3)).toBe('one')
      sizes.add(left.stat('/a')!.size)
    }
    expect(sizes.size).toBeGreaterThan(5)
  })
})

describe('planned crashes', () => {
  test('the process dies at the operation it was told to, in the middle of a write', async () => {
    const disk = new SimDisk()
    const file = disk.open('/a', 'create')
    disk.crashAfter(2, 3)
    file.write(0, [utf8('one')])
    expect(disk.operationCount).toBe(2)
    expect(() => file.write(3, [utf8('tw'), utf8('o')])).toThrow(SimCrash)
    expect(() => disk.list('/')).toThrow(SimCrash)
    await expect(file.sync()).rejects.toThrow(SimCrash)
    expect(disk.isCrashed).toBe(true)
    expect(contentOf(disk.crashProcess(), '/a')).toBe('onetwo')
  })

  test('calls in flight fail, and have no effect', async () => {
    const disk = new SimDisk()
    const file = disk.open('/a', 'create')
    await disk.syncDirectory('/')
    file.write(0, [filled(page, 1)])
    const sync = file.sync()
    const next = disk.crashProcess()
    await expect(sync).rejects.toThrow(SimCrash)
    const sizes = Array.from({ length: 30 }, (_, seed) => next.crashMachine(new Prng(seed)))
    expect(sizes.some(left => left.stat('/a')!.size === 0)).toBe(true)
  })

  test('locks die with the process', () => {
    const disk = new SimDisk()
    disk.lock('/lock')
    expect(() => disk.lock('/lock')).toThrow(expect.objectContaining({ code: 'ELOCKED' }))
    disk.crashProcess().lock('/lock').release()
  })

  test('a recorded workload can be crashed at every operation', async () => {
    const disk = new SimDisk()
    const points: { operation: SimOperation; before: SimDisk }[] = []
    disk.onOperation(operation => points.push({ operation, before: disk.clone() }))
    const file = disk.open('/a', 'create')
    file.write(0, [utf8('one')])
    disk.rename('/a', '/b')
    file.write(3, [utf8('two')])
    file.truncate(1)
    await file.sync()
    disk.unlink('/b')
    expect(points.map(({ operation }) => operation.name)).toEqual(
      ['create', 'write', 'rename', 'write', 'truncate', 'sync', 'unlink'], // prettier-ignore
    )
    expect(points.map(({ operation }) => operation.index)).toEqual([0, 1, 2, 3, 4, 5, 6])
    const states = points.map(({ before }) => {
      const after = before.clone().crashProcess()
      return [contentOf(after, '/a'), contentOf(after, '/b')]
    })
    expect(states).toEqual([
      [null, null],
      ['', null],
      ['one', null],
      [null, 'one'],
      [null, 'onetwo'],
      [null, 'o'],
      [null, 'o'],
    ])
    const torn = points[3]!.before.clone()
    torn.tear(points[3]!.operation, 1)
    expect(contentOf(torn.crashProcess(), '/b')).toBe('onet')
    expect(contentOf(points[3]!.before, '/b')).toBe('one')
  })
})

test('what has no name and no handle is forgotten, but not what a crash may bring back', async () => {
  const disk = new SimDisk()
  const file = disk.open('/a', 'create')
  file.write(0, [filled(page, 1)])
  await file.sync()
  await disk.syncDirectory('/')
  disk.unlink('/a')
  file.close()
  const restored = Array.from({ length: 20 }, (_, seed) => disk.crashMachine(new Prng(seed)))
  expect(restored.some(left => contentOf(left, '/a')?.length === page)).toBe(true)
  const next = disk.crashProcess()
  await next.syncDirectory('/')
  expect(next.space('/').freeBytes).toBe(next.space('/').totalBytes)
})
