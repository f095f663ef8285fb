import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { DiskError } from '../../env/disk.ts'
import { Prng } from '../../lib/prng.ts'
import { eventually, measuredAgain } from '../../../test/helpers/eventually.ts'
import { nativeForTests } from '../../../test/helpers/native.ts'

const { native } = nativeForTests()
const { disk } = native
const folder = mkdtempSync(join(tmpdir(), 'native-disk-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
const freshPath = (): string => join(folder, `file-${files++}`)

test('parts of any number and size land one after the other', () => {
  const prng = new Prng(1)
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 40 }),
      fc.nat(9000),
      (lengths, position) => {
        const parts = lengths.map(length => prng.bytes(length))
        const path = freshPath()
        const file = disk.open(path, 'create')
        file.write(position, parts)
        file.close()
        const whole = Buffer.concat(parts)
        const expected = whole.length === 0 ? whole : Buffer.concat([Buffer.alloc(position), whole])
        expect(readFileSync(path).equals(expected)).toBe(true)
      },
    ),
    { numRuns: 50 },
  )
})

test('more parts than one pwritev takes', () => {
  const path = freshPath()
  const file = disk.open(path, 'create')
  const parts = Array.from({ length: 3000 }, (_, at) => Uint8Array.of(at, at >> 8))
  file.write(5, parts)
  expect(file.size()).toBe(6005)
  expect(readFileSync(path).subarray(5).equals(Buffer.concat(parts))).toBe(true)
  file.close()
})

test('a write that fails midway says how much went in', () => {
  const script = `
    const { loadNative } = await import(${JSON.stringify(join(import.meta.dirname, 'load.ts'))})
    const { disk } = loadNative().native
    const file = disk.open(process.argv[1], 'create')
    const parts = [new Uint8Array(600), new Uint8Array(600), new Uint8Array(600)]
    for (const call of ['write', 'writeAsync']) {
      try { await file[call](0, parts) }
      catch (error) { console.log(error.code, error.written, error.operation) }
    }`
  const path = freshPath()
  // The kernel takes what fits below the limit, then raises EFBIG.
  const command = `trap '' XFSZ; ulimit -f 1; exec "$0" --input-type=module -e "$1" "$2"`
  const run = spawnSync('bash', ['-c', command, process.execPath, script, path], {
    encoding: 'utf8',
  })
  expect(run.stdout.trim().split('\n')).toEqual(['EFBIG 1024 write', 'EFBIG 1024 writeAsync'])
})

test('reads end at the end of the file, at once and later', async () => {
  const path = freshPath()
  writeFileSync(path, 'abcdef')
  const file = disk.open(path, 'read')
  const target = new Uint8Array(10)
  expect(file.read(2, target)).toBe(4)
  expect(Buffer.from(target.subarray(0, 4)).toString()).toBe('cdef')
  const later = new Uint8Array(3)
  expect(await file.readAsync(1, later)).toBe(3)
  expect(Buffer.from(later).toString()).toBe('bcd')
  expect(file.read(6, target)).toBe(0)
  file.close()
})

test('what is cached is read at once; to ask for what is not starts nothing', async () => {
  const file = disk.open(freshPath(), 'create')
  const bytes = 3 * 4096
  file.write(0, [new Uint8Array(bytes).fill(7)])
  await file.sync()
  const target = new Uint8Array(4096)
  const read = () => file.readNow(4000, target)
  const cachedBytes = () => file.residency(0, bytes)?.cachedBytes
  // ENOSYS or EPERM: a container's seccomp profile.
  if (cachedBytes() === undefined) return
  // Again where a kernel drops pages by itself at this moment, as DAMON does.
  const again = () => file.read(0, new Uint8Array(bytes)) && read()
  await measuredAgain('read of what is cached', again, found => found === target.length)
  expect(target.every(byte => byte === 7)).toBe(true)
  const drop = () => (file.dropCache(0, bytes), cachedBytes())
  await eventually('nothing is cached', drop, found => found === 0)
  expect(read()).toBeNull()
  expect(cachedBytes()).toBe(0)
  file.close()
})

test('jobs of a file that was closed meanwhile end well', async () => {
  const path = freshPath()
  writeFileSync(path, Buffer.alloc(1 << 20, 7))
  const file = disk.open(path, 'write')
  const target = new Uint8Array(1 << 20)
  const jobs = [file.readAsync(0, target), file.sync(), file.writeBack(0, 1 << 20)]
  file.close()
  await Promise.all(jobs)
  expect(target.every(byte => byte === 7)).toBe(true)
  expect(() => file.size()).toThrow('EBADF')
})

