import { describe, expect, test } from 'vitest'
import { readWhole, type DiskFile } from '../src/env/disk.ts'
import { Prng } from '../src/lib/prng.ts'
import { SimDisk } from './disk.ts'

const page = 4096
const seeds = Array.from({ length: 60 }, (_, seed) => seed)

/** One byte for each state of an appended file: byte `at` is never zero and never what another place has. */
function appended(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (((from + at) * 7) % 251) + 1)
}

describe('a machine crash', () => {
  test('never loses what was synced, and invents nothing', async () => {
    const expected = appended(0, 500_000)
    for (const seed of seeds) {
      const prng = new Prng(seed)
      const disk = new SimDisk()
      const file = disk.open('/log', 'create')
      await disk.syncDirectory('/')
      let size = 0
      let syncedSize = 0
      for (let step = 0; step < 30; step++) {
        const length = prng.below(3) === 0 ? prng.below(4 * page) : prng.below(200)
        file.write(size, [appended(size, length)])
        size += length
        if (prng.chance(1, 6)) {
          await file.sync()
          syncedSize = size
        }
        for (let crash = 0; crash < 3; crash++) {
          const left = readWhole(disk.clone().crashMachine(prng), '/log')!
          expect(left.length).toBeGreaterThanOrEqual(syncedSize)
          // The size may run ahead of the data, to the end of the page at most.
          expect(left.length).toBeLessThanOrEqual(size)
          for (let at = 0; at < left.length; at++) {
            const isRight = left[at] === expected[at]
            if (!isRight && (at < syncedSize || left[at] !== 0)) expect.unreachable(`byte ${at}`)
          }
        }
      }
    }
  })

  test('loses every kind of what was not synced', async () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 400; seed++) {
      const disk = new SimDisk()
      const file = disk.open('/log', 'create')
      await disk.syncDirectory('/')
      for (let at = 0; at < 8; at++) file.write(at * 3000, [appended(at * 3000, 3000)])
      const left = readWhole(disk.crashMachine(new Prng(seed)), '/log')!
      const kept = left.map((byte, at) => Number(byte === appended(at, 1)[0]))
      if (left.length === 0) seen.add('nothing left')
      else if (left.length === 24_000 && kept.every(Boolean)) seen.add('everything left')
      else if (kept.every(Boolean)) seen.add('a prefix left')
      else if (kept.lastIndexOf(1) === -1) seen.add('only a size left')
      else if (kept.indexOf(0) < kept.lastIndexOf(1)) seen.add('a hole before data')
      if (left.length % page !== 0 && left.length % 3000 === 0) seen.add('a size of a write')
      if (left.length > 0 && left.length % page === 0) seen.add('a size of whole pages')
      const end = kept.lastIndexOf(0)
      if (end === kept.length - 1 && kept.indexOf(0) % 512 === 0 && kept.indexOf(0) % page !== 0) {
        seen.add('a torn last page')
      }
    }
    expect([...seen].toSorted()).toEqual([
      'a hole before data',
      'a prefix left',
      'a size of a write',
      'a size of whole pages',
      'a torn last page',
      'everything left',
      'nothing left',
      'only a size left',
    ])
  })

  test('is the same for the same seed', async () => {
    const disk = new SimDisk()
    const file = disk.open('/log', 'create')
    await disk.syncDirectory('/')
    file.write(0, [appended(0, 50_000)])
    const once = readWhole(disk.crashMachine(new Prng(5)), '/log')
    expect(readWhole(disk.crashMachine(new Prng(5)), '/log')).toEqual(once)
  })

  test('what is left is durable', async () => {
    const disk = new SimDisk()
    disk.open('/log', 'create').write(0, [appended(0, 50_000)])
    for (const seed of seeds) {
      const left = disk.crashMachine(new Prng(seed))
      const [names, content] = [left.list('/'), readWhole(left, '/log')]
      const again = left.crashMachine(new Prng(seed + 1))
      expect(again.list('/')).toEqual(names)
      expect(readWhole(again, '/log')).toEqual(content)
    }
  })

  test('what was written after a sync was asked for is not covered by it', async () => {
    const disk = new SimDisk()
    const file = disk.open('/log', 'create')
    await disk.syncDirectory('/')
    file.write(0, [appended(0, 100)])
    const sync = file.sync()
    file.write(100, [appended(100, 100)])
    await sync
    const sizes = new Set(seeds.map(seed => disk.crashMachine(new Prng(seed)).stat('/log')!.size))
    expect([...sizes].toSorted((a, b) => a - b)).toEqual([100, 200])
  })

  test('syncs that overlap and end in any order keep what the later one covers', async () => {
    for (const seed of seeds) {
      const prng = new Prng(seed)
      const waiting: (() => void)[] = []
      const disk = new SimDisk({ later: act => void waiting.push(act) })
      const created = disk.syncDirectory('/')
      const file = disk.open('/log', 'create')
      const named = disk.syncDirectory('/')
      const syncs: Promise<void>[] = [created, named]
      for (let at = 0; at < 5; at++) {
        file.write(at * 3000, [appended(at * 3000, 3000)])
        syncs.push(file.sync())
      }
      while (waiting.length > 0) waiting.splice(prng.below(waiting.length), 1)[0]!()
      await Promise.all(syncs)
      expect(readWhole(disk.crashMachine(prng), '/log')).toEqual(appended(0, 15_000))
    }
  })

  test('a cut happened or did not, and nothing written after it comes without it', async () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 300; seed++) {
      const disk = new SimDisk()
      const file = disk.open('/log', 'create')
      file.write(0, [new Uint8Array(3 * page).fill(1)])
      await disk.syncFileSystem('/')
      file.truncate(page + 10)
      file.write(page + 10, [new Uint8Array(page).fill(2)])
      const left = readWhole(disk.crashMachine(new Prng(seed)), '/log')!
      expect(left.subarray(0, page + 10).every(byte => byte === 1)).toBe(true)
      const rest = new Set(left.subarray(page + 10))
      outcomes.add(`${left.length > 2 * page + 10 ? 'not cut' : 'cut'} ${[...rest].join()}`)
      if (left.length === 3 * page) expect([...rest]).toEqual([1])
      else expect(rest.has(1)).toBe(false)
    }
    expect(outcomes).toContain('not cut 1')
    expect(outcomes).toContain('cut ')
    expect(outcomes).toContain('cut 2')
  })
})

