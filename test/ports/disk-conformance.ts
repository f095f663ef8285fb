import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  DiskError,
  readWhole,
  replaceFile,
  type Disk,
  type DiskOperation,
  type Residency,
} from '../../src/env/disk.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import { measuredAgain } from '../helpers/eventually.ts'
import { codeOf, rejectionOf } from './disk-codes.ts'

export interface DiskUnderTest {
  readonly disk: Disk
  /** An empty directory. */
  readonly root: string
  clean(): void
}

/** What every Disk must do alike, whatever is below it. `makeDisk` gives each test a fresh directory. */
export function diskConformance(name: string, makeDisk: () => DiskUnderTest): void {
  describe(`${name}: the Disk port`, () => {
    let under: DiskUnderTest
    let disk: Disk
    let root: string
    const at = (path: string): string => `${root}/${path}`
    const make = (path: string, text: string): void => {
      const file = disk.open(at(path), 'create')
      file.write(0, [utf8(text)])
      file.close()
    }
    const text = (path: string): string | null => {
      const bytes = readWhole(disk, at(path))
      return bytes === null ? null : Buffer.from(bytes).toString()
    }

    beforeEach(() => {
      under = makeDisk()
      ;({ disk, root } = under)
    })
    afterEach(() => under.clean())

    describe('files', () => {
      test('parts are written one after the other, and read back', () => {
        const file = disk.open(at('a'), 'create')
        file.write(0, [utf8('one '), new Uint8Array(0), utf8('two ')])
        file.write(8, [utf8('three')])
        expect(file.size()).toBe(13)
        const target = new Uint8Array(20)
        expect(file.read(0, target)).toBe(13)
        expect(Buffer.from(target.subarray(0, 13)).toString()).toBe('one two three')
        expect(file.path).toBe(at('a'))
        file.close()
      })

      test('thousands of parts of odd lengths are one write, by whoever writes', async () => {
        const prng = new Prng(7)
        const parts = Array.from({ length: 3000 }, () => prng.bytes(prng.below(40)))
        const expected = Buffer.concat(parts)
        const file = disk.open(at('a'), 'create')
        file.write(5, parts)
        await file.writeAsync(5 + expected.length, parts)
        const target = new Uint8Array(5 + 2 * expected.length)
        expect(file.read(0, target)).toBe(target.length)
        expect(Buffer.concat([expected, expected]).equals(target.subarray(5))).toBe(true)
        const again = new Uint8Array(target.length + 9)
        expect(await file.readAsync(0, again)).toBe(target.length)
        expect(again.subarray(0, target.length)).toEqual(target)
        file.close()
      })

      test('writing nothing changes nothing', async () => {
        const file = disk.open(at('a'), 'create')
        file.write(0, [])
        file.write(100, [new Uint8Array(0)])
        await file.writeAsync(100, [new Uint8Array(0)])
        expect(file.size()).toBe(0)
        file.close()
      })

      test('a gap reads as zeros, also across pages', () => {
        const file = disk.open(at('a'), 'create')
        file.write(10_000, [utf8('end')])
        const target = new Uint8Array(10_003).fill(9)
        expect(file.read(0, target)).toBe(10_003)
        expect(target.subarray(0, 10_000).every(byte => byte === 0)).toBe(true)
        file.close()
      })

      test('overwriting replaces exactly its range', () => {
        make('a', '0123456789')
        const file = disk.open(at('a'), 'write')
        file.write(3, [utf8('abc')])
        file.close()
        expect(text('a')).toBe('012abc6789')
      })

      test('reading ends at the end of the file', async () => {
        make('a', '0123456789')
        const file = disk.open(at('a'), 'read')
        expect(file.read(8, new Uint8Array(5))).toBe(2)
        expect(file.read(10, new Uint8Array(5))).toBe(0)
        expect(file.read(11, new Uint8Array(5))).toBe(0)
        expect(file.read(0, new Uint8Array(0))).toBe(0)
        expect(await file.readAsync(8, new Uint8Array(5))).toBe(2)
        expect(await file.readAsync(50, new Uint8Array(5))).toBe(0)
        expect(await file.readAsync(0, new Uint8Array(0))).toBe(0)
        file.close()
      })

      test('truncation cuts, and what is written behind it later has zeros before it', () => {
        make('a', '0123456789'.repeat(1000))
        const file = disk.open(at('a'), 'write')
        file.truncate(5)
        expect(file.size()).toBe(5)
        file.write(8, [utf8('x')])
        const target = new Uint8Array(9)
        expect(file.read(0, target)).toBe(9)
        expect(Buffer.from(target).toString()).toBe('01234\0\0\0x')
        file.close()
      })

      test('open modes', async () => {
        expect(codeOf(() => disk.open(at('a'), 'read'))).toBe('ENOENT')
        expect(codeOf(() => disk.open(at('a'), 'write'))).toBe('ENOENT')
        make('a', 'text')
        expect(codeOf(() => disk.open(at('a'), 'create'))).toBe('EEXIST')
        expect(codeOf(() => disk.open(at('no/a'), 'create'))).toBe('ENOENT')
        expect(codeOf(() => disk.open(at('a/b'), 'read'))).toBe('ENOTDIR')
        disk.mkdir(at('d'))
        for (const mode of ['read', 'write'] as const) {
          expect(codeOf(() => disk.open(at('d'), mode))).toBe('EISDIR')
        }
        expect(codeOf(() => disk.open(at('d'), 'create'))).toBe('EEXIST')
        const file = disk.open(at('a'), 'read')
        expect(codeOf(() => file.write(0, [utf8('x')]))).toBe('EBADF')
        expect(await rejectionOf(file.writeAsync(0, [utf8('x')]))).toBe('EBADF')
        expect(codeOf(() => file.truncate(0))).toMatch(/EINVAL|EBADF/)
        file.close()
        expect(text('a')).toBe('text')
      })

      test('a closed file refuses', async () => {
        make('a', 'text')
        const file = disk.open(at('a'), 'write')
        file.close()
        file.close()
        expect(codeOf(() => file.read(0, new Uint8Array(1)))).toBe('EBADF')
        expect(codeOf(() => file.write(0, [utf8('x')]))).toBe('EBADF')
        expect(codeOf(() => file.size())).toBe('EBADF')
        expect(await rejectionOf(file.readAsync(0, new Uint8Array(1)))).toBe('EBADF')
        expect(await rejectionOf(file.writeAsync(0, [utf8('x')]))).toBe('EBADF')
        expect(await rejectionOf(file.sync())).toBe('EBADF')
      })

      test('closing does not take the file from calls in flight', async () => {
        make('a', 'text'.repeat(50_000))
        const file = disk.open(at('a'), 'write')
        const target = new Uint8Array(200_000)
        const calls = [
          file.readAsync(0, target),
          file.writeAsync(200_000, [utf8('end')]),
          file.sync(),
          file.writeBack(0, 4096),
        ] as const
        file.close()
        expect((await Promise.all(calls))[0]).toBe(200_000)
        await disk.syncFileSystem(root)
        expect(text('a')).toBe(`${'text'.repeat(50_000)}end`)
      })

      test('a held file is readable after it was closed and unlinked', async () => {
        make('a', 'text')
        const file = disk.open(at('a'), 'read')
        const release = file.hold()
        file.close()
        disk.unlink(at('a'))
        const target = new Uint8Array(4)
        expect(await file.readAsync(0, target)).toBe(4)
        expect(Buffer.from(target).toString()).toBe('text')
        release()
        release()
        expect(await rejectionOf(file.readAsync(0, target))).toBe('EBADF')
      })

      test('an error says what failed', () => {
        try {
          disk.open(at('missing'), 'read')
          expect.unreachable()
        } catch (error) {
          expect(error).toBeInstanceOf(DiskError)
          expect(error).toMatchObject({ operation: 'open', path: at('missing'), code: 'ENOENT' })
        }
      })

      test.each<[DiskOperation, (disk: Disk, path: string) => unknown]>([
        ['list', (of, path) => of.list(path)],
        ['rename', (of, path) => of.rename(path, path)],
        ['link', (of, path) => of.link(path, `${path}-2`)],
        ['unlink', (of, path) => of.unlink(path)],
        ['unlink', (of, path) => of.unlinkAsync(path)],
        ['rmdir', (of, path) => of.rmdir(path)],
        ['syncDirectory', (of, path) => of.syncDirectory(path)],
        ['syncFileSystem', (of, path) => of.syncFileSystem(path)],
      ])('a failed %s is named as the port names it', async (operation, act) => {
        const failed = expect((async () => act(disk, at('missing')))())
        await failed.rejects.toMatchObject({ name: 'DiskError', operation, code: 'ENOENT' })
      })

      test('sync, write-back, and what is cached', async () => {
        const file = disk.open(at('a'), 'create')
        const canTell = file.residency(0, 1) !== null
        const written = async (): Promise<Residency | null> => {
          file.write(0, [new Uint8Array(20_000).fill(1)])
          await file.writeBack(0, 20_000)
          await file.sync()
          file.write(20_000, [new Uint8Array(100)])
          await file.sync()
          return file.isResident(0, 20_100) === false ? null : file.residency(0, 20_100)
        }
        // Again where a kernel drops pages by itself at this moment, as DAMON does.
        const residency = await measuredAgain('what is cached', written, found => {
          return found === null ? !canTell : found.cachedBytes === 20_480
        })
        if (canTell) expect(residency).toMatchObject({ dirtyBytes: 0, writebackBytes: 0 })
        file.dropCache(0, 20_100)
        await file.dropCacheAsync(0, 20_100)
        const target = new Uint8Array(20_100)
        expect(file.read(0, target)).toBe(20_100)
        expect(target.subarray(0, 20_000).every(byte => byte === 1)).toBe(true)
        file.close()
      })
    })

    test('place that is reserved does not show: size and content stay', () => {
      const file = disk.open(at('a'), 'create')
      file.write(0, [utf8('text')])
      file.reserve(1 << 20)
      expect(file.size()).toBe(4)
      expect(text('a')).toBe('text')
      file.close()
    })

    describe('directories', () => {
      test('mkdir makes parents and is content with what is there', () => {
        disk.mkdir(at('a/b/c'))
        disk.mkdir(at('a/b/c'))
        disk.mkdir(at('a'))
        expect(disk.list(at('a/b'))).toEqual(['c'])
        make('file', 'x')
        expect(codeOf(() => disk.mkdir(at('file')))).toBe('EEXIST')
      })

      test('list is sorted', () => {
        for (const name of ['b', 'a', 'c.log', 'B']) make(name, name)
        expect(disk.list(root)).toEqual(['B', 'a', 'b', 'c.log'])
        expect(codeOf(() => disk.list(at('no')))).toBe('ENOENT')
        expect(codeOf(() => disk.list(at('a')))).toBe('ENOTDIR')
      })

      test('stat', () => {
        make('a', '12345')
        disk.mkdir(at('d'))
        expect(disk.stat(at('a'))).toMatchObject({ size: 5, isDirectory: false })
        expect(disk.stat(at('d'))).toMatchObject({ isDirectory: true })
        expect(disk.stat(at('no'))).toBeNull()
        expect(disk.stat(at('a/b'))).toBeNull()
      })

      test('rename replaces', () => {
        make('a', 'new')
        make('b', 'old')
        const file = disk.open(at('b'), 'read')
        disk.rename(at('a'), at('b'))
        expect(disk.list(root)).toEqual(['b'])
        expect(text('b')).toBe('new')
        const target = new Uint8Array(3)
        file.read(0, target)
        expect(Buffer.from(target).toString()).toBe('old')
        file.close()
      })

      test('rename moves whole directories', () => {
        disk.mkdir(at('a/b'))
        make('a/b/f', 'x')
        disk.mkdir(at('c'))
        disk.rename(at('a/b'), at('c/d'))
        expect(disk.list(at('a'))).toEqual([])
        expect(text('c/d/f')).toBe('x')
      })

      test('rename refuses what it must', () => {
        make('f', 'x')
        disk.mkdir(at('d/e'))
        disk.mkdir(at('empty'))
        expect(codeOf(() => disk.rename(at('no'), at('x')))).toBe('ENOENT')
        expect(codeOf(() => disk.rename(at('f'), at('d')))).toBe('EISDIR')
        expect(codeOf(() => disk.rename(at('d'), at('f')))).toBe('ENOTDIR')
        expect(codeOf(() => disk.rename(at('empty'), at('d')))).toMatch(/ENOTEMPTY|EEXIST/)
        expect(codeOf(() => disk.rename(at('d'), at('d/e/x')))).toBe('EINVAL')
        disk.rename(at('f'), at('f'))
        expect(text('f')).toBe('x')
      })

      test('link gives a second name, and never replaces', () => {
        make('a', 'text')
        disk.link(at('a'), at('b'))
        disk.unlink(at('a'))
        expect(text('b')).toBe('text')
        make('a', 'other')
        expect(codeOf(() => disk.link(at('a'), at('b')))).toBe('EEXIST')
        expect(codeOf(() => disk.link(at('no'), at('c')))).toBe('ENOENT')
        expect(text('b')).toBe('text')
      })

      test('unlink and rmdir', () => {
        disk.mkdir(at('d'))
        make('d/f', 'x')
        expect(codeOf(() => disk.rmdir(at('d')))).toBe('ENOTEMPTY')
        expect(codeOf(() => disk.unlink(at('d')))).toMatch(/EISDIR|EPERM/)
        expect(codeOf(() => disk.rmdir(at('d/f')))).toBe('ENOTDIR')
        disk.unlink(at('d/f'))
        expect(codeOf(() => disk.unlink(at('d/f')))).toBe('ENOENT')
        disk.rmdir(at('d'))
        expect(codeOf(() => disk.rmdir(at('d')))).toBe('ENOENT')
        expect(disk.list(root)).toEqual([])
      })

      test('unlinkAsync', async () => {
        disk.mkdir(at('d'))
        make('d/f', 'x')
        await disk.unlinkAsync(at('d/f'))
        expect(disk.list(at('d'))).toEqual([])
        expect(await rejectionOf(disk.unlinkAsync(at('d/f')))).toBe('ENOENT')
        expect(await rejectionOf(disk.unlinkAsync(at('d')))).toMatch(/EISDIR|EPERM/)
        await disk.syncFileSystem(root)
      })

      test('syncing directories and the file system', async () => {
        disk.mkdir(at('d'))
        make('d/f', 'x')
        const open = disk.open(at('d/g'), 'create')
        open.write(0, [utf8('y')])
        disk.rename(at('d/f'), at('d/h'))
        await disk.syncDirectory(at('d'))
        await disk.syncDirectory(root)
        await disk.syncFileSystem(root)
        open.close()
        disk.rename(at('d'), at('e'))
        disk.unlink(at('e/h'))
        await disk.syncFileSystem(at('e'))
        expect(await rejectionOf(disk.syncDirectory(at('no')))).toBe('ENOENT')
        expect(await rejectionOf(disk.syncFileSystem(at('no')))).toBe('ENOENT')
      })

      test('replaceFile leaves one whole file', async () => {
        await replaceFile(disk, at('a'), utf8('one'))
        await replaceFile(disk, at('a'), utf8('two, longer'))
        await replaceFile(disk, at('a'), utf8(''))
        await replaceFile(disk, at('a'), utf8('3'))
        expect(text('a')).toBe('3')
        expect(disk.list(root)).toEqual(['a'])
      })

      test('space and file system are told', () => {
        const { totalBytes, freeBytes } = disk.space(root)
        expect(totalBytes).toBeGreaterThan(0)
        expect(freeBytes).toBeLessThanOrEqual(totalBytes)
        const { type, id, isNetwork } = disk.fileSystem(root)
        expect(type.length).toBeGreaterThan(0)
        expect(id).toBe(disk.fileSystem(root).id)
        expect(isNetwork).toBe(false)
      })
    })

    describe('locks', () => {
      test('one holder at a time; releasing gives it back', () => {
        const lock = disk.lock(at('lock'))
        expect(codeOf(() => disk.lock(at('lock')))).toBe('ELOCKED')
        const other = disk.lock(at('other'))
        lock.release()
        const again = disk.lock(at('lock'))
        again.release()
        other.release()
        expect(codeOf(() => disk.lock(at('no/lock')))).toBe('ENOENT')
      })

      test('a lock whose file was removed is in nobody’s way', () => {
        const removed = disk.lock(at('removed'))
        disk.unlink(at('removed'))
        const others = Array.from({ length: 20 }, (_, n) => disk.lock(at(`after-${n}`)))
        for (const lock of [removed, ...others]) lock.release()
      })
    })
  })
}