test('a held file is read after its close', () => {
  const path = freshPath()
  writeFileSync(path, 'held')
  const file = disk.open(path, 'read')
  const release = file.hold()
  file.close()
  expect(file.read(0, new Uint8Array(9))).toBe(4)
  release()
  release()
  expect(() => file.read(0, new Uint8Array(9))).toThrow('EBADF')
})

test('errors carry operation, path and errno name', async () => {
  const path = freshPath()
  expect(codeOf(() => disk.open(path, 'read'))).toBe('ENOENT')
  expect(codeOf(() => disk.open(folder, 'read'))).toBe('EISDIR')
  disk.open(path, 'create').close()
  expect(codeOf(() => disk.open(path, 'create'))).toBe('EEXIST')
  const readOnly = disk.open(path, 'read')
  expect(codeOf(() => readOnly.write(0, [Uint8Array.of(1)]))).toBe('EBADF')
  readOnly.close()
  expect(codeOf(() => disk.list(join(folder, 'none')))).toBe('ENOENT')
  expect(codeOf(() => disk.link(path, path))).toBe('EEXIST')
  await expect(disk.syncDirectory(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' })
  await disk.syncDirectory(folder)
  await disk.syncFileSystem(folder)
})

test('a lock keeps this process and others out until it is released', () => {
  const path = freshPath()
  const held = disk.lock(path)
  expect(codeOf(() => disk.lock(path))).toBe('ELOCKED')
  expect(lockElsewhere(path)).toBe('ELOCKED')
  held.release()
  held.release()
  expect(lockElsewhere(path)).toBe('locked')
  disk.lock(path).release()
})

test('cachestat: written pages are dirty, synced ones clean, dropped ones gone', async () => {
  const file = disk.open(freshPath(), 'create')
  const bytes = 4 << 20
  const written = () => {
    file.write(0, [new Uint8Array(bytes).fill(1)])
    return [file.residency(0, bytes)?.cachedBytes, file.isResident(0, bytes)]
  }
  // ENOSYS or EPERM: a container's seccomp profile.
  if (written()[0] === undefined) return
  // Again where a kernel drops pages by itself, as DAMON does.
  await measuredAgain('cached of what was written', written, ([cached, isResident]) => {
    return cached === bytes && isResident === true
  })
  await file.writeBack(0, bytes)
  expect(file.residency(0, bytes)).toMatchObject({ dirtyBytes: 0, writebackBytes: 0 })
  await file.sync()
  if (statfsSync(folder).type !== 0x01021994) {
    // A page that something else holds at this moment, such as the kernel's own reclaim, stays until it is dropped again.
    const cached = async () => {
      await file.dropCacheAsync(0, bytes)
      return file.residency(0, bytes)?.cachedBytes
    }
    await eventually('cached of what was dropped', cached, left => left === 0)
    expect(file.isResident(0, bytes)).toBe(false)
    expect(file.isResident(4095, 2)).toBe(false)
  }
  expect(file.isResident(0, 0)).toBe(true)
  file.close()
})

test('place is reserved on the device, and a cut to the size gives it back', () => {
  const path = freshPath()
  const file = disk.open(path, 'create')
  file.write(0, [Uint8Array.of(1)])
  const bytesOf = () => statSync(path).blocks * 512
  const before = bytesOf()
  if (!file.reserve(4 << 20)) return // a file system without fallocate(2)
  expect(bytesOf()).toBeGreaterThanOrEqual(4 << 20)
  expect(file.size()).toBe(1)
  file.truncate(1)
  expect(bytesOf()).toBeLessThanOrEqual(Math.max(before, 4096))
  file.close()
})

test('the file system is known by name, id and space', () => {
  const about = disk.fileSystem(folder)
  expect(about.type).toMatch(/^[a-z0-9]+$/)
  expect(disk.fileSystem(tmpdir())).toEqual(about)
  const space = disk.space(folder)
  expect(space.totalBytes).toBeGreaterThan(space.freeBytes)
  expect(disk.fileSystem('/proc').id).not.toBe(about.id)
})

function lockElsewhere(path: string): string {
  const script = `
    const { loadNative } = await import(${JSON.stringify(join(import.meta.dirname, 'load.ts'))})
    try { loadNative().native.disk.lock(process.argv[1]); console.log('locked') }
    catch (error) { console.log(error.code) }`
  const options = { encoding: 'utf8' } as const
  return spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script, path],
    options,
  ).stdout.trim()
}

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof DiskError) return error.code
    throw error
  }
  return 'no error'
}