describe('directories in a machine crash', () => {
  function make(disk: SimDisk, path: string): DiskFile {
    return disk.open(path, 'create')
  }

  test('entries are durable after syncDirectory, not before, in the order in which they were made', async () => {
    const outcomes = new Set<string>()
    for (const seed of seeds) {
      const disk = new SimDisk()
      make(disk, '/a')
      await disk.syncDirectory('/')
      make(disk, '/b')
      make(disk, '/c')
      disk.unlink('/a')
      outcomes.add(disk.crashMachine(new Prng(seed)).list('/').join())
    }
    expect([...outcomes].toSorted()).toEqual(['a', 'a,b', 'a,b,c', 'b,c'])
  })

  test('a synced file without a synced name may be gone', async () => {
    const disk = new SimDisk()
    const file = make(disk, '/a')
    file.write(0, [appended(0, 10)])
    await file.sync()
    const lists = new Set(seeds.map(seed => disk.crashMachine(new Prng(seed)).list('/').join()))
    expect([...lists].toSorted()).toEqual(['', 'a'])
  })

  test('a name inside a directory needs the directory', async () => {
    const disk = new SimDisk()
    disk.mkdir('/d')
    make(disk, '/d/a')
    await disk.syncDirectory('/d')
    const found = seeds.map(seed => disk.crashMachine(new Prng(seed)))
    expect(found.some(left => left.stat('/d') === null)).toBe(true)
    for (const left of found) if (left.stat('/d') !== null) expect(left.list('/d')).toEqual(['a'])
  })

  test('a rename happens as a whole, within a directory and across', async () => {
    for (const seed of seeds) {
      const disk = new SimDisk()
      disk.mkdir('/x')
      disk.mkdir('/y')
      make(disk, '/x/a')
      make(disk, '/x/old').write(0, [appended(0, 5)])
      make(disk, '/x/new').write(0, [appended(0, 9)])
      await disk.syncFileSystem('/')
      disk.rename('/x/new', '/x/old')
      make(disk, '/y/before')
      disk.rename('/x/a', '/y/a')
      if (seed % 2 === 1) await disk.syncDirectory('/y')
      const left = disk.crashMachine(new Prng(seed))
      const [x, y] = [left.list('/x'), left.list('/y')]
      expect([...x, ...y].filter(name => name === 'a')).toEqual(['a'])
      expect(left.stat('/x/old')!.size).toBe(x.includes('new') ? 5 : 9)
      if (y.includes('a')) expect([x, y]).toEqual([['old'], ['a', 'before']])
      if (seed % 2 === 1) expect(y).toContain('a')
    }
  })
})
